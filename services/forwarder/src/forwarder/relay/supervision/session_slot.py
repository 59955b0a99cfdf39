"""The place of one delivery's session at its destination: at most one session is open or being opened."""

import asyncio
import weakref
from collections.abc import Callable
from typing import Protocol

from forwarder.domain.delivery import Failed
from forwarder.domain.progress import Opened
from forwarder.relay.destinations.base import Counts, Session, SessionProgress, Target, UnreachableError
from forwarder.relay.destinations.registry import publish
from forwarder.relay.sources.base import CameraSource
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.reachability import Endpoint
from vonggac.events.causes import Cause
from vonggac.events.inventory import PlannedDelivery
from vonggac.net.dial import hand_on
from vonggac.net.errors import PeerError, StatusError
from vonggac.net.http_auth import HungUpAtLoginError
from vonggac.telemetry import get_logger

log = get_logger(__name__)

_MEDIA_REFUSED = 415
"""RTSP status: not this kind of media."""

HUNG_UP_WITHIN_S = 2.0
"""A destination that ends a session within so long after its OK did not want it."""

type OnSessionEvent = Callable[[Opened | Failed], None]


class DeliverySlot(Protocol):
    """Where a delivery's session is, or its sessions are."""

    sessions: int
    unreachable: bool

    @property
    def is_open(self) -> bool: ...
    @property
    def is_opening(self) -> bool: ...
    @property
    def counts(self) -> Counts: ...

    def open_session(self, plan: PlannedDelivery, source: CameraSource) -> None: ...
    def read_session(self, now_s: float) -> SessionProgress | None: ...
    def close_session(self, *, orderly: bool) -> None: ...
    def wait_for(self, ending: asyncio.Task[None]) -> None: ...
    async def wait_closed(self) -> None: ...
    def offer_audio_again(self) -> None: ...


class SessionSlot:
    """Opens, reads and closes sessions. Decides nothing: what happens to them is reported as an event.

    A new session is opened only when those before it have ended: a centre may refuse a second publisher of a stream.
    """

    def __init__(self, context: RelayContext, on_event: OnSessionEvent) -> None:
        self.sessions = 0
        """Sessions opened since this worker took the camera."""
        self.unreachable = False
        """Whether the last attempt failed because no connection could be made."""
        self._context, self._on_event = context, on_event
        self._loop = asyncio.get_running_loop()
        self._session: Session | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._counts_before = Counts()
        self._opened_s = 0.0
        self._sent: Callable[[], CameraSource | None] = lambda: None
        """The stream that the last session sent: an earlier session may have sent what a next one repeats of it."""
        self._without_audio = False
        self._login_taken: tuple[str, str | None] | None = None
        """Address and sealed login of the last session that was opened."""

    @property
    def is_open(self) -> bool:
        return self._session is not None

    @property
    def is_opening(self) -> bool:
        return self._attempt is not None

    @property
    def counts(self) -> Counts:
        """Of all sessions since this worker took the camera."""
        return self._counts_before + self._session.counts if self._session else self._counts_before

    def open_session(self, plan: PlannedDelivery, source: CameraSource) -> None:
        """Make one attempt; `on_event` gets Opened or Failed, and Failed when an open session is lost later."""
        self._attempt = self._loop.create_task(self._publish(plan, source), name=f"publish-{plan.id}")

    def read_session(self, now_s: float) -> SessionProgress | None:
        """Of the open session; None without one."""
        return self._session.read_progress(now_s) if self._session is not None else None

    def close_session(self, *, orderly: bool) -> None:
        """End the session or the attempt; `orderly`: with a TEARDOWN, in the background."""
        if self._attempt is not None:
            self.wait_for(self._attempt)
            self._attempt.cancel()
            self._attempt = None
        session, self._session = self._session, None
        if session is None:
            return
        self._counts_before += session.counts
        if orderly:
            self.wait_for(self._loop.create_task(session.close(), name="teardown"))
        else:
            session.abort()

    def wait_for(self, ending: asyncio.Task[None]) -> None:
        """Open no session before `ending` is done."""
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def wait_closed(self) -> None:
        """Wait until every session has ended; bounded to about a second."""
        if self._endings:
            await asyncio.wait(self._endings)

    def offer_audio_again(self) -> None:
        """Another stream or another address may take the audio that was refused."""
        self._without_audio = False

    async def _publish(self, plan: PlannedDelivery, source: CameraSource) -> None:
        await self.wait_closed()
        try:
            opened = self._context.reachability.take_connection(Endpoint.of(plan.url, plan.tls))
            with hand_on(opened):
                session = await publish(self._target(plan), source, self._session_lost)
        except PeerError as error:
            if isinstance(error, StatusError) and error.status == _MEDIA_REFUSED and len(source.tracks) > 1:
                self._leave_audio_out(plan)
            self._attempt, self.unreachable = None, isinstance(error, UnreachableError)
            cause, detail = error.cause, error.message
            if isinstance(error, HungUpAtLoginError) and self._login_taken == (plan.url, plan.secret):
                cause, detail = Cause.HUNG_UP, f"{detail}, which it took before"
            self._on_event(Failed(cause, detail, login_sent=plan.secret is not None))
            return
        except Exception as error:  # a mistake of ours in one delivery must not end the others
            log.error("delivery_attempt_crashed", delivery_id=str(plan.id), exc_info=error)
            self._attempt, self.unreachable = None, False
            self._on_event(Failed(Cause.INTERNAL_ERROR, type(error).__name__))
            return
        self._attempt, self._session, self.unreachable = None, session, False
        self._opened_s = self._context.monotonic_s()
        self._login_taken = plan.url, plan.secret
        self.sessions += 1
        kept = source.fanout.gop_cache if source is not self._sent() else None
        self._sent = weakref.ref(source)
        self._on_event(Opened(kept.age_s if kept is not None else 0.0))

    def _target(self, plan: PlannedDelivery) -> Target:
        context = self._context
        return Target(
            url=plan.url,
            credentials=context.open_secret(plan.secret, plan.url),
            video_only=self._without_audio,
            deadline_s=context.connect_deadline_s,
            bounds=context.bounds,
            budget=context.budget,
            allowed=context.allowed,
            tls=plan.tls,
            enhanced_rtmp=plan.enhanced_rtmp,
        )

    def _leave_audio_out(self, plan: PlannedDelivery) -> None:
        """Offer the video alone until the camera's next stream; logged once for each."""
        if not self._without_audio:
            self._without_audio = True
            log.warning("delivery_without_audio", delivery_id=str(plan.id), destination=plan.destination_code)

    def _session_lost(self, error: PeerError | None) -> None:
        # None: our own close. A session that is not the present one was closed by us, too.
        if error is None or self._session is None:
            return
        lasted_s = self._context.monotonic_s() - self._opened_s
        if error.cause is Cause.ENDED and lasted_s < HUNG_UP_WITHIN_S:
            # What ends so is no session that was good: go2rtc does so to a stream that it does not know.
            detail = f"the destination took the stream and hung up {lasted_s:.1f} s later: does it know this stream?"
            self._on_event(Failed(Cause.HUNG_UP, detail))
            return
        self._on_event(Failed(error.cause, error.message))
