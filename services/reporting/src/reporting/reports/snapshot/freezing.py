"""Freezing: the rules of when, what is read, and the further version when a figure changed after all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.compliance import RULE_VERSION, RULE_WITHOUT_REGISTER
from reporting.domain.instants import Millis, millis
from reporting.domain.segments import Period
from reporting.reports.accounts import Question
from reporting.reports.notes import MADE_LATE
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.collect import Extent, collect
from reporting.reports.snapshot.difference import changes, compared_anew
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.reports.snapshot.report import FilterPart, Header, PeriodPart, Report, table_parts
from reporting.storage import plan
from reporting.storage.availability import after_freezing
from reporting.storage.snapshot import snapshot
from vonggac.auth import Principal
from vonggac.database import Database

type Tables = dict[str, list[Row]]


class NothingChangedError(Exception):
    """A further version would have the figures of the one before."""


class Author(NamedTuple):
    """Who freezes: the login, and the name and post that go with it now."""

    login: str
    name: str | None = None
    post: str | None = None

    @classmethod
    def of(cls, caller: Principal) -> Self:
        return cls(caller.subject, caller.name or None, caller.post or None)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be frozen, by whom, and in which words."""

    period: PeriodPart
    cut_off_ms: Millis
    filters: FilterPart
    author: Author
    deadline_ms: Millis | None
    target_ppm: int
    proposals: tuple[str, ...]
    letterhead: Letterhead


class Request(NamedTuple):
    """What is to be read. `codes_of`: codes mean what they did then; None: now."""

    period: Period
    zone: ZoneInfo
    filters: FilterPart
    register_at: Millis | None
    codes_of: Millis | None = None
    with_notes: bool = True
    with_assessment: bool = True
    with_security: bool = True

    @property
    def covers_until(self) -> Millis:
        """Evidence for time before it may change what is frozen: the register's rows have the cut-off's."""
        return max(self.period.end, self.register_at or 0)


class Found(NamedTuple):
    """What a report is frozen of. `cameras`: those that its tables are of."""

    tables: Tables
    cameras: frozenset[UUID]


async def announce(database: Database, asked: Request) -> int:
    """Return the newest mark before the figures are read; from now on, mark what comes for their time."""
    async with database.transaction() as session:
        return await after_freezing.announce(session, asked.covers_until)


async def read(
    database: Database,
    asked: Request,
    scope_of: Callable[[AsyncSession], Awaitable[plan.Scope]],
    *,
    now: datetime,
    alive_ms: Millis,
) -> Found:
    """Read the tables of one unchanging view. `scope_of` finds which facilities are asked for, in the same view."""
    question = Question(asked.period, millis(now), alive_ms, asked.zone.key)
    async with snapshot(database) as session:
        scope = replace(await scope_of(session), type=asked.filters.type)
        earlier, at = asked.register_at is None, asked.register_at
        extent = Extent(
            question,
            scope,
            asked.zone,
            by_earlier_rule=earlier,
            register_at=at,
            with_notes=asked.with_notes,
            with_assessment=asked.with_assessment,
            with_security=asked.with_security,
        )
        tables = await collect(session, extent)
        places = await plan.places(session, scope, Period(asked.period.start, asked.covers_until))
        return Found(tables, frozenset(UUID(one.id) for one in await plan.cameras(session, places)))


def latest_cut_off(now: datetime, horizon_ms: Millis) -> Millis:
    """Find the newest instant with complete evidence: what is late by less than the horizon still changes figures."""
    return millis(now) - horizon_ms


def first_version(order: Order, tables: Tables, now: datetime) -> Callable[[int, str | None], Report]:
    """Build the maker of version 1, given its number and the digest before it. Digests take time: use a thread."""
    report_id, parts = uuid4(), table_parts(tables)

    def make(number: int, previous_sha256: str | None) -> Report:
        header = Header(
            id=str(report_id),
            version=1,
            number=number,
            period=order.period,
            cut_off_ms=order.cut_off_ms,
            frozen_at_ms=millis(now),
            author=order.author.login,
            author_name=order.author.name,
            author_post=order.author.post,
            rule_version=RULE_VERSION,
            filters=order.filters,
            deadline_ms=order.deadline_ms,
            target_ppm=order.target_ppm,
            proposals=list(order.proposals),
            letterhead=order.letterhead,
            reason=None,
            replaces_sha256=None,
            previous_sha256=previous_sha256,
            tables=parts,
        )
        return Report(header, tables)

    return make


def of_same_regime(before: Report, tables: Tables) -> Tables:
    """Add to the tables read anew what the report of a regime has besides: the comparison with the same last report,
    and the note that it was made late."""
    if "comparison" not in before.tables:
        return tables
    late = [dict(row) for row in before.tables["notes"] if row["note_kind"] == MADE_LATE]
    compared = compared_anew(before.tables["comparison"], tables)
    return {**tables, "notes": [*tables["notes"], *late], "comparison": compared}


@dataclass(frozen=True, slots=True)
class Correction:
    """Why a further version is made, by whom, when."""

    reason: str
    author: Author
    now: datetime
    cut_off_ms: Millis


def next_version(before: Report, tables: Tables, correction: Correction) -> Callable[[int, str | None], Report]:
    """Build the maker of version n + 1; use a thread. Raises NothingChangedError when every figure is as it was.

    It is of the same tables and by the same rule as the version before: what a report was frozen without, no version of
    it has. A report of a regime is compared with the same last one.
    """
    tables = of_same_regime(before, tables)
    changed = changes(before.tables, tables)
    if not changed:
        raise NothingChangedError
    whole = {**tables, "changes": changed}
    header, parts = before.header, table_parts(whole)

    def make(number: int, previous_sha256: str | None) -> Report:
        further = header.model_copy(
            update={
                "version": header.version + 1,
                "number": number,
                "cut_off_ms": correction.cut_off_ms,
                "frozen_at_ms": millis(correction.now),
                "author": correction.author.login,
                "author_name": correction.author.name,
                "author_post": correction.author.post,
                "rule_version": header.rule_version if before.has_register else RULE_WITHOUT_REGISTER,
                "reason": correction.reason,
                "replaces_sha256": before.sha256,
                "previous_sha256": previous_sha256,
                "tables": parts,
            }
        )
        return replace(before, header=further, tables=whole, approval=None)

    return make
