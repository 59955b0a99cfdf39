"""A session after SETUP: the common part of Player and Publisher, its keep-alive and its end."""

import asyncio
from contextlib import suppress
from typing import NamedTuple, TypedDict, Unpack

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.rtsp.client.connection import OnLost, RtspConnection
from vonggac.rtsp.wire.sdp import SessionDescription
from vonggac.rtsp.wire.tracks import Track

DEFAULT_TIMEOUT_S = 60.0
PART_WITHIN_S = 0.75
"""For the answer to TEARDOWN: whatever the peer sends or does not, its connection is gone within a second."""

_MAX_KEEPALIVE_INTERVAL_S = 30.0
_MIN_KEEPALIVE_INTERVAL_S = 0.25
_MAX_KEEPALIVE_WAIT_S = 10.0
_SILENCE_S = 1.0


class Step(NamedTuple):
    """One step of a handshake: dns, connect, tls, options, describe, announce, setup, play or record."""

    name: str
    ms: float


class SessionOutcome(TypedDict):
    """The findings of a handshake, beside description and tracks."""

    url: str
    session_id: str | None
    timeout_s: float
    public: frozenset[str] | None
    steps: list[Step]


class RtspSession:
    """Base of Player and Publisher. The opener must `close` or `abort` it."""

    def __init__(
        self,
        connection: RtspConnection,
        *,
        sdp: SessionDescription,
        tracks: tuple[Track, ...],
        **outcome: Unpack[SessionOutcome],
    ) -> None:
        self.connection = connection
        self.url = outcome["url"]
        """The aggregate control URL, without credentials."""
        self.sdp = sdp
        self.tracks = tracks
        self.session_id = outcome["session_id"]
        self.timeout_s = outcome["timeout_s"]
        """The peer's session timeout, or 60 s."""
        self.steps = outcome["steps"]
        public = outcome["public"]
        self._keepalive_method = "GET_PARAMETER"
        if public is not None and "GET_PARAMETER" not in public:
            self._keepalive_method = "OPTIONS"
        self._keepalive: asyncio.Task[None] | None = None
        self._on_lost: OnLost | None = None

    @property
    def keepalive_interval_s(self) -> float:
        return max(_MIN_KEEPALIVE_INTERVAL_S, min(self.timeout_s / 2, _MAX_KEEPALIVE_INTERVAL_S))

    def start(self, on_lost: OnLost | None) -> None:
        """Start the keep-alive; from now on `on_lost` gets a loss.

        Raises PeerError when the connection was lost between the last answer and now.
        """
        if self.connection.closed:
            raise self.connection.error or PeerError(Cause.ENDED, "the connection was closed")
        self._on_lost = on_lost
        self.connection.on_lost = self._lost
        self._keepalive = asyncio.create_task(self._keep_alive(), name="rtsp-keepalive")

    async def close(self, timeout_s: float = PART_WITHIN_S) -> None:
        """Send TEARDOWN, wait for its answer (at most `timeout_s`) and close. May be called more than once."""
        self._release()
        await self._stop_keepalive()
        try:
            if not self.connection.closed:
                # A peer that refuses an orderly end changes nothing for us.
                with suppress(PeerError):
                    await self.connection.request(
                        "TEARDOWN", self.url, session_header(self.session_id), timeout_s=timeout_s
                    )
        finally:
            self.connection.abort()
        await self.connection.wait_closed()

    def abort(self) -> None:
        """End at once, without TEARDOWN."""
        self._release()
        self._cancel_keepalive()
        self.connection.abort()

    async def answers(self, *, timeout_s: float) -> bool:
        """Whether the peer answers a question in time, in whatever words: then it has read all that was sent before."""
        try:
            await self.connection.request("OPTIONS", self.url, session_header(self.session_id), timeout_s=timeout_s)
        except PeerError:
            return False
        return True

    def _release(self) -> None:
        """Release the session's parts beside its connection; may be called more than once."""

    def _lost(self, error: PeerError | None) -> None:
        self._release()
        self._cancel_keepalive()
        if self._on_lost is not None:
            self._on_lost(error)

    def _cancel_keepalive(self) -> asyncio.Task[None] | None:
        """Return the cancelled task, which ends soon; None when there is none, or when it is the caller."""
        # Dropped at once: a cancelled task keeps its frames, which refer to this session.
        task, self._keepalive = self._keepalive, None
        if task is None or task is asyncio.current_task():
            return None
        task.cancel()
        return task

    async def _stop_keepalive(self) -> None:
        task = self._cancel_keepalive()
        if task is not None:
            await asyncio.wait([task])

    async def _keep_alive(self) -> None:
        interval_s = self.keepalive_interval_s
        clock = asyncio.get_running_loop().time
        due = clock()
        while not self.connection.closed:
            # A missing answer must not delay the next request.
            due = max(due + interval_s, clock())
            await asyncio.sleep(due - clock())
            try:
                response = await self.connection.request(
                    self._keepalive_method,
                    self.url,
                    session_header(self.session_id),
                    timeout_s=min(interval_s, _MAX_KEEPALIVE_WAIT_S),
                )
            except PeerError as error:
                if error.cause is not Cause.TIMEOUT:
                    # Lost (`on_lost` was called), or the login is no longer accepted: send nothing more.
                    return
                # Many cameras stream without ever answering: the owner judges whether media flows.
                self._keepalive_method = "OPTIONS"
                continue
            if response.status == 454 and not await self._media_flows():
                self.connection.fail(PeerError(Cause.ENDED, "the peer no longer knows the session"))
            elif not response.ok:
                self._keepalive_method = "OPTIONS"

    async def _media_flows(self) -> bool:
        """Measure if media flows: some cameras answer each GET_PARAMETER by 454 and play on; an ended one is silent."""
        await asyncio.sleep(_SILENCE_S)
        before = self.connection.bytes_received
        await asyncio.sleep(_SILENCE_S)
        return not self.connection.closed and self.connection.bytes_received > before


def session_header(session_id: str | None) -> list[tuple[str, str]]:
    """None before the first SETUP was answered."""
    return [("Session", session_id)] if session_id is not None else []
