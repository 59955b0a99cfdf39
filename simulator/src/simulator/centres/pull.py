"""One stream that a centre pulls: it plays the address, keeps what comes, and comes back after each break."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

from simulator.centres.publication import Publication
from simulator.centres.stream import Stream
from simulator.config import PullingConfig
from simulator.devices.faults import CentreFaultName
from simulator.rtsp.connection import Throttle
from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.net.tls import TlsPolicy
from vonggac.net.url import Credentials, RtspUrl
from vonggac.rtsp import MediaBatch, Player, PlayOptions, Route, open_player
from vonggac.rtsp.wire.announcement import announce_sdp
from vonggac.telemetry import get_logger

log = get_logger(__name__)

type PullState = Literal["waiting", "connecting", "playing"]

OPENED_WITHIN_S = 10.0
_TRACKS = ("video", "audio")


class PullingCentre(Protocol):
    """The centre that pulls: its name, its streams and its fault."""

    id: str

    def has_fault(self, *names: CentreFaultName) -> bool: ...

    def make_stream(self, path: str) -> Stream | None: ...


class LoginGate:
    """Until a login was accepted one attempt at a time goes out, and after a wrong one none for `rest_s`.

    All streams of a centre have one login: each of them trying a wrong one would lock the centre out.
    """

    def __init__(self, rest_s: float) -> None:
        self._rest_s = rest_s
        self._accepted = False
        self._rests_until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def open_session(self, attempt: Callable[[], Awaitable[Player]]) -> Player:
        """Open a session, one at a time until a login was accepted. Raises PeerError."""
        if not self._accepted:
            async with self._one_at_a_time:
                if not self._accepted:
                    await asyncio.sleep(max(0.0, self._rests_until - asyncio.get_running_loop().time()))
                    return await self._judge(attempt)
        return await self._judge(attempt)

    async def _judge(self, attempt: Callable[[], Awaitable[Player]]) -> Player:
        try:
            player = await attempt()
        except PeerError as error:
            if error.cause is Cause.AUTH_FAILED:
                self._accepted = False
                self._rests_until = asyncio.get_running_loop().time() + self._rest_s
            elif error.logged_in:
                self._accepted = True
            raise
        self._accepted = True
        return player


class Reading:
    """How a centre reads what one session brings: at once, slowly, or not at all, as its fault demands."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[MediaBatch] | None = None
        self._room_bytes = 0
        self._throttle: Throttle | None = None

    @property
    def deaf(self) -> bool:
        return self._held is not None

    def pass_batch(self, batch: MediaBatch) -> bool:
        """Whether the centre sees this batch now; one that is held back waits for `resume`."""
        if self._held is not None:
            self._held.append(batch)
            self._room_bytes -= len(batch.data)
            if self._room_bytes <= 0:
                self._pause()
            return False
        if self._throttle is not None:
            self._throttle.spend(len(batch.data))
        return True

    def hold_back(self, most_bytes: int) -> None:
        """Let the centre see nothing more; read up to `most_bytes`, then nothing."""
        if self._held is not None:
            return
        self._held, self._room_bytes = [], most_bytes
        if most_bytes <= 0:
            self._pause()

    def throttle(self, bytes_per_s: int) -> None:
        """Read only so many bytes a second."""
        self._throttle = Throttle(self._transport, bytes_per_s)

    def resume(self) -> list[MediaBatch]:
        """Read as it comes again. Returns what waited."""
        held, self._held = self._held or [], None
        if self._throttle is not None:
            self._throttle.cancel()
            self._throttle = None
        if not self._transport.is_closing():
            self._transport.resume_reading()
        return held

    def _pause(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()


class Pull:
    """`start`, then `stop`. `state`, `cause` of the last end, and `attempts` are what the API shows."""

    def __init__(
        self,
        centre: PullingCentre,
        path: str,
        url: RtspUrl,
        config: PullingConfig,
        may_pull: asyncio.Event,
        gate: LoginGate,
    ) -> None:
        """`path`: of the centre's own stream. `may_pull` is set while the centre connects to anybody."""
        self._gate = gate
        self.path, self.url = path, url
        self.state: PullState = "waiting"
        self.cause: Cause | None = None
        self.attempts = 0
        self._centre, self._config, self._may_pull = centre, config, may_pull
        self._task: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[bool] | None = None
        self._reading: Reading | None = None
        self._publication: Publication | None = None
        self._early: list[MediaBatch] = []
        self._stream: Stream | None = None
        self._batches = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"pull-{self.path}")

    async def stop(self) -> None:
        """End the session in order, and come back no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def end(self, *, cut: bool) -> None:
        """End the session, by TEARDOWN or cut off; it comes back."""
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(cut)

    def read_as(self, *, bytes_per_s: int | None = None, held_bytes: int | None = None) -> None:
        """Read as it comes, or slowly, or not at all once `held_bytes` wait unseen."""
        reading = self._reading
        if reading is None:
            return
        for batch in reading.resume():
            self._keep_batch(batch)
        if held_bytes is not None:
            reading.hold_back(held_bytes)
        elif bytes_per_s is not None:
            reading.throttle(bytes_per_s)

    async def _run(self) -> None:
        failures = 0
        await asyncio.sleep(self._config.first_after_s)
        while True:
            await self._may_pull.wait()
            failures = 0 if await self._play() else failures + 1
            self.state = "waiting"
            await asyncio.sleep(self._config.pause_s(failures, locked_out=self.cause is Cause.AUTH_FAILED))

    async def _play(self) -> bool:
        """Play until the session ends. Returns whether any media came."""
        self._batches = 0
        stream = self._centre.make_stream(self.path)
        if stream is None or stream.live:
            return False
        self._ended = asyncio.get_running_loop().create_future()
        try:
            player = await self._gate.open_session(self._open)
        except PeerError as error:
            self.cause = error.cause
            log.info("centre_pull_failed", centre=self._centre.id, path=self.path, cause=error.cause)
            return False
        cut = True
        try:
            self._begin(stream, player)
            cut = await self._until_ended()
        except asyncio.CancelledError:
            cut = False
            raise
        finally:
            self._finish(stream)
            if cut:
                player.abort()
            else:
                await player.close()
        return self._batches > 0

    async def _open(self) -> Player:
        password = self._config.password.get_secret_value()
        self.state, self.attempts = "connecting", self.attempts + 1
        login = Credentials(self._config.username, password) if self._config.username else None
        self._early = []
        return await open_player(
            # It pulls from this platform alone, whose certificate is for nobody's trust but its own.
            Route(self.url, login, tls=TlsPolicy(unverified=True)),
            deadline_s=OPENED_WITHIN_S,
            on_media=self._receive_batch,
            on_lost=self._note_loss,
            options=PlayOptions(_TRACKS, self._config.transport),
        )

    def _begin(self, stream: Stream, player: Player) -> None:
        announced = announce_sdp(player.sdp, [track.index for track in player.tracks], origin_id=secrets.randbits(62))
        media = {track.rtp_channel: announced.media[number] for number, track in enumerate(player.tracks)}
        channels = {number: (track.rtp_channel, track.rtcp_channel) for number, track in enumerate(player.tracks)}
        self._reading = Reading(player.connection.transport)
        self._publication, self._stream = Publication.of(media), stream
        stream.begin_publication(self._publication, announced.encode(), channels)
        self.state, self.cause = "playing", None
        early, self._early = self._early, []
        for batch in early:
            self._receive_batch(batch)

    async def _until_ended(self) -> bool:
        """Return whether the connection is to be cut: True where it is gone already."""
        assert self._ended is not None
        while True:
            before = self._batches
            done, _ = await asyncio.wait({self._ended}, timeout=self._config.silence_s)
            if done:
                return self._ended.result()
            if self._batches == before and not (self._reading is not None and self._reading.deaf):
                self.cause = Cause.NO_MEDIA
                return False

    def _finish(self, stream: Stream) -> None:
        if self._publication is not None:
            stream.end_publication(self._publication)
        self._publication = self._reading = self._stream = None

    def _note_loss(self, error: PeerError | None) -> None:
        self.cause = error.cause if error is not None else Cause.ENDED
        self.end(cut=True)

    def _receive_batch(self, batch: MediaBatch) -> None:
        if self._reading is None:
            self._early.append(batch)
        elif self._reading.pass_batch(batch):
            self._keep_batch(batch)

    def _keep_batch(self, batch: MediaBatch) -> None:
        self._batches += 1
        if self._stream is None or self._publication is None or self._centre.has_fault(CentreFaultName.DISCARD):
            return
        self._stream.receive_batch(self._publication, batch)
