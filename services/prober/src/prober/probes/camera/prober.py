"""One probe of a camera: within its limits, by the forwarder's keyframe or an own session, with every check made.

Whatever happens comes back as a value.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from prober.domain.dispute import rule
from prober.domain.findings import Checks, StreamThresholds, check_stream
from prober.domain.kinds import PICTURE_CHECKS, STREAM_CHECKS, GoodPictures
from prober.domain.limits.logins import suspected
from prober.domain.picture import PictureHistory
from prober.domain.picture.repetition import RecentKeyframes
from prober.domain.result import Judgement, ProbeResult
from prober.domain.verdict import conclude, down, lag_reason, lagged, nothing_checked, unknown
from prober.probes.camera.forwarder_probe import (
    NoKeyframe,
    judge_keyframe,
    request_keyframe,
)
from prober.probes.camera.identity import LEAST_S, MOST_S, IdentityPlan, ask_device
from prober.probes.camera.judgement import (
    judge_pulled,
    judge_unopened,
    may_stand_still,
    moves_on,
    report_judgement,
    shows_another,
    watch_standstill,
)
from prober.probes.camera.picture_store import PictureStore, picture_checks
from prober.probes.camera.repetition import CAME_AGAIN, add_repeats, add_still, comes_again, compare_keyframe
from prober.probes.camera.rtsp_probe import probe_rtsp
from prober.probes.camera.target import Probe, Target, Tools
from prober.probes.disputes import Disputes
from prober.probes.limits import NetworkGate
from prober.probes.loop_lag import MOST_S as MOST_LAG_S
from prober.probes.onvif.logins import OnvifLogins
from prober.probes.onvif.targets import Endpoint
from vonggac.auth import Credentials, SecretUnreadableError
from vonggac.bus import Bus
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1, ExpectedDevice
from vonggac.events.prober import ProbeKind, Verdict
from vonggac.logins.attempt import Logins, device_address, device_origins
from vonggac.net.errors import PeerError
from vonggac.net.origin import Origin
from vonggac.net.tls import policy_of
from vonggac.telemetry import get_logger, redact

log = get_logger(__name__)

PROBES: Mapping[str, Probe] = MappingProxyType({"rtsp": probe_rtsp, "rtsps": probe_rtsp})
"""The probe of each URL scheme."""
GRACE_S = 3.0
"""After its deadline a probe may still decode what came and say good-bye to the camera; then it is abandoned."""
AGAIN_SOON_S = 0.5


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """How to probe this time. `deep_at`: when the camera's picture was last judged, by whichever prober.

    `answer_within_s`: without any answer by then the camera is given up, where that is less than its whole time.
    """

    kind: ProbeKind = ProbeKind.DEEP
    ask_device: bool = False
    deep_at: datetime | None = None
    answer_within_s: float | None = None


@dataclass(frozen=True, slots=True)
class NotNow:
    """The camera's network is busy, or its login is being tried: come back later."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class ProbeContext:
    """What a CameraProber works with."""

    tools: Tools
    logins: Logins
    gate: NetworkGate
    pictures: PictureStore
    disputes: Disputes
    thresholds: StreamThresholds
    bus: Bus


