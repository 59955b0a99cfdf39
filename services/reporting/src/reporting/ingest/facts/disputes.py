"""What people said of recordings in a loop: each probe of such a camera carries it, so that no lost one matters."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, cut, millis
from vonggac.events import Payload
from vonggac.events.prober import CameraObservedV1, DisputeDecision, RepetitionDispute

# What was said once stays: a probe that was published late knows less.
_UPSERT = text(
    """
    insert into repetition_dispute as said (camera_id, disputed_at, decided_at, confirmed, ended_at)
    values (:camera_id, :disputed_at, :decided_at, :confirmed, :ended_at)
    on conflict (camera_id, disputed_at) do update set
        decided_at = coalesce(said.decided_at, excluded.decided_at),
        confirmed = coalesce(said.confirmed, excluded.confirmed),
        ended_at = coalesce(said.ended_at, excluded.ended_at)
    where (said.decided_at is null and excluded.decided_at is not null)
       or (said.ended_at is null and excluded.ended_at is not null)
    returning case when xmax = 0 then disputed_at else least(decided_at, ended_at) end as since
    """
)


async def record(session: AsyncSession, facts: Iterable[Payload]) -> dict[UUID, Millis]:
    """Store what the probes among `facts` carry, in any order; since when it changes what counts, by camera."""
    said: dict[tuple[UUID, int], RepetitionDispute] = {}
    for fact in facts:
        if isinstance(fact, CameraObservedV1) and (dispute := fact.dispute) is not None:
            key = fact.camera_id, millis(dispute.disputed_at)
            said[key] = dispute if key not in said else _joined(said[key], dispute)
    changed: dict[UUID, Millis] = {}
    for (camera_id, _), dispute in sorted(said.items()):
        given = {
            "camera_id": camera_id,
            "disputed_at": cut(dispute.disputed_at),
            "decided_at": None if dispute.decided_at is None else cut(dispute.decided_at),
            "confirmed": None if dispute.decision is None else dispute.decision is DisputeDecision.CONFIRMED,
            "ended_at": None if dispute.ended_at is None else cut(dispute.ended_at),
        }
        since = await session.scalar(_UPSERT, given)
        if since is not None:
            changed[camera_id] = min(millis(since), changed.get(camera_id, millis(since)))
    return changed


def _joined(one: RepetitionDispute, other: RepetitionDispute) -> RepetitionDispute:
    """Both say the same dispute, and one may know less."""
    found = {name: getattr(one, name) or getattr(other, name) for name in RepetitionDispute.model_fields}
    return RepetitionDispute.model_validate(found)
