"""A fault of a whole site: all cameras of a facility fail alike, so it is told once and not thirty times."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, SiteObservedV1, SiteState, Verdict

WAY_TO_THE_SITE = frozenset({Cause.DNS, Cause.ROUTE, Cause.REFUSED, Cause.TIMEOUT})
"""A broken line shows as one or the other, so these are alike."""
RESTING = frozenset({Cause.AUTH_FAILED, Cause.SESSION_LIMIT})
"""After these a camera may be left alone for longer than its interval."""
WITHIN_INTERVALS = 1.5
"""From one camera's fall to the next: an interval, and half of one more for looks that take until their deadline."""


@dataclass(frozen=True, slots=True)
class CameraLook:
    """The latest look at one camera of a site."""

    camera_id: UUID
    verdict: Verdict
    cause: Cause | None
    observed_at: datetime
    since: datetime
    interval_s: float

    @classmethod
    def of(cls, observed: CameraObservedV1) -> "CameraLook":
        return cls(
            observed.camera_id,
            observed.verdict,
            observed.cause,
            observed.observed_at,
            observed.since or observed.observed_at,
            observed.interval_s,
        )


def decide_site(
    facility_id: UUID, looks: Collection[CameraLook], told: SiteObservedV1 | None, *, least_cameras: int
) -> SiteObservedV1 | None:
    """What is to be told now of a facility: a fault that began, one that is over, or None for nothing new.

    `looks`: the latest of each of its cameras; `told`: what was told last. Depends on these alone and on no clock, so
    every prober that sees them says the same.
    """
    if told is None or told.state is SiteState.OVER:
        return _beginning(facility_id, looks, told, least_cameras)
    ups = [look.since for look in looks if look.verdict is Verdict.UP and look.since > told.began_at]
    if ups or not looks:
        ended_at = min(ups) if ups else told.began_at
        return told.model_copy(update={"state": SiteState.OVER, "ended_at": ended_at})
    return None


def _beginning(
    facility_id: UUID, looks: Collection[CameraLook], over: SiteObservedV1 | None, least_cameras: int
) -> SiteObservedV1 | None:
    """Every camera that could tell of the site fell, one soon after the other, and for like causes.

    One that was down or unknown long before (a dead camera, a wrong address) has a trouble of its own, and must not
    keep the others' common one from being seen. One that fell in the site's last fault, and has not come back since
    that was `over`, falls with those that came back and fall again.
    """
    if len(looks) < least_cameras or any(look.verdict is Verdict.UP for look in looks):
        return None
    last = max(look.since for look in looks)
    fallen = [*_fallen_together(looks), *_left_dark(looks, over)]
    fallen = list({look.camera_id: look for look in fallen}.values())
    if len(fallen) < least_cameras or any(look.verdict is not Verdict.DOWN for look in fallen):
        return None
    causes = Counter(look.cause for look in fallen if look.cause is not None)
    if len(causes) > 1 and not set(causes) <= WAY_TO_THE_SITE:
        return None
    most_common = min(causes, key=lambda cause: (-causes[cause], cause))
    return SiteObservedV1(
        facility_id=facility_id,
        state=SiteState.FAILING,
        cause=most_common,
        camera_ids=tuple(sorted((look.camera_id for look in fallen), key=str)),
        began_at=last,
    )


def _fallen_together(looks: Collection[CameraLook]) -> list[CameraLook]:
    """From the last that fell back to the first, as long as one follows soon after the other.

    Few are looked at at a time at one network, and each look at a dead line takes until its deadline: at a site of many
    cameras the last is seen falling long after the first.
    """
    window = WITHIN_INTERVALS * _interval(looks)
    fallen: list[CameraLook] = []
    for look in sorted(looks, key=lambda look: look.since, reverse=True):
        if fallen and fallen[-1].since - look.since > window:
            break
        fallen.append(look)
    return fallen


def _left_dark(looks: Collection[CameraLook], over: SiteObservedV1 | None) -> list[CameraLook]:
    """Down since the fault that is over, which others came back from."""
    if over is None or over.ended_at is None:
        return []
    return [
        look
        for look in looks
        if look.camera_id in over.camera_ids and look.verdict is Verdict.DOWN and look.since < over.ended_at
    ]


def _interval(looks: Collection[CameraLook]) -> timedelta:
    """The longest time between two looks at one of the cameras; those whose login rests are looked at seldom."""
    usual = [look.interval_s for look in looks if look.cause not in RESTING]
    return timedelta(seconds=max(usual or [look.interval_s for look in looks]))


def event_id(site: SiteObservedV1) -> str:
    """The same whoever tells it, so that the bus keeps one."""
    return f"site-{site.facility_id}-{site.began_at:%Y%m%dT%H%M%S.%f}-{site.state}"
