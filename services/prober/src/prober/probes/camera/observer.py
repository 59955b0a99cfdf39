"""From a camera to an observation: what is remembered of it, how to look, the look under its deadline, what is told.

Scheduled looks and looks that a person asks for go the same way, so both keep the manners.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from prober.domain import schedule
from prober.domain.kinds import kind_of_look
from prober.domain.logins import LoginLimits, Settled, settle
from prober.domain.result import Judgement, ProbeResult
from prober.messaging import Announcer, CameraStatuses, FailureHistories, StatusUnreadableError
from prober.metrics import Metrics
from prober.probes.camera.identity import is_due
from prober.probes.camera.picture_store import PictureMemory
from prober.probes.camera.probe_lock import Turns
from prober.probes.camera.prober import AGAIN_SOON_S, GRACE_S, Looker, LookPlan, NotNow, abandoned
from prober.probes.camera.recent_observations import Handout, ToldLooks
from vonggac.bus import Bus, topology
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import CameraObservedV1, LookKind, Verdict
from vonggac.telemetry import get_logger, redact

log = get_logger(__name__)

HOLD_EVERY_S = topology.PROBE_ACK_WAIT_S / 3
MAX_DETAIL = 500
TOLD_BY_ONVIF = frozenset({Cause.IDENTITY_CHANGED, Cause.CLOCK_DRIFT})

type Hold = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rules:
    """When to look how, and what to do after failed logins."""

    logins: LoginLimits
    deep_interval_s: float
    identity_interval_s: float


@dataclass(frozen=True, slots=True)
class Early:
    """The camera is not to be looked at yet; `resting` after failed logins."""

    by_s: float
    resting: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """A look that was made and told."""

    fact: CameraObservedV1
    started_at: datetime

    def next_look_in_s(self) -> float:
        """From now."""
        elapsed_s = (datetime.now(UTC) - self.started_at).total_seconds()
        return schedule.next_look_delay_s(interval_s=self.fact.interval_s, elapsed_s=elapsed_s)


@dataclass(frozen=True, slots=True)
class _Past:
    """What is remembered; `known` is False when it could not be read."""

    status: CameraObservedV1 | None
    look: schedule.PreviousLook | None
    known: bool


class Observer:
    """One per process. Never more than one look at a camera at a time."""

    def __init__(
        self,
        *,
        worker_id: str,
        looker: Looker,
        pictures: PictureMemory,
        statuses: CameraStatuses,
        histories: FailureHistories,
        announcer: Announcer,
        metrics: Metrics,
        rules: Rules,
        bus: Bus,
    ) -> None:
        self._told = ToldLooks()
        self.turns = Turns(bus, worker_id=worker_id, is_looking=self.is_looking, on_others=self._told.forget)
        self.looker, self._pictures = looker, pictures
        self._worker_id, self._statuses, self._histories = worker_id, statuses, histories
        self._announcer, self._metrics, self._rules = announcer, metrics, rules
        self._looking: dict[UUID, asyncio.Task[ProbeResult | NotNow]] = {}
        self._busy: set[UUID] = set()
        self._abandoned: set[asyncio.Task[ProbeResult | NotNow]] = set()

    @property
    def probes_running(self) -> int:
        return len(self._looking)

    def is_looking(self, camera_id: UUID) -> bool:
        """Whether this process looks at the camera now, or reads what is remembered of it, or tells what it saw."""
        return camera_id in self._busy

    async def close(self) -> None:
        """Give up abandoned looks."""
        for task in self._abandoned:
            task.cancel()
        await asyncio.gather(*self._abandoned, return_exceptions=True)

    async def observe(
        self,
        camera: CameraV1,
        *,
        hold: Hold | None = None,
        handout: Handout | None = None,
        asked_for: bool = False,
    ) -> Observation | Early | NotNow:
        """One look, told. `hold` is called while it lasts; `handout`: of the job that it is made for.

        `asked_for` by a person: not too early unless resting.
        """
        if not asked_for:
            if self.turns.is_others(camera.id) or self.is_looking(camera.id):
                return NotNow(AGAIN_SOON_S)
            return await self._alone(camera, hold, handout)
        async with self.turns.take(camera.id, lasts_s=camera.probe_timeout_s + GRACE_S) as taken:
            if not taken or self.is_looking(camera.id):
                return NotNow(AGAIN_SOON_S)
            return await self._alone(camera, None, None, asked_for=True)

    async def _alone(
        self, camera: CameraV1, hold: Hold | None, handout: Handout | None, *, asked_for: bool = False
    ) -> Observation | Early | NotNow:
        """Await nothing between asking `is_looking` and this, for it keeps a second look out, here and elsewhere."""
        self._busy.add(camera.id)
        try:
            return await self._observe(camera, hold, handout, asked_for=asked_for)
        finally:
            self._busy.discard(camera.id)

    async def _observe(
        self, camera: CameraV1, hold: Hold | None, handout: Handout | None, *, asked_for: bool = False
    ) -> Observation | Early | NotNow:
        past = await self._past(camera, handout)
        started_at = datetime.now(UTC)
        early_s = schedule.early_by_s(past.look, camera_revision=camera.revision, now=started_at)
        resting = past.look is not None and past.look.interval_s > camera.probe_interval_s
        if early_s is not None and (resting or not asked_for):
            return Early(early_s, resting)
        late_s = schedule.lateness_s(past.look, camera_revision=camera.revision, started_at=started_at)
        result = await self._under_deadline(camera, self._plan(camera, past, started_at, asked_for), hold)
        if isinstance(result, NotNow):
            return result
        if late_s is not None and not asked_for:
            self._metrics.lateness.observe(late_s)
        settled = settle(
            result,
            past.look,
            previous_known=past.known,
            camera_revision=camera.revision,
            interval_s=camera.probe_interval_s,
            limits=self._rules.logins,
        )
        fact = self._fact(camera, result, settled, past, started_at)
        await self._tell(fact, result, settled, past)
        if handout is not None:
            self._told.keep(handout, fact)
        return Observation(fact, started_at)

    async def _past(self, camera: CameraV1, handout: Handout | None) -> _Past:
        status = self._told.before(handout, camera.id) if handout is not None else None
        # A look that is not told to the end, or not for a job, is in the bus at best.
        self._told.forget(camera.id)
        try:
            status = status or await self._statuses.last(camera.id)
        except StatusUnreadableError:
            return _Past(None, None, known=False)
        return _Past(status, schedule.PreviousLook.of(status) if status is not None else None, known=True)

    def _plan(self, camera: CameraV1, past: _Past, now: datetime, asked_for: bool) -> LookPlan:
        kind = kind_of_look(
            past.look, camera_revision=camera.revision, deep_interval_s=self._rules.deep_interval_s, now=now
        )
        if asked_for:
            kind = LookKind.DEEP
        same = past.look is not None and past.look.camera_revision == camera.revision
        before = past.look if same else None
        asked_at = before.identity_at if before is not None else None
        due = is_due(camera.expected, asked_at, every_s=self._rules.identity_interval_s, now=now)
        return LookPlan(
            kind,
            ask_device=due and kind is not LookKind.LIGHT,
            deep_at=before.deep_at if before is not None else None,
        )

    async def _under_deadline(self, camera: CameraV1, plan: LookPlan, hold: Hold | None) -> ProbeResult | NotNow:
        """The look, its job held meanwhile; abandoned when it outlives its deadline."""
        look = asyncio.create_task(self.looker.look(camera, plan))
        self._looking[camera.id] = look
        self._metrics.running.set(len(self._looking))
        try:
            return await self._wait(camera, look, hold)
        finally:
            look.cancel()
            self._looking.pop(camera.id, None)
            self._metrics.running.set(len(self._looking))

    async def _wait(
        self, camera: CameraV1, look: asyncio.Task[ProbeResult | NotNow], hold: Hold | None
    ) -> ProbeResult | NotNow:
        clock = asyncio.get_running_loop().time
        ends_at = clock() + camera.probe_timeout_s + GRACE_S
        while (left_s := ends_at - clock()) > 0:
            done, _ = await asyncio.wait({look}, timeout=min(HOLD_EVERY_S, left_s))
            if done:
                return look.result()
            if hold is not None:
                await hold()
        self._abandoned.add(look)
        look.add_done_callback(self._abandoned.discard)
        log.error("probe_abandoned", camera_id=str(camera.id), timeout_s=camera.probe_timeout_s)
        return ProbeResult(abandoned(), camera.probe_timeout_s + GRACE_S)

    def _fact(
        self, camera: CameraV1, result: ProbeResult, settled: Settled, past: _Past, started_at: datetime
    ) -> CameraObservedV1:
        judgement = settled.judgement
        observed_at = datetime.fromtimestamp(started_at.timestamp() + result.duration_s, UTC)
        status = past.status if past.status and past.status.camera_revision == camera.revision else None
        same = past.status is not None and past.status.verdict is judgement.verdict
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
            since=(past.status.since or past.status.observed_at) if same and past.status else observed_at,
            deep_at=observed_at if judged else status.deep_at if status else None,
            identity_at=_identity_at(result, judgement, status),
            login_proven=settled.login.proven,
            logins_failed=settled.login.failed,
        )

    async def _tell(self, fact: CameraObservedV1, result: ProbeResult, settled: Settled, past: _Past) -> None:
        self._announcer.observed(fact)
        if result.judged is not None:
            self._pictures.store(fact.camera_id, result.judged.remember, deep_at=fact.deep_at)
        changed = past.status is None or past.status.verdict is not fact.verdict
        if fact.verdict is not Verdict.UP or changed:
            await self._histories.record(fact)
        told = replace(result, judgement=settled.judgement)
        self._metrics.looked(str(fact.camera_id), told, interval_s=fact.interval_s)
        log.debug("camera_observed", camera_id=str(fact.camera_id), verdict=fact.verdict, cause=fact.cause)


def _identity_at(result: ProbeResult, judgement: Judgement, status: CameraObservedV1 | None) -> datetime | None:
    """When the device was last asked who it is; None: ask again in the next deep look.

    What only ONVIF tells would otherwise be a finding for one look a day.
    """
    if result.identity_at is None:
        return status.identity_at if status is not None else None
    answered = result.seen is not None and result.seen.device_answered
    return None if answered and TOLD_BY_ONVIF & set(judgement.findings) else result.identity_at