class CameraProber:
    """Probes cameras of the inventory, and addresses that a person names."""

    def __init__(self, context: ProbeContext, probes: Mapping[str, Probe] = PROBES) -> None:
        self._context, self._probes = context, probes
        self._keyframes, self._good = RecentKeyframes(), GoodPictures()

    async def probe(self, camera: CameraV1, plan: ProbePlan) -> ProbeResult | NotNow:
        """One attempt, at most `probe_timeout_s` (and the probe's bounded good-bye) long."""
        started = time.monotonic()
        try:
            return await self._probe_camera(camera, plan)
        except Exception as error:
            # A mistake of ours is a verdict with a cause, not a dead worker.
            log.error("probe_failed", camera_id=str(camera.id), exc_info=error)
            return ProbeResult(_our_mistake(error), time.monotonic() - started)

    async def probe_address(self, target: Target) -> ProbeResult | NotNow:
        """One deep probe of an address that is no camera of the inventory: nothing is kept of it but the login."""
        started = time.monotonic()
        bound = asyncio.timeout(target.deadline_s + GRACE_S)
        try:
            async with bound:
                result = await self._within_limits(target, facility_id=None, who=target.url, began=started)
            if isinstance(result, NotNow):
                return result
            taken = result.login_needed or result.login_taken
            result = replace(result, judgement=suspected(result.judgement, taken=taken))
            return self._checked(result, None, self._context.pictures.nothing_known(), began=started)
        except Exception as error:
            if bound.expired():
                log.error("probe_abandoned", timeout_s=target.deadline_s)
                return ProbeResult(self.abandoned(started), time.monotonic() - started)
            log.error("probe_failed", exc_info=error)
            return ProbeResult(_our_mistake(error), time.monotonic() - started)

    async def _probe_camera(self, camera: CameraV1, plan: ProbePlan) -> ProbeResult | NotNow:
        began = time.monotonic()
        try:
            credentials = self._open(camera.secret, camera.url, *device_origins(camera.expected))
        except SecretUnreadableError as error:
            return _not_tried(unknown(error.cause, str(error)))
        pictures = self._context.pictures
        history = None
        if plan.kind is not ProbeKind.LIGHT:
            history = await pictures.read_history(camera.id, deep_at=plan.deep_at)
        result: ProbeResult | NotNow | NoKeyframe = NoKeyframe(pulled=False)
        if camera.forwarded:
            result = await self._by_forwarder(camera, plan, history, with_login=credentials is not None)
        if isinstance(result, NoKeyframe):
            scheme = _scheme_of(camera.url)
            if scheme not in self._probes:
                return _not_tried(judge_unopened(result, scheme=scheme, opened=self._probes))
            left_s = camera.probe_timeout_s - (time.monotonic() - began)
            try:
                tls = policy_of(camera.tls)
            except PeerError as error:
                return _not_tried(down(error.cause, error.message))
            target = Target(
                camera.url,
                credentials,
                left_s,
                plan.kind,
                camera.transport.value,
                tls,
                history,
                known_good=self._good.get(camera.id),
            )
            result = await self._within_limits(
                target,
                facility_id=camera.facility_id,
                who=str(camera.id),
                began=began,
                answer_within_s=plan.answer_within_s,
            )
        if isinstance(result, NotNow):
            return result
        if plan.ask_device and result.judgement.verdict is Verdict.UP and camera.expected is not None:
            left_s = min(MOST_S, camera.probe_timeout_s - (time.monotonic() - began))
            result = await self._with_identity(result, camera, camera.expected, left_s)
        result = compare_keyframe(self._keyframes, camera.id, result)
        result = await self._context.disputes.add_dispute(camera.id, result)
        if history is None and result.picture is not None:
            # A light probe that met another picture.
            history = await pictures.read_history(camera.id, deep_at=plan.deep_at)
        result = self._checked(result, camera.expected, history, began=began)
        if result.weight is not None and result.judged is not None and result.judgement.verdict is Verdict.UP:
            self._good.add(camera.id, result.weight)
        await report_judgement(self._context.bus, camera, result)
        return result

    async def _by_forwarder(
        self, camera: CameraV1, plan: ProbePlan, history: PictureHistory | None, *, with_login: bool
    ) -> ProbeResult | NoKeyframe:
        """Probe by the keyframe of the forwarder that pulls the camera; NoKeyframe when none pulls it.

        `with_login`: the forwarder's session stands on the camera's login, so that one works.
        """
        began = time.monotonic()
        keyframe = await request_keyframe(self._context.bus, camera.id, timeout_s=camera.probe_timeout_s)
        if isinstance(keyframe, NoKeyframe):
            if not keyframe.pulled:
                return keyframe
            # Never a second session beside the forwarder's: many cameras stall or end the first one for it.
            return judge_pulled(keyframe, light=plan.kind is ProbeKind.LIGHT, began=began)
        if plan.kind is ProbeKind.LIGHT and keyframe.judge:
            # A light probe says that nothing changed since the last judged one.
            plan = replace(plan, kind=ProbeKind.DEEP)
            history = await self._context.pictures.read_history(camera.id, deep_at=plan.deep_at)
        decoder = self._context.tools.decoder if plan.kind is not ProbeKind.LIGHT else None
        result = await judge_keyframe(
            keyframe, decoder, began=began, deadline_s=camera.probe_timeout_s, history=history
        )
        judged = result.judged
        if decoder is not None and judged is not None and Cause.FROZEN in judged.findings:
            # Coded alike, it is for the forwarder to say whether it stands still (`comes_again`).
            coded_anew = result.picture is not None and result.picture.keyframe_hash != judged.remember.keyframe_hash
            if coded_anew and await moves_on(result, self._context.bus, camera, decoder, began=began):
                result = replace(result, judged=judged.without(Cause.FROZEN, CAME_AGAIN))
        if decoder is not None and may_stand_still(result, keyframe):
            result = await watch_standstill(result, self._context.bus, camera, decoder, first=keyframe, began=began)
        elif shows_another(result, keyframe):
            result = replace(result, moves=True)
        return replace(result, login_accepted=True, login_needed=True) if with_login else result

    async def _within_limits(
        self, target: Target, *, facility_id: UUID | None, who: str, began: float, answer_within_s: float | None = None
    ) -> ProbeResult | NotNow:
        """Probe in an own session, unless the network or login must be left alone now; `who`: names the probe.

        `began`: monotonic; the result lasts from then on, so that it is dated to the picture and not before.
        """
        scheme = _scheme_of(target.url)
        probe = self._probes.get(scheme)
        if probe is None:
            return _not_tried(judge_unopened(NoKeyframe(pulled=False), scheme=scheme, opened=self._probes))
        try:
            address = device_address(target.url)
        except PeerError as error:
            return _not_tried(down(error.cause, error.message))
        gate, logins = self._context.gate, self._context.logins
        network = gate.network_of(address.host, facility_id)
        if gate.must_wait(network, who):
            return NotNow(AGAIN_SOON_S)
        login = logins.login_of(target.url, target.credentials)
        async with logins.attempt(login, camera=target.url) as attempt:
            if attempt.rest_s is not None:
                resting = down(Cause.AUTH_FAILED, attempt.why_not_tried)
                waited_s = time.monotonic() - began
                return ProbeResult(resting, waited_s, login_taken=attempt.taken_before, rest_s=attempt.rest_s)
            if not attempt.granted:
                return NotNow(AGAIN_SOON_S)
            if gate.is_full(network):
                # Others were let in while the login was waited for. A place held meanwhile would be one for nothing.
                gate.must_wait(network, who)
                return NotNow(AGAIN_SOON_S)
            waited_s = time.monotonic() - began
            with gate.within(network):
                session = _Session(probe, target, self._context.tools, attempt.accept)
                result = _without_secrets(await session.run(answer_within_s), target.credentials)
            taken_before = attempt.taken_before
            attempt.conclude(result.login_accepted, needed=result.login_needed)
        return replace(result, duration_s=waited_s + result.duration_s, login_taken=taken_before)

    async def _with_identity(
        self, result: ProbeResult, camera: CameraV1, expected: ExpectedDevice, left_s: float
    ) -> ProbeResult:
        if expected.onvif_address is None or result.seen is None or left_s < LEAST_S:
            return result
        try:
            credentials = self._open(camera.secret, *(device_origins(expected) or (expected.onvif_address,)))
        except SecretUnreadableError as error:
            # Without a login the device is asked for what it answers to anybody.
            log.debug("device_login_not_sent", cause=error.cause)
            credentials = None
        plan = IdentityPlan(
            expected.onvif_address,
            facts_wanted=expected.serial is not None or expected.mac is not None,
            logins=OnvifLogins(self._context.logins, self._context.bus.clock),
            credentials=credentials,
            allowed_networks=self._context.tools.allowed_networks,
        )
        try:
            host = Endpoint.parse(expected.onvif_address).host
        except ValueError:
            # Said by `ask_device`, which connects nowhere then.
            host = ""
        gate = self._context.gate
        network = gate.network_of(host, camera.facility_id)
        if gate.must_wait(network, f"{camera.id}/onvif"):
            # Another time: its stream is what the probe is for.
            return result
        with gate.within(network):
            seen = await ask_device(plan, result.seen, deadline_s=left_s)
        return replace(result, seen=seen, media=seen.media, identity_at=self._context.bus.clock.now())

    def abandoned(self, began: float) -> Judgement:
        """Of a probe that outlived its deadline, whatever hung in it; `began`: monotonic seconds."""
        judgement = down(Cause.TIMEOUT, f"the probe was not over {GRACE_S:g} s after its deadline and was abandoned")
        lag_s = self._context.tools.lag.longest_s(began)
        return lagged(judgement, lag_s) if lag_s > MOST_LAG_S else judgement

    def _checked(
        self, result: ProbeResult, expected: ExpectedDevice | None, history: PictureHistory | None, *, began: float
    ) -> ProbeResult:
        """Conclude with every check, made or not; `history`: to judge the picture by, None when unknown."""
        lag_s = self._context.tools.lag.longest_s(began)
        if lag_s <= MOST_LAG_S:
            return self._with_checks(result, expected, history)
        log.warning("prober_lagged", lag_s=round(lag_s, 3))
        result = self._with_checks(_untimed(result, lag_s), expected, history)
        return replace(result, judgement=lagged(result.judgement, lag_s))

    def _with_checks(
        self, result: ProbeResult, expected: ExpectedDevice | None, history: PictureHistory | None
    ) -> ProbeResult:
        checks, judged = Checks(), None
        why_none = result.no_picture or "there is no picture"
        if result.kind is ProbeKind.LIGHT:
            checks = nothing_checked((*PICTURE_CHECKS, *STREAM_CHECKS), result.no_picture or "light probe")
        elif result.judgement.verdict is not Verdict.UP or result.seen is None:
            checks = nothing_checked((*PICTURE_CHECKS, *STREAM_CHECKS), why_none)
        elif result.picture is None:
            checks.add(nothing_checked(PICTURE_CHECKS, why_none))
            checks.add(check_stream(result.seen, expected, self._context.thresholds))
        else:
            checks.add(check_stream(result.seen, expected, self._context.thresholds))
            judged = result.judged or (history.judge(result.picture) if history is not None else None)
            if judged is not None and comes_again(result, judged):
                judged = judged.without(Cause.FROZEN, CAME_AGAIN)
            checks.add(picture_checks(judged))
        still_since = None
        if result.repeats is not None and result.judgement.verdict is Verdict.UP:
            still_since = add_repeats(checks, result.repeats, result.dispute)
        elif result.still is not None and result.judgement.verdict is Verdict.UP:
            still_since = add_still(checks, result.still, least_s=self._context.pictures.frozen_min_age_s)
        judgement = rule(conclude(result.judgement, checks), result.dispute)
        return replace(result, judgement=judgement, judged=judged, still_since=still_since)

    def _open(self, secret: str | None, url: str, *others: Origin) -> Credentials | None:
        """Unseal a login, None without one. Raises SecretUnreadableError."""
        return self._context.logins.unsealer.unseal(secret, url, *others) if secret is not None else None


