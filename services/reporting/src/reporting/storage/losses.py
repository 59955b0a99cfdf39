"""Facts that were lost between two matches that are far apart: what these prove holds only if nothing was.

Who watched is read for some hours before a period. A session may go on for longer without a match, and a loss takes
back all of the time between the two: wherever a period is cut, each part of it knows of the same losses.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.lives import Life, gaps_of
from reporting.domain.evidence.media import MEMORY
from reporting.domain.evidence.proven import Losses
from reporting.domain.evidence.read_backs import Kind, digest_of
from reporting.domain.instants import Millis, millis, moment
from reporting.storage.lives import Watch

_GAPS = text(
    "select publisher_id, began_at, ended_at, exists (select from worker_life as life where life.kind = 'prober' "
    "and life.worker_id = gap.publisher_id) as of_prober from publisher_gap as gap "
    "where lost_at is not null and began_at <= :to and ended_at >= :from"
)


class Lost(NamedTuple):
    """When facts were lost: of some prober, and of a forwarder by the digest of its name."""

    of_probers: Sequence[Life] = ()
    of_forwarders: Mapping[int, Sequence[Life]] = MappingProxyType({})


NOTHING_LOST = Lost()


async def load_lost_between_matches(
    session: AsyncSession, stretches: Sequence[Sequence[Any]], start: Millis, end: Millis
) -> Lost:
    """What was lost long before or after [start, end), and may take back what these stretches prove in it.

    `stretches`: columns as they are read, the delivery's id first.
    """
    if not stretches:
        return NOTHING_LOST
    _, begins, _, kinds, _, _, firm_at, *_ = stretches
    far_apart = [
        (first, firm)
        for first, kind, firm in zip(begins, kinds, firm_at, strict=True)
        if kind == Kind.MATCHES and first < firm and (first < start - MEMORY or firm > end)
    ]
    if not far_apart:
        return NOTHING_LOST
    return await _load(session, min(first for first, _ in far_apart), max(firm for _, firm in far_apart))


async def _load(session: AsyncSession, start: Millis, end: Millis) -> Lost:
    of_probers: list[Life] = []
    of_forwarders: dict[int, list[Life]] = {}
    for row in await session.execute(_GAPS, {"from": moment(start), "to": moment(end)}):
        gap = Life(millis(row.began_at), millis(row.ended_at))
        (of_probers if row.of_prober else of_forwarders.setdefault(digest_of(row.publisher_id), [])).append(gap)
    return Lost(of_probers, of_forwarders)


def losses_of(watch: Watch, lost: Lost) -> Losses:
    """What was lost while those watched, and what is lost besides."""
    if lost is NOTHING_LOST:
        return Losses(watch.probing, watch.lost, watch.lost_by_forwarder)
    by_forwarder = {
        digest: gaps_of([*watch.lost_by_forwarder.get(digest, ()), *lost.of_forwarders.get(digest, ())])
        for digest in {*watch.lost_by_forwarder, *lost.of_forwarders}
    }
    return Losses(watch.probing, gaps_of([*watch.lost, *lost.of_probers]), by_forwarder)
