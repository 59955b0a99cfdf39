"""From a camera to an observation: what is known of it, the plan, the probe under its deadline, what is published.

Scheduled probes and those on demand go the same way, so both keep the limits.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from prober.domain import schedule
from prober.domain.kinds import probe_kind
from prober.domain.limits.logins import Settled, settle
from prober.domain.result import Judgement, ProbeResult
from prober.messaging import Announcer, CameraStatuses, FailureHistories, StatusUnreadableError
from prober.metrics import Metrics
from prober.probes.camera.identity import ConfirmedDevices, is_due
from prober.probes.camera.picture_store import PictureStore
from prober.probes.camera.probe_lock import ProbeLock
from prober.probes.camera.prober import AGAIN_SOON_S, GRACE_S, CameraProber, NotNow, ProbePlan
from prober.probes.camera.recent_observations import Handout, RecentObservations
from prober.probes.silence import SLOW_AFTER_S, ProbePlace, SilentPlaces
from vonggac.bus import Bus
from vonggac.bus.clock import STEP_S
from vonggac.bus.declared import topology
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import CameraObservedV1, ProbeKind, Verdict
from vonggac.logins.counting import LoginRests
from vonggac.telemetry import get_logger, redact
from vonggac.telemetry.awake import Awake

log = get_logger(__name__)

HOLD_EVERY_S = topology.PROBE_ACK_WAIT_S / 3
PLACE_AGAIN_S = 1.0
"""A silent camera without a place comes again after once or twice that."""
SLOW_AGAIN_S = 1.0
"""How often a probe that hangs tries to get a place among the silent ones."""
MAX_DETAIL = 500
KNOWN_BY_ONVIF = frozenset({Cause.IDENTITY_CHANGED, Cause.CLOCK_DRIFT})

type Hold = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rules:
    """How closely to probe when, and what to do after failed logins."""

    logins: LoginRests
    deep_interval_s: float
    identity_interval_s: float = 86_400.0
    """Until a camera's identity is read by ONVIF again."""


@dataclass(frozen=True, slots=True)
class Early:
    """The camera is not to be probed yet; `resting`: after failed logins."""

    by_s: float
    resting: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """A probe that was made and published."""

    fact: CameraObservedV1
    began_s: float
    """Monotonic."""
    backs_off: bool = False
    """The camera is silent, and silent ones wait for places."""

    def next_probe_in_s(self) -> float:
        """From now."""
        elapsed_s = time.monotonic() - self.began_s
        return schedule.next_probe_delay_s(
            interval_s=self.fact.interval_s, elapsed_s=elapsed_s, backs_off=self.backs_off
        )


@dataclass(frozen=True, slots=True)
class _Previous:
    """The previous probe; `known` is False when it could not be read."""

    status: CameraObservedV1 | None
    probe: schedule.PreviousProbe | None
    known: bool


@dataclass(frozen=True, slots=True)
class CameraRecords:
    """Where observations go, and where those of before are: in buckets, and on the bus."""

    statuses: CameraStatuses
    histories: FailureHistories
    pictures: PictureStore
    announcer: Announcer
    devices: ConfirmedDevices


