"""Facts that a publisher numbered and that did not come: a gap is unknown time, never smoothed over.

Events come late, twice and in any order, so a gap is given up only after a while; what fills it later closes it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis
from vonggac.bus import Received
from vonggac.events import CloudEvent, Payload
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1

GIVEN_UP_AFTER = timedelta(seconds=120)
"""Publishers publish again within a minute what NATS forgot; a consumer tries again for as long."""

_KNOWN = text("select id, newest, newest_at from publisher where id = any(:ids) order by id for update")
_KEEP = text(
    """
    insert into publisher (id, newest, newest_at)
    select * from unnest(cast(:ids as text[]), cast(:newest as bigint[]), cast(:at as timestamptz[]))
    on conflict (id) do update set newest = greatest(publisher.newest, excluded.newest),
        newest_at = case when excluded.newest > publisher.newest then excluded.newest_at else publisher.newest_at end
    """
)
_TOUCHED = text(
    'delete from publisher_gap where publisher_id = :id and "first" <= :last and "last" >= :first '
    'returning "first", "last", began_at, coalesce(before_at, began_at) as before_at, '
    "coalesce(after_at, ended_at) as after_at, coalesce(after_since, ended_at) as after_since, noticed_at, lost_at"
)
_ADD = text(
    'insert into publisher_gap (publisher_id, "first", "last", began_at, ended_at, before_at, after_at, after_since, '
    "noticed_at, lost_at) values (:id, :first, :last, :began, :ended, :before, :after, :since, :noticed, :lost) "
    "on conflict do nothing"
)
_GIVE_UP = text(
    "update publisher_gap set lost_at = :now where lost_at is null and noticed_at < :before "
    'returning publisher_id, "last" - "first" + 1 as facts, began_at'
)


class Gap(NamedTuple):
    """The missing facts [first, last]: after one that was said at `before`, before one that was said at `after` of what
    it had seen since `since`."""

    first: int
    last: int
    before: datetime
    after: datetime
    since: datetime

    @property
    def span(self) -> tuple[datetime, datetime]:
        """When they were said. What comes late between its ends changes one of them; so both are kept as they are."""
        began, ended = sorted((self.before, self.after))
        if began == self.before:
            # A probe that failed is dated to its beginning, and came after the gap all the same.
            ended = max(began, min(ended, self.since))
        return began, ended


class Numbered(NamedTuple):
    """A fact of a publisher, said at `at` of what it has seen since `since`."""

    sequence: int
    at: datetime
    since: datetime


def new_gaps(newest: Numbered | None, facts: Iterable[Numbered]) -> tuple[list[Gap], Numbered]:
    """Gaps that these facts reveal after the newest known one, and the newest now. `facts` is not empty.

    Of a publisher that is not known nothing is missing before its first fact: it may be older than the stream.
    """
    found = []
    for fact in sorted(set(facts)):
        if newest is not None and fact.sequence > newest.sequence + 1:
            found.append(Gap(newest.sequence + 1, fact.sequence - 1, newest.at, fact.at, fact.since))
        if newest is None or fact.sequence > newest.sequence:
            newest = fact
    assert newest is not None
    return found, newest


def without(gap: Gap, facts: Iterable[Numbered]) -> list[Gap]:
    """What is left of a gap when these facts came after all: as if they had come in their places."""
    left, first, before = [], gap.first, gap.before
    for fact in sorted(set(facts)):
        if not first <= fact.sequence <= gap.last:
            continue
        if fact.sequence > first:
            left.append(Gap(first, fact.sequence - 1, before, fact.at, fact.since))
        first, before = fact.sequence + 1, fact.at
    return [*left, Gap(first, gap.last, before, gap.after, gap.since)] if first <= gap.last else left


async def record(session: AsyncSession, batch: Sequence[Received], now: datetime) -> Millis | None:
    """Note the sequences of a batch; returns where the first lost gap began that they fill."""
    facts: dict[str, list[Numbered]] = {}
    for one in batch:
        event = one.event
        if event.publisher is not None and event.publishersequence is not None:
            facts.setdefault(event.publisher, []).append(_numbered(event.publishersequence, event))
    if not facts:
        return None
    filled: list[Millis] = []
    known = {row.id: row for row in await session.execute(_KNOWN, {"ids": sorted(facts)})}
    newest: dict[str, Numbered] = {}
    for publisher, numbered in facts.items():
        row = known.get(publisher)
        before = None if row is None else Numbered(row.newest, row.newest_at, row.newest_at)
        found, newest[publisher] = new_gaps(before, numbered)
        if before is not None and (late := [fact for fact in numbered if fact.sequence <= before.sequence]):
            filled += await _close(session, publisher, late)
        for gap in found:
            await session.execute(_ADD, _row(publisher, gap, now, None))
    ids = sorted(newest)
    columns = {"ids": ids, "newest": [newest[one].sequence for one in ids], "at": [newest[one].at for one in ids]}
    await session.execute(_KEEP, columns)
    return min(filled, default=None)


async def give_up(session: AsyncSession, now: datetime) -> tuple[int, Millis | None]:
    """Call what is still missing lost; returns how many facts that are, and where the first gap began."""
    rows = (await session.execute(_GIVE_UP, {"now": now, "before": now - GIVEN_UP_AFTER})).all()
    return sum(row.facts for row in rows), min((millis(row.began_at) for row in rows), default=None)


async def _close(session: AsyncSession, publisher: str, late: list[Numbered]) -> list[Millis]:
    """Keep what is left of the gaps; returns where those began that had been given up, or begin now if that is
    earlier."""
    lost: list[Millis] = []
    sequences = [fact.sequence for fact in late]
    span = {"id": publisher, "first": min(sequences), "last": max(sequences)}
    for row in (await session.execute(_TOUCHED, span)).all():
        left = without(Gap(row.first, row.last, row.before_at, row.after_at, row.after_since), late)
        if row.lost_at is not None:
            # A fact of an earlier moment has what is missing before it begin there.
            lost.append(millis(min([row.began_at, *(gap.span[0] for gap in left)])))
        for gap in left:
            await session.execute(_ADD, _row(publisher, gap, row.noticed_at, row.lost_at))
    return lost


def _numbered(sequence: int, event: CloudEvent[Payload]) -> Numbered:
    lasted = timedelta()
    if isinstance(event.data, CameraObservedV1 | DeliveryVerifiedV1):
        lasted = timedelta(milliseconds=event.data.duration_ms)
    return Numbered(sequence, event.time, event.time - lasted)


def _row(publisher: str, gap: Gap, noticed: datetime, lost: datetime | None) -> dict[str, object]:
    began, ended = gap.span
    return {
        "id": publisher,
        "first": gap.first,
        "last": gap.last,
        "began": began,
        "ended": ended,
        "before": gap.before,
        "after": gap.after,
        "since": gap.since,
        "noticed": noticed,
        "lost": lost,
    }
