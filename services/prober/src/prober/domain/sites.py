"""A fault of a whole site: all cameras of a facility fail alike, so it is published once and not thirty times."""

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
"""From one camera's fall to the next: an interval, and half of one more for probes that take until their deadline."""


@dataclass(frozen=True, slots=True)
class CameraProbe:
    """The latest probe of one camera of a site."""

    camera_id: UUID
    verdict: Verdict
    cause: Cause | None
    observed_at: datetime
    since: datetime
    interval_s: float

    @classmethod
    def of(cls, observed: CameraObservedV1) -> "CameraProbe":
        return cls(
            observed.camera_id,
            observed.verdict,
            observed.cause,
            observed.observed_at,
            observed.since or observed.observed_at,
            observed.interval_s,
        )


def decide_site(
    facility_id: UUID, probes: Collection[CameraProbe], last: SiteObservedV1 | None, *, least_cameras: int
) -> SiteObservedV1 | None:
    """Decide what to publish of a facility now: a fault that began, one that is over, or None for nothing new.

    `probes`: the latest of each of its cameras; `last`: what was published last. Depends on these alone, so every
    prober that sees them decides the same.
    """
    if last is None or last.state is SiteState.OVER:
        return _beginning(facility_id, probes, last, least_cameras)
    ups = [probe.since for probe in probes if probe.verdict is Verdict.UP and probe.since > last.began_at]
    if ups or not probes:
        ended_at = min(ups) if ups else last.began_at
        return last.model_copy(update={"state": SiteState.OVER, "ended_at": ended_at})
    return None


def _beginning(
    facility_id: UUID, probes: Collection[CameraProbe], over: SiteObservedV1 | None, least_cameras: int
) -> SiteObservedV1 | None:
    """Every camera that shows the site's state fell, one soon after the other, and for like causes.

    One that was down or unknown long before (a dead camera, a wrong address) has a trouble of its own, and must not
    keep the others' common one from being seen. One that fell in the site's last fault, and has not come back since
    that was `over`, falls with those that came back and fall again.
    """
    if len(probes) < least_cameras or any(probe.verdict is Verdict.UP for probe in probes):
        return None
    began_at = max(probe.since for probe in probes)
    fallen = [*_fallen_together(probes), *_left_dark(probes, over)]
    fallen = list({probe.camera_id: probe for probe in fallen}.values())
    if len(fallen) < least_cameras or any(probe.verdict is not Verdict.DOWN for probe in fallen):
        return None
    causes = Counter(probe.cause for probe in fallen if probe.cause is not None)
    if len(causes) > 1 and not set(causes) <= WAY_TO_THE_SITE:
        return None
    most_common = min(causes, key=lambda cause: (-causes[cause], cause))
    return SiteObservedV1(
        facility_id=facility_id,
        state=SiteState.FAILING,
        cause=most_common,
        camera_ids=tuple(sorted((probe.camera_id for probe in fallen), key=str)),
        began_at=began_at,
    )


def _fallen_together(probes: Collection[CameraProbe]) -> list[CameraProbe]:
    """From the last that fell back to the first, as long as one follows soon after the other.

    Few are probed at a time at one network, and each probe of a dead line takes until its deadline: at a site of many
    cameras the last is seen falling long after the first.
    """
    window = WITHIN_INTERVALS * _interval(probes)
    fallen: list[CameraProbe] = []
    for probe in sorted(probes, key=lambda probe: probe.since, reverse=True):
        if fallen and fallen[-1].since - probe.since > window:
            break
        fallen.append(probe)
    return fallen


def _left_dark(probes: Collection[CameraProbe], over: SiteObservedV1 | None) -> list[CameraProbe]:
    """Down since the fault that is over, which others came back from."""
    if over is None or over.ended_at is None:
        return []
    return [
        probe
        for probe in probes
        if probe.camera_id in over.camera_ids and probe.verdict is Verdict.DOWN and probe.since < over.ended_at
    ]


def _interval(probes: Collection[CameraProbe]) -> timedelta:
    """Compute the longest time between two probes of one camera; those whose login rests are probed seldom."""
    usual = [probe.interval_s for probe in probes if probe.cause not in RESTING]
    return timedelta(seconds=max(usual or [probe.interval_s for probe in probes]))


def event_id(site: SiteObservedV1) -> str:
    """Build an id that is the same whichever prober publishes it, so that the bus keeps one."""
    return f"site-{site.facility_id}-{site.began_at:%Y%m%dT%H%M%S.%f}-{site.state}"