class Observer:
    """One per process. Never more than one probe of a camera at a time."""

    def __init__(
        self,
        *,
        worker_id: str,
        prober: CameraProber,
        records: CameraRecords,
        metrics: Metrics,
        rules: Rules,
        bus: Bus,
        awake: Awake | None = None,
        silent: SilentPlaces | None = None,
    ) -> None:
        self._awake, self._bus, self._silent = awake, bus, silent or SilentPlaces(0)
        self._recent = RecentObservations()
        self.lock = ProbeLock(
            bus,
            worker_id=worker_id,
            is_probing=self.is_probing,
            on_probed_elsewhere=self._recent.drop,
            on_removed=self.abandon,
        )
        self.prober, self._records = prober, records
        self._worker_id, self._metrics, self._rules = worker_id, metrics, rules
        self._probing: dict[UUID, asyncio.Task[ProbeResult | NotNow]] = {}
        self._busy: set[UUID] = set()
        self._abandoned: set[asyncio.Task[ProbeResult | NotNow]] = set()

    @property
    def probes_running(self) -> int:
        return len(self._probing)

    def is_probing(self, camera_id: UUID) -> bool:
        """Whether this process probes the camera now, or reads its previous probe, or publishes what it found."""
        return camera_id in self._busy

    def abandon(self, camera_id: UUID) -> None:
        """End the probe of a camera that is not watched any more: without a result, and its session with it."""
        probe = self._probing.get(camera_id)
        if probe is not None:
            log.info("probe_of_removed_camera_ended", camera_id=str(camera_id))
            probe.cancel()

    async def close(self) -> None:
        """Give up abandoned probes."""
        for task in self._abandoned:
            task.cancel()
        await asyncio.gather(*self._abandoned, return_exceptions=True)

    async def observe(
        self,
        camera: CameraV1,
        *,
        hold: Hold | None = None,
        handout: Handout | None = None,
        on_silent: Callable[[], None] | None = None,
        on_demand: bool = False,
    ) -> Observation | Early | NotNow:
        """One probe, published. `hold` is called while it lasts; `handout`: of the job that it is made for.

        `on_silent` is called when the job takes none of the places any more of cameras that answer.

        `on_demand`: made though it is early, unless the login rests.
        """
        if not on_demand:
            if self.lock.is_locked_elsewhere(camera.id) or self.is_probing(camera.id):
                return NotNow(AGAIN_SOON_S)
            place = ProbePlace(self._silent, camera.facility_id, on_silent)
            return await self._alone(camera, hold, handout, place)
        async with self.lock.lock(camera.id, lasts_s=camera.probe_timeout_s + GRACE_S) as locked:
            if not locked or self.is_probing(camera.id):
                return NotNow(AGAIN_SOON_S)
            place = ProbePlace(self._silent, camera.facility_id, None)
            return await self._alone(camera, None, None, place, on_demand=True)

    async def _alone(
        self,
        camera: CameraV1,
        hold: Hold | None,
        handout: Handout | None,
        place: ProbePlace,
        *,
        on_demand: bool = False,
    ) -> Observation | Early | NotNow:
        """Await nothing between `is_probing` and this: it keeps a second probe out, here and elsewhere."""
        self._busy.add(camera.id)
        answered = False
        try:
            outcome = await self._observe(camera, hold, handout, place, on_demand=on_demand)
            answered = isinstance(outcome, Observation) and (not place.is_slow or _answered(outcome.fact))
            return outcome
        finally:
            place.end(answered=answered)
            self._busy.discard(camera.id)

    async def _observe(
        self,
        camera: CameraV1,
        hold: Hold | None,
        handout: Handout | None,
        place: ProbePlace,
        *,
        on_demand: bool = False,
    ) -> Observation | Early | NotNow:
        previous = await self._previous(camera, handout)
        started_at, began_s = self._bus.clock.now(), time.monotonic()
        early_s = schedule.early_by_s(previous.probe, camera_revision=camera.revision, now=started_at)
        resting = previous.probe is not None and previous.probe.interval_s > camera.probe_interval_s
        if early_s is not None and (resting or not on_demand):
            return Early(early_s, resting)
        if not place.is_free(previous.probe):
            return NotNow(PLACE_AGAIN_S)
        late_s = schedule.lateness_s(previous.probe, camera_revision=camera.revision, started_at=started_at)
        holes, apart_s = self._holes(), self._bus.clock.apart_s()
        answer_within_s = place.answer_within_s(camera.probe_timeout_s)
        plan = self._plan(camera, previous, started_at, answer_within_s, on_demand=on_demand)
        result = await self._under_deadline(camera, plan, hold, place)
        if isinstance(result, NotNow):
            return result
        stepped_s = self._bus.clock.apart_s() - apart_s
        if self._holes() != holes or abs(stepped_s) > STEP_S:
            # Its deadline ran out in our sleep, or the machine slept: that says nothing of the camera.
            log.warning("probe_without_result", camera_id=str(camera.id), stepped_s=round(stepped_s, 3))
            return NotNow(AGAIN_SOON_S)
        if late_s is not None and not on_demand and not place.is_silent:
            self._metrics.lateness.observe(late_s)
        settled = settle(
            result,
            previous.probe,
            previous_known=previous.known,
            camera_revision=camera.revision,
            interval_s=camera.probe_interval_s,
            rests=self._rules.logins,
        )
        fact = self._fact(camera, result, settled, previous, started_at)
        fact = await self._records.devices.add_device(fact, result.seen, camera.expected, previous.status)
        await self._publish(fact, result, settled, previous, handout)
        backs_off = place.is_slow and fact.verdict is not Verdict.UP and self._silent.is_crowded
        return Observation(fact, began_s, backs_off)

    def _holes(self) -> int:
        if self._awake is None:
            return 0
        self._awake.check()
        return self._awake.holes

    async def _previous(self, camera: CameraV1, handout: Handout | None) -> _Previous:
        status = self._recent.before(handout, camera.id) if handout is not None else None
        # A probe that is not published to the end, or not for a job, is in the bus at best.
        self._recent.drop(camera.id)
        try:
            status = status or await self._records.statuses.last(camera.id)
        except StatusUnreadableError:
            return _Previous(None, None, known=False)
        return _Previous(status, schedule.PreviousProbe.of(status) if status is not None else None, known=True)

    def _plan(
        self,
        camera: CameraV1,
        previous: _Previous,
        now: datetime,
        answer_within_s: float | None,
        *,
        on_demand: bool,
    ) -> ProbePlan:
        kind = probe_kind(
            previous.probe, camera_revision=camera.revision, deep_interval_s=self._rules.deep_interval_s, now=now
        )
        if on_demand:
            kind = ProbeKind.DEEP
        same = previous.probe is not None and previous.probe.camera_revision == camera.revision
        before = previous.probe if same else None
        asked_at = before.identity_at if before is not None else None
        due = is_due(camera.expected, asked_at, every_s=self._rules.identity_interval_s, now=now)
        return ProbePlan(
            kind,
            ask_device=due and kind is not ProbeKind.LIGHT,
            deep_at=before.deep_at if before is not None else None,
            answer_within_s=answer_within_s,
        )

    async def _under_deadline(
        self, camera: CameraV1, plan: ProbePlan, hold: Hold | None, place: ProbePlace
    ) -> ProbeResult | NotNow:
        """Run the probe, its job held meanwhile; abandon it when it outlives its deadline."""
        probe = asyncio.create_task(self.prober.probe(camera, plan))
        self._probing[camera.id] = probe
        self._metrics.running.set(len(self._probing))
        try:
            return await self._wait(camera, probe, hold, place)
        finally:
            probe.cancel()
            self._probing.pop(camera.id, None)
            self._metrics.running.set(len(self._probing))

    async def _wait(
        self, camera: CameraV1, probe: asyncio.Task[ProbeResult | NotNow], hold: Hold | None, place: ProbePlace
    ) -> ProbeResult | NotNow:
        clock = asyncio.get_running_loop().time
        began = time.monotonic()
        ends_at, hold_at = clock() + camera.probe_timeout_s + GRACE_S, clock() + HOLD_EVERY_S
        slow_at = clock() + SLOW_AFTER_S
        while (now := clock()) < ends_at:
            done, _ = await asyncio.wait({probe}, timeout=max(0.0, min(slow_at, hold_at, ends_at) - now))
            if done:
                # Cancelled: the camera was removed meanwhile.
                return NotNow(AGAIN_SOON_S) if probe.cancelled() else probe.result()
            if clock() >= slow_at:
                slow_at = clock() + SLOW_AGAIN_S
                place.lasts()
            if clock() >= hold_at:
                hold_at = clock() + HOLD_EVERY_S
                if hold is not None:
                    await hold()
        self._abandoned.add(probe)
        probe.add_done_callback(self._abandoned.discard)
        log.error("probe_abandoned", camera_id=str(camera.id), timeout_s=camera.probe_timeout_s)
        return ProbeResult(self.prober.abandoned(began), camera.probe_timeout_s + GRACE_S)

    def _fact(
        self, camera: CameraV1, result: ProbeResult, settled: Settled, previous: _Previous, started_at: datetime
    ) -> CameraObservedV1:
        judgement = settled.judgement
        observed_at = started_at + timedelta(seconds=result.duration_s)
        status = previous.status if previous.status and previous.status.camera_revision == camera.revision else None
        same = previous.status is not None and previous.status.verdict is judgement.verdict
        judged = result.picture is not None and judgement.verdict is not Verdict.UNKNOWN
        return CameraObservedV1(
            camera_id=camera.id,
            camera_revision=camera.revision,
            worker_id=self._worker_id,
            observed_at=observed_at,
            verdict=judgement.verdict,
            cause=judgement.cause,
            detail=redact(judgement.detail)[:MAX_DETAIL] if judgement.detail else None,
            interval_s=settled.interval_s,
            duration_ms=round(result.duration_s * 1000, 1),
            steps=result.steps,
            media=result.media,
            kind=result.kind,
            findings=judgement.findings,
            not_checked={cause.value: reason for cause, reason in judgement.not_checked.items()},
            facility_id=camera.facility_id,
            since=_since(previous.status, observed_at) if same else observed_at,
            deep_at=observed_at if judged else status.deep_at if status else None,
            identity_at=_identity_at(result, judgement, status),
            login_proven=settled.login.proven,
            logins_failed=settled.login.failed,
            awake_since=self._awake.since if self._awake is not None else None,
            still_since=result.still_since,
            dispute=result.dispute,
            captured_at=result.captured_at if judgement.verdict is Verdict.DOWN else None,
        )

    async def _publish(
        self,
        fact: CameraObservedV1,
        result: ProbeResult,
        settled: Settled,
        previous: _Previous,
        handout: Handout | None,
    ) -> None:
        self._records.announcer.publish_observation(fact)
        if result.judged is not None:
            self._records.pictures.store(fact.camera_id, result.judged.remember, deep_at=fact.deep_at)
        changed = previous.status is None or previous.status.verdict is not fact.verdict
        if fact.verdict is not Verdict.UP or changed:
            await self._records.histories.record(fact)
        if settled.judgement is not result.judgement:
            result = replace(result, judgement=settled.judgement)
        self._metrics.count_probe(str(fact.camera_id), result, interval_s=fact.interval_s)
        if handout is not None:
            self._recent.keep(handout, fact)
        log.debug("camera_observed", camera_id=str(fact.camera_id), verdict=fact.verdict, cause=fact.cause)


def _answered(fact: CameraObservedV1) -> bool:
    """Whether a camera that needed long said anything at all."""
    return fact.verdict is Verdict.UP or fact.media is not None


def _since(before: CameraObservedV1 | None, observed_at: datetime) -> datetime:
    """When a verdict began that still holds; never later than now, whoever dated it."""
    return observed_at if before is None else min(before.since or before.observed_at, observed_at)


def _identity_at(result: ProbeResult, judgement: Judgement, status: CameraObservedV1 | None) -> datetime | None:
    """When the device was last asked who it is; None: ask again in the next deep probe.

    What only ONVIF knows would otherwise be a finding of one probe a day.
    """
    if result.identity_at is None:
        return status.identity_at if status is not None else None
    answered = result.seen is not None and result.seen.device_answered
    return None if answered and KNOWN_BY_ONVIF & set(judgement.findings) else result.identity_at
