"""Verifying one camera: ask the forwarder to note every keyframe, read all its deliveries back meanwhile, compare."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from prober.domain.dispute import with_doubt
from prober.domain.hand_over import judge_before
from prober.domain.schedule import not_delivered
from prober.domain.verdict import lag_reason
from prober.domain.verification import (
    TAKEN_OVER,
    Earlier,
    Failure,
    Finding,
    Limits,
    Noted,
    Seen,
    decide,
    failing_since,
    not_checkable,
)
from prober.messaging import DeliveryStates
from prober.probes.loop_lag import MOST_S as MOST_LAG_S
from prober.probes.loop_lag import LoopLag
from prober.probes.verification.centre_session import CentreSession, Source
from prober.probes.verification.keyframe_notes import Holder, KeyframeNotes
from prober.probes.verification.readback import ReadBack
from vonggac.auth import Credentials, SecretUnreadableError
from vonggac.bus import Bus
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState, KeyframeNote
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.prober import VerificationVerdict
from vonggac.logins.attempt import Logins
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.origin import Origin
from vonggac.net.tls import policy_of
from vonggac.telemetry import get_logger

log = get_logger(__name__)

OPEN_SHARE = 0.7
"""Of the time for the first keyframe, for the way to PLAY."""
NOTES_AGAIN_S = 0.5
"""The picture may come before its note."""
LOGIN_AGAIN_S = 0.2
"""While others try the login."""
HASH_AGAIN_S = 20.0
"""A round that takes longer than the forwarder notes every keyframe at one request asks it again."""
ENDS = frozenset({Cause.ENDED, Cause.HUNG_UP, Cause.NOT_FOUND, Cause.NO_KEYFRAME, Cause.TIMEOUT, Cause.STALLED})
"""How a destination plays a stream whose publisher leaves, or has left: it ends it, has none, or is silent."""
ENDED_BY_US_WITHIN_S = 1.5
"""A forwarder that ends its session itself, for a hand-over or with the camera's stream, shows it by then."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The finding on one delivery, and when it was reached."""

    delivery: PlannedDelivery
    finding: Finding
    observed_at: datetime
    duration_s: float


class Verifier:
    """Reads deliveries back. One attempt each; a failure is a finding."""

    def __init__(
        self,
        *,
        bus: Bus,
        networks: AllowedNetworks,
        logins: Logins,
        limits: Limits,
        lag: LoopLag | None = None,
        is_disputed: Callable[[UUID], bool] = lambda _camera_id: False,
    ) -> None:
        """`is_disputed`: whether somebody says of a camera that repeats that it is live, and nobody has decided."""
        self.limits, self.lag, self.is_disputed = limits, lag or LoopLag(), is_disputed
        self._bus, self._networks, self._logins = bus, networks, logins
        self.notes = KeyframeNotes(bus)
        self._states = DeliveryStates(bus)

    def now(self) -> datetime:
        """Return the time that facts are dated by: the server's."""
        return self._bus.clock.now()

    @property
    def clock_steps(self) -> int:
        """How often that was set: over a step nobody knows how late a picture is, or how long it was waited for."""
        return self._bus.clock.steps

    def reached(self, delivery: PlannedDelivery, finding: Finding, began_at: datetime) -> Verification:
        """Date a finding that was reached now."""
        now = self.now()
        return Verification(delivery, finding, now, (now - began_at).total_seconds())

    async def load_states(self, deliveries: Sequence[PlannedDelivery]) -> dict[UUID, DeliveryState | None]:
        """How they stand, as their forwarders said last. Raises NatsError or TimeoutError."""
        return {delivery.id: await self._states.get(delivery.id) for delivery in deliveries}

    def not_running(
        self, deliveries: Sequence[PlannedDelivery], states: Mapping[UUID, DeliveryState | None]
    ) -> list[Verification]:
        """List the findings on those that the forwarder does not deliver now."""
        found = []
        for delivery in deliveries:
            finding = not_delivered(states[delivery.id])
            if finding is not None:
                found.append(self.reached(delivery, finding, self.now()))
        return found

    async def verify(
        self,
        camera_id: UUID,
        deliveries: Sequence[PlannedDelivery],
        *,
        earlier: Mapping[UUID, Earlier] | None = None,
        patient: bool = False,
        on_found: Callable[[Verification], None] = lambda _found: None,
    ) -> list[Verification]:
        """All at the same time, at most `limits.longest_s`. `earlier`: what was known of each delivery before.

        `patient`: wait for a camera that gives keyframes rarely. `on_found` gets each finding as soon as it is reached.
        Raises NatsError, TimeoutError or OSError when NATS is away.
        """
        asked_at, asker = self.now(), uuid4().hex
        holder = await self.notes.request(camera_id, asker, within_s=self.limits.longest_s)
        if isinstance(holder, Finding):
            found = [self.reached(delivery, holder, asked_at) for delivery in deliveries]
            for each in found:
                on_found(each)
            return found
        limits = self.limits if patient else self.limits.impatient
        request = _HashRequest(holder, asked_at, asker, on_found)
        try:
            return await _Round(self, camera_id, deliveries, request, earlier or {}, limits).run()
        finally:
            await self.notes.end(camera_id, asker)

    def read_back(self, on_change: asyncio.Event, *, keeps_picture: bool = False) -> ReadBack:
        return ReadBack(self._networks, on_change.set, self.now, keeps_picture=keeps_picture)

    @property
    def networks(self) -> AllowedNetworks:
        """Where sessions at centres may lead."""
        return self._networks

    async def open(self, session: CentreSession, delivery: PlannedDelivery) -> None:
        """Play the delivery, within the limits of its login. Whatever goes wrong is its `failure`."""
        try:
            async with asyncio.timeout(self.limits.first_within_s):
                await self._open(session, delivery)
        except TimeoutError:
            session.fail(Failure(None, "other read-backs are still trying this login"))
        except PeerError as error:
            session.fail(Failure(error.cause, error.message))
        except SecretUnreadableError as error:
            session.fail(Failure(error.cause, str(error)))
        except Exception as error:
            # A mistake of ours is a finding with a cause, not a dead worker.
            log.error("read_back_failed", delivery_id=str(delivery.id), exc_info=error)
            what = f"the prober made a mistake ({type(error).__name__}), see its log"
            session.fail(Failure(Cause.INTERNAL_ERROR, what))

    async def _open(self, session: CentreSession, delivery: PlannedDelivery) -> None:
        assert delivery.read_back_url is not None, "chosen by the caller"
        credentials = self._login_for(delivery.read_back_url, delivery)
        source = Source(delivery.read_back_url, credentials, policy_of(delivery.tls))
        login = self._logins.login_of(source.url, credentials)
        while True:
            async with self._logins.attempt(login) as attempt:
                if attempt.rest_s is not None:
                    session.fail(_resting(attempt.rest_s))
                    return
                if attempt.granted:
                    await session.open(source, deadline_s=OPEN_SHARE * self.limits.first_within_s)
                    attempt.conclude(session.login_accepted)
                    return
            await asyncio.sleep(LOGIN_AGAIN_S)

    def _login_for(self, url: str, delivery: PlannedDelivery) -> Credentials | None:
        """Unseal the login for reading back; the one for publishing only where that goes to the very same server.

        Raises SecretUnreadableError.
        """
        sealed = delivery.read_back_secret
        if sealed is None and _one_server(url, delivery.url):
            sealed = delivery.secret
        return self._logins.unsealer.unseal(sealed, url) if sealed is not None else None


