"""The register of the mandate as it was recorded: every revision that held at some moment up to an instant."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.scope import FOREVER

_READ = text(
    """
    select noun, id, revision, facility_id, state, changed_at, changed_by, reason, valid_from,
           case when valid_to <= :until then valid_to end as valid_to
    from register_record
    where noun = any(:nouns) and valid_from <= :until and not removed and (valid_to is null or valid_to > valid_from)
    order by noun, id, revision
    """
)

_LAST_REPORT = text("select max(ends_at) from frozen_report where ends_at < :before")


class Record(NamedTuple):
    """One revision of one thing, that holds in [start, end)."""

    noun: str
    id: UUID
    revision: int
    facility_id: UUID | None
    state: dict[str, Any]
    changed_at: Millis
    changed_by: str | None
    reason: str | None
    start: Millis
    end: Millis


class Records:
    """What was read: all revisions up to an instant, by noun and thing. What came later is not in it."""

    def __init__(self, rows: Sequence[Record]) -> None:
        self._versions: dict[str, dict[UUID, list[Record]]] = {}
        for row in rows:
            self._versions.setdefault(row.noun, {}).setdefault(row.id, []).append(row)

    def at(self, noun: str, instant: Millis) -> Iterator[Record]:
        """Yield the revision of each thing that held at the instant, by the things' ids."""
        for versions in self._versions.get(noun, {}).values():
            for version in versions:
                if version.start <= instant < version.end:
                    yield version

    def versions(self, noun: str) -> Iterator[list[Record]]:
        """All revisions of each thing, oldest first."""
        yield from self._versions.get(noun, {}).values()

    def history(self, noun: str, thing_id: UUID) -> Sequence[Record]:
        """All revisions of one thing, oldest first."""
        return self._versions.get(noun, {}).get(thing_id, ())

    def find_version(self, noun: str, thing_id: UUID, instant: Millis) -> Record | None:
        """Find a thing as it was then; the last that is known of one that was removed before."""
        before = [one for one in self._versions.get(noun, {}).get(thing_id, ()) if one.start <= instant]
        return before[-1] if before else None


async def read(session: AsyncSession, nouns: Sequence[str], until: Millis) -> Records:
    """Every revision of these nouns that began by `until`; one that ends after it has no end yet."""
    found = await session.execute(_READ, {"nouns": list(nouns), "until": moment(until)})
    return Records(
        [
            Record(
                row.noun,
                row.id,
                row.revision,
                row.facility_id,
                row.state,
                millis(row.changed_at),
                row.changed_by,
                row.reason,
                millis(row.valid_from),
                FOREVER if row.valid_to is None else millis(row.valid_to),
            )
            for row in found
        ]
    )


async def last_report(session: AsyncSession, before: Millis) -> Millis | None:
    """Find the newest end of a period that a report was frozen of, earlier than `before`; None where there is none."""
    found = await session.scalar(_LAST_REPORT, {"before": moment(before)})
    return None if found is None else millis(found)