class _Session:
    """One session, ended early where the camera does not answer at all."""

    def __init__(self, probe: Probe, target: Target, tools: Tools, on_login: Callable[[], None]) -> None:
        self._on_login = on_login
        self._answered = asyncio.Event()
        self._made = probe(replace(target, logged_in=self._on_answer), tools)

    async def run(self, answer_within_s: float | None) -> ProbeResult:
        """As the probe, with None; else down without an answer within that."""
        if answer_within_s is None:
            return await self._made
        began = time.monotonic()
        probing = asyncio.ensure_future(self._made)
        answering = asyncio.create_task(self._answered.wait())
        try:
            await asyncio.wait({probing, answering}, timeout=answer_within_s, return_when=asyncio.FIRST_COMPLETED)
            if probing.done() or self._answered.is_set():
                return await probing
            detail = f"no answer within {answer_within_s:g} s, as of those of its site that were probed before it"
            return ProbeResult(down(Cause.TIMEOUT, detail), time.monotonic() - began)
        finally:
            for task in (probing, answering):
                task.cancel()
            await asyncio.gather(probing, answering, return_exceptions=True)

    def _on_answer(self) -> None:
        self._answered.set()
        self._on_login()


def _untimed(result: ProbeResult, lag_s: float) -> ProbeResult:
    """Without what was measured by the time at which it was read."""
    if result.seen is None:
        return result
    media = result.seen.media.model_copy(update={"jitter_ms": None, "clock_drift_s": None})
    why = lag_reason(lag_s)
    return replace(result, media=media, seen=replace(result.seen, media=media, jitter_unknown=why, clock_unknown=why))


def _without_secrets(result: ProbeResult, credentials: Credentials | None) -> ProbeResult:
    """Redact the detail: it may hold a device's own words, and some repeat in them what they were sent."""
    detail = result.judgement.detail
    if credentials is None or detail is None:
        return result
    return replace(result, judgement=replace(result.judgement, detail=redact(detail, credentials.words)))


def _scheme_of(url: str) -> str:
    return url.partition("://")[0].lower()


def _not_tried(judgement: Judgement) -> ProbeResult:
    return ProbeResult(judgement, 0.0)


def _our_mistake(error: Exception) -> Judgement:
    return unknown(Cause.INTERNAL_ERROR, f"the prober made a mistake ({type(error).__name__}), see its log")
