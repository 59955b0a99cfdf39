"""Facts that a publisher numbered and that did not come: a gap is unknown time, never smoothed over.

Events come late, twice and in any order, so a gap is given up only after a while; what fills it later closes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis
from vonggac.bus import Received
from vonggac.events import CloudEvent, Payload
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1

GIVEN_UP_AFTER = timedelta(seconds=120)
"""Publishers publish again within a minute what NATS forgot; a consumer tries again for as long."""

# A publisher that is not known yet has no row to lock: without the lock two replicas that meet it would not see what is
# missing between their facts. A replica of the release before locks the row alone.
_LOCK = text(
    "select pg_advisory_xact_lock(key) from (select distinct hashtextextended(id, 31) as key "
    "from unnest(cast(:ids as text[])) as id order by key) as locks"
)
_KNOWN = text(
    "select id, newest, newest_at, oldest, oldest_at, oldest_since from publisher "
    "where id = any(:ids) order by id for update"
)
_KEEP = text(
    """
    insert into publisher (id, newest, newest_at, oldest, oldest_at, oldest_since)
    select * from unnest(
        cast(:ids as text[]), cast(:newest as bigint[]), cast(:newest_at as timestamptz[]),
        cast(:oldest as bigint[]), cast(:oldest_at as timestamptz[]), cast(:oldest_since as timestamptz[])
    )
    on conflict (id) do update set newest = greatest(publisher.newest, excluded.newest),
        newest_at = case when excluded.newest > publisher.newest then excluded.newest_at else publisher.newest_at end,
        oldest = excluded.oldest, oldest_at = excluded.oldest_at, oldest_since = excluded.oldest_since
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
# Forwarders that go on in the life in which facts of theirs were lost: nothing that one published before the end of the
# loss holds, and by itself it publishes changes alone.
_UNANSWERED = text(
    "select gap.publisher_id, max(gap.ended_at) as lost_until from publisher_gap as gap "
    "join worker_life as life on life.worker_id = gap.publisher_id and life.kind = 'forwarder' "
    "where gap.lost_at is not null group by gap.publisher_id "
    "having max(life.ended_at) >= :alive_since and max(life.started_at) <= max(gap.ended_at)"
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


class Known(NamedTuple):
    """The oldest and the newest known fact of a publisher; None: the oldest was not kept."""

    oldest: Numbered | None
    newest: Numbered


def new_gaps(known: Known | None, facts: Iterable[Numbered]) -> tuple[list[Gap], Known]:
    """Gaps between these facts (one at least) and the known ones, and the oldest and the newest known one now.

    Of a publisher nothing is missing before its oldest fact: it may be older than the stream.
    """
    ordered = sorted(set(facts))
    oldest, newest = known or (ordered[0], ordered[0])
    lines = [[newest, *(fact for fact in ordered if fact.sequence > newest.sequence)]]
    if oldest is not None:
        lines.append([*(fact for fact in ordered if fact.sequence < oldest.sequence), oldest])
        oldest = lines[-1][0]
    found = [
        Gap(before.sequence + 1, after.sequence - 1, before.at, after.at, after.since)
        for line in lines
        for before, after in pairwise(line)
        if after.sequence > before.sequence + 1
    ]
    return found, Known(oldest, lines[0][-1])


def without(gap: Gap, facts: Iterable[Numbered]) -> list[Gap]:
    """Compute what is left of a gap when these facts came after all: as if they had come in their places."""
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
    ids = {"ids": sorted(facts)}
    await session.execute(_LOCK, ids)
    before = {row.id: _to_known(row) for row in await session.execute(_KNOWN, ids)}
    after: dict[str, Known] = {}
    for publisher, numbered in facts.items():
        known = before.get(publisher)
        found, after[publisher] = new_gaps(known, numbered)
        if known is not None and (late := [fact for fact in numbered if fact.sequence <= known.newest.sequence]):
            filled += await _close(session, publisher, late)
        for gap in found:
            await session.execute(_ADD, _row(publisher, gap, now, None))
    await session.execute(_KEEP, _columns(after))
    return min(filled, default=None)


async def give_up(session: AsyncSession, now: datetime) -> tuple[int, Millis | None]:
    """Call what is still missing lost; returns how many facts that are, and where the first gap began."""
    rows = (await session.execute(_GIVE_UP, {"now": now, "before": now - GIVEN_UP_AFTER})).all()
    return sum(row.facts for row in rows), min((millis(row.began_at) for row in rows), default=None)


async def unanswered(session: AsyncSession, alive_since: datetime) -> dict[str, datetime]:
    """Living forwarders that have not published their states anew since facts of theirs were lost, and until when."""
    rows = await session.execute(_UNANSWERED, {"alive_since": alive_since})
    return {row.publisher_id: row.lost_until for row in rows}


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


def _to_known(row: Any) -> Known:
    oldest = None if row.oldest is None else Numbered(row.oldest, row.oldest_at, row.oldest_since)
    return Known(oldest, Numbered(row.newest, row.newest_at, row.newest_at))


def _columns(known: Mapping[str, Known]) -> dict[str, list[object]]:
    rows = sorted(known.items())
    return {
        "ids": [publisher for publisher, _ in rows],
        "newest": [one.newest.sequence for _, one in rows],
        "newest_at": [one.newest.at for _, one in rows],
        "oldest": [one.oldest and one.oldest.sequence for _, one in rows],
        "oldest_at": [one.oldest and one.oldest.at for _, one in rows],
        "oldest_since": [one.oldest and one.oldest.since for _, one in rows],
    }


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
