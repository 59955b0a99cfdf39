"""Cameras that something happened to since a midnight: all others stand as the ledger says they stood then.

The open days, which the ledger has not, are accounted directly only for these. Whatever may begin or end between the
two moments makes a camera one of them; of what cannot be known cheaply (down, unknown), all cameras are.
"""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.claims import RELEASED
from reporting.domain.evidence.lives import Life
from reporting.domain.evidence.proven import VERIFIED
from reporting.domain.evidence.read_backs import Kind
from reporting.domain.instants import moment
from reporting.domain.ledger import CAMERA_KINDS, NOT_COUNTED
from reporting.domain.segments import Period
from reporting.storage.availability.evidence import marks
from reporting.storage.lives import Watch

_CONNECTIONS = frozenset({"both", "national_only", "provincial_only", "neither"})
STEADY = frozenset(
    code
    for code, kind in enumerate(CAMERA_KINDS)
    if code == NOT_COUNTED or (kind[0] == "up" and kind[-1] in _CONNECTIONS)
)
"""Kinds (places in CAMERA_KINDS) that say how a camera stands: up, connected or not for certain; or not counted."""


class Touched(NamedTuple):
    """`cameras` that something happened to, and the kinds that the others may stand in."""

    cameras: list[UUID]
    steady: frozenset[int]


_PLAN_CHANGED = text("select exists (select from destination where valid_from >= :from and valid_from <= :to)")
_TOUCHED = text(
    f"""
    select c.id from camera as c left join camera_state as s on s.camera_id = c.id
    where c.valid_to is null and c.enabled and not coalesce(
        s.state = 'up' and s.started_at < :from and s.ends_at > :to, false)
    union select id from camera where valid_from >= :from or valid_to >= :from or changed_at >= :from
    union select camera.id from camera join facility on facility.id = camera.facility_id
        where facility.valid_from >= :from or facility.valid_to >= :from or facility.changed_at >= :from
    union select camera.id from camera join maintenance_window as w
        on w.camera_id = camera.id or w.facility_id = camera.facility_id
        where w.starts_at <= :to and w.ends_at >= :from
    union select camera_id from camera_media
        where state = 'stopped' and (ends_at is null or ends_at >= :from)
    union select camera_id from camera_media
        where still_since is not null and (still_ends_at is null or still_ends_at >= :from)
    union select camera_id from camera_media
        where picture_since is not null and (not picture_judged or picture_cause is not null)
          and (picture_ends_at is null or picture_ends_at >= :from)
    union select camera_id from delivery where id in (
        select delivery_id from delivery_change where observed_at >= :from)
    union select camera_id from delivery where cast(:broken as text[]) <> '{{}}' and id in (
        select delivery_id from delivery_change
        where ends_at is null and state <> '{RELEASED}' and worker_id = any(cast(:broken as text[])))
    union select delivery.camera_id from delivery join destination on destination.id = delivery.destination_id
        join camera on camera.id = delivery.camera_id and camera.valid_to is null and camera.enabled
        where destination.required_proof = :verified and delivery.id not in (
            select delivery_id from read_back_stretch where kind = :matches and begins_at < :from and ends_at > :to
            union all
            select delivery_id from delivery_session where kind = :matches and begins_at < :from and ends_at > :to)
    union select camera_id from delivery where id in (
        select delivery_id from read_back_stretch where kind = :differs and ends_at >= :from and begins_at <= :to
        union all
        select delivery_id from delivery_session where kind = :differs and ends_at >= :from and begins_at <= :to)
    union select unnest(cast(:marked as uuid[]))
    """  # noqa: S608 - of our own names
)


async def touched(session: AsyncSession, part: Period, watch: Watch) -> Touched | None:
    """Read what happened in `part`, which begins at a midnight that the ledger has; None where it may be to any camera.

    `watch`: the lives that touch `part`, of the moment of the question.
    """
    if any(_ended(life, part) for life in watch.probing):
        return None
    if any(gap.start <= part.end and gap.end >= part.start for gap in watch.lost):
        return None
    given = {"from": moment(part.start), "to": moment(part.end)}
    changed = await session.scalar(_PLAN_CHANGED, given)
    late = await marks(session)
    if changed or any(mark.camera_id is None for mark in late):
        return None
    broken = [name for name, lives in watch.forwarders.items() if any(_ended(life, part) for life in lives)]
    marked = [mark.camera_id for mark in late]
    kinds = {"verified": VERIFIED, "matches": Kind.MATCHES, "differs": Kind.DIFFERS}
    found = await session.execute(_TOUCHED, {**given, **kinds, "broken": broken, "marked": marked})
    return Touched(list(found.scalars()), STEADY)


def _ended(life: Life, part: Period) -> bool:
    """Whether something that was said before `part` ended with this life within it."""
    return life.start <= part.start <= life.end <= part.end