def _one_server(one: str, other: str) -> bool:
    try:
        return Origin.of(one) == Origin.of(other)
    except MalformedError:
        return False


@dataclass(frozen=True, slots=True)
class _HashRequest:
    """Who notes every keyframe, since when, and for whom; what to do with each finding."""

    holder: Holder
    at: datetime
    asker: str
    on_found: Callable[[Verification], None]


class _Round:
    """One round of one camera."""

    def __init__(
        self,
        verifier: Verifier,
        camera_id: UUID,
        deliveries: Sequence[PlannedDelivery],
        asked: _HashRequest,
        earlier: Mapping[UUID, Earlier],
        limits: Limits,
    ) -> None:
        self._verifier, self._camera_id, self._asked = verifier, camera_id, asked
        self._holder_id, self._asked_at = asked.holder.worker_id, asked.at
        self._earlier, self._limits = earlier, limits
        self._asked_again_at = asked.at
        self._too_large = False
        self._ended_s: float | None = None
        self._ended_by_us: Finding | None = None
        self._began_anew = False
        self._began, self._steps = time.monotonic(), verifier.clock_steps
        self._changed = asyncio.Event()
        self._open = {delivery.id: (delivery, verifier.read_back(self._changed)) for delivery in deliveries}
        self._notes: dict[tuple[str, datetime], KeyframeNote] = {}
        self._before: dict[tuple[str, datetime], KeyframeNote] = {}
        """Those of the forwarder that held the camera at first."""
        self._same_holder = True
        self._done: list[Verification] = []
        self._closing: list[asyncio.Task[None]] = []

    async def run(self) -> list[Verification]:
        readbacks = [readback for _, readback in self._open.values()]
        opening = [asyncio.create_task(self._verifier.open(back, plan)) for plan, back in self._open.values()]
        try:
            while self._open:
                await self._next_change()
                waited_s = (self._verifier.now() - self._asked_at).total_seconds()
                came_back = any(readback.seen.keyframes for _, readback in self._open.values())
                if came_back or waited_s >= self._limits.first_within_s:
                    await self._read_notes()
                await self._ask_again()
                await self._ask_about_ends()
                self._decide()
        finally:
            for task in opening:
                task.cancel()
            await asyncio.gather(*opening, return_exceptions=True)
            await asyncio.gather(*self._closing, *(readback.close() for readback in readbacks), return_exceptions=True)
        return self._done

    async def _next_change(self) -> None:
        """Until something came back, or it is time to read the notes again."""
        try:
            async with asyncio.timeout(NOTES_AGAIN_S):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    async def _ask_again(self) -> None:
        """Of a camera that gives keyframes rarely every one is noted until the round is over."""
        now = self._verifier.now()
        due_s = HASH_AGAIN_S if self._notes else min(HASH_AGAIN_S, self._limits.first_within_s)
        if (now - self._asked_again_at).total_seconds() < due_s:
            return
        self._asked_again_at = now
        answer = await self._request_hashes()
        self._too_large = isinstance(answer, Finding) and answer.cause is Cause.KEYFRAME_TOO_LARGE
        if isinstance(answer, Holder) and answer.worker_id == self._holder_id:
            self._began_anew |= self._has_begun_anew(answer)

    async def _ask_about_ends(self) -> None:
        """Whether what a destination plays no more was ended by our own forwarder: that accuses nobody."""
        if self._ended_s is None or self._ended_by_us is not None:
            return
        answer = await self._request_hashes()
        if isinstance(answer, Finding):
            self._ended_by_us = answer
        elif answer.worker_id != self._holder_id:
            self._ended_by_us = not_checkable(TAKEN_OVER)
        elif self._has_begun_anew(answer):
            self._ended_by_us = not_checkable("the camera's stream began anew meanwhile, and with it the delivery's")

    async def _request_hashes(self) -> Holder | Finding:
        verifier, within_s = self._verifier, self._verifier.limits.longest_s
        return await verifier.notes.request(self._camera_id, self._asked.asker, within_s=within_s)

    def _has_begun_anew(self, holder: Holder) -> bool:
        return holder.media_since is not None and holder.media_since > self._asked_at

    async def _read_notes(self) -> None:
        """Read the forwarder's notes and keep those read before: it keeps few."""
        history = await self._verifier.notes.load_history(self._camera_id)
        if history is None:
            return
        # After a hand-over it is the former holder's until the camera's next keyframe comes.
        newest = max((note.captured_at for note in history.keyframes), default=self._asked_at)
        self._same_holder &= history.worker_id == self._holder_id or newest < self._asked_at
        self._notes |= (notes := {(note.hash, note.captured_at): note for note in history.keyframes})
        if self._same_holder:
            self._before |= notes

    def _decide(self) -> None:
        now = self._verifier.now()
        noted = Noted(list(self._notes.values()), self._same_holder, self._too_large)
        for delivery, readback in list(self._open.values()):
            finding = self._finding(delivery.id, readback.seen, noted, now)
            if finding is not None and _may_be_ended_by_us(finding):
                self._ended_s = self._ended_s or time.monotonic()
                finding = self._ended_by_us or (finding if self._ends_are_certain() else None)
            if finding is not None:
                del self._open[delivery.id]
                finding, began_at = self._judge_before(finding, readback.seen)
                self._done.append(found := self._verifier.reached(delivery, finding, began_at))
                self._asked.on_found(found)
                self._closing.append(asyncio.create_task(readback.close()))

    def _ends_are_certain(self) -> bool:
        return self._ended_s is not None and time.monotonic() - self._ended_s >= ENDED_BY_US_WITHIN_S

    def _finding(self, delivery_id: UUID, seen: Seen, noted: Noted, now: datetime) -> Finding | None:
        if self._verifier.clock_steps != self._steps:
            return not_checkable("the clock of NATS was set meanwhile")
        earlier = self._earlier.get(delivery_id) or Earlier()
        finding = decide(seen, noted, asked_at=self._asked_at, now=now, limits=self._limits, earlier=earlier)
        if finding is None:
            return None
        if finding.still_since is not None and self._verifier.is_disputed(self._camera_id):
            finding = replace(finding, detail=with_doubt(finding.detail))
        return self._excuse_lag(finding)

    def _judge_before(self, finding: Finding, seen: Seen) -> tuple[Finding, datetime]:
        """Judge what lay before another forwarder took the camera, else keep the finding; and since when that is so."""
        if finding == not_checkable(TAKEN_OVER) and not self._began_anew:
            before = list(self._before.values())
            finding, began_at = judge_before(seen, before, asked_at=self._asked_at, limits=self._limits)
            return self._excuse_lag(finding), began_at
        return finding, failing_since(finding, seen, asked_at=self._asked_at)

    def _excuse_lag(self, finding: Finding) -> Finding:
        return excuse_lag(finding, self._verifier.lag.longest_s(self._began))


def excuse_lag(finding: Finding, lag_s: float) -> Finding:
    """Excuse a finding where our own loop stood still: what did not come then may have come and waited. A match without
    a pause stands."""
    proven = finding.verdict is VerificationVerdict.VERIFIED and finding.paused_since is None
    return finding if proven or lag_s <= MOST_LAG_S else not_checkable(lag_reason(lag_s), Cause.WORKER_LAGGED)


def _may_be_ended_by_us(finding: Finding) -> bool:
    return finding.stands_still or (finding.verdict is VerificationVerdict.UNREACHABLE and finding.cause in ENDS)


def _resting(rest_s: float) -> Failure:
    detail = f"not tried: this login failed twice at this destination, the next try is in {rest_s:.0f} s"
    return Failure(Cause.AUTH_FAILED, detail, rest_s)
