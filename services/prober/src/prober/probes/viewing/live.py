"""Live pictures of what centres give back: one session at a centre however many view it, closed with the last one.

The camera is never connected to. H.264 is passed on as it came; H.265 plays in few browsers, and is refused in words.
A read-back of the same delivery goes on beside it: a person who views must not keep a proof waiting.
"""

import asyncio
from uuid import UUID

from prober.domain.verification import Failure
from prober.metrics import Metrics
from prober.probes.verification.centre_session import CentreSession
from prober.probes.verification.verifier import Verifier
from prober.probes.viewing.muxer import Muxer
from prober.probes.viewing.still import NoStill
from prober.probes.viewing.stills import NOT_GIVEN_BACK
from prober.probes.viewing.viewer import Viewer
from vonggac.events import Cause
from vonggac.events.inventory import PlannedDelivery
from vonggac.media.depacketizer import Depacketizer
from vonggac.media.h26x import VideoCodec
from vonggac.media.rtp import parse_rtp
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError, PeerError
from vonggac.rtsp import MediaBatch, Track
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES
from vonggac.telemetry import get_logger

log = get_logger(__name__)


class NoRoomError(Exception):
    """As many view already as may."""


class LiveSession(CentreSession):
    """Of one delivery. `viewers` get all fragments; `began` is set with the first, it and `ended` with the failure."""

    def __init__(self, networks: AllowedNetworks | None, delivery: PlannedDelivery) -> None:
        super().__init__(networks)
        self.delivery = delivery
        self.viewers: set[Viewer] = set()
        self.began, self.ended = asyncio.Event(), asyncio.Event()
        self.codec = ""
        """Of the media type, once it began."""
        self._channel: int | None = None
        self._units: Depacketizer | None = None
        self._muxer: Muxer | None = None
        self._dropped = 0

    async def close(self) -> None:
        self._channel = None
        await super().close()

    def _on_failure(self) -> None:
        self._channel = None
        self.began.set()
        self.ended.set()
        for viewer in self.viewers:
            viewer.end()

    def _on_video(self, track: Track, codec: VideoCodec) -> None:
        if codec is not VideoCodec.H264:
            raise PeerError(Cause.CODEC_UNSUPPORTED, f"the video is {codec.value}, which few browsers play")
        self._units = Depacketizer(codec)
        self._muxer = Muxer(track.clock_rate, track.media.parameter_sets)
        self._channel = track.rtp_channel

    def _on_media(self, batch: MediaBatch) -> None:
        try:
            for channel, start, end in batch.frames:
                if channel == self._channel:
                    self._push_packet(batch.data, start + FRAME_HEADER_BYTES, end)
        except PeerError as error:
            self.fail(Failure(error.cause, error.message))

    def _push_packet(self, data: bytes, start: int, end: int) -> None:
        """Push one packet. Raises PeerError where no browser can have the stream."""
        assert self._units is not None, "made with the track"
        assert self._muxer is not None, "made with the track"
        try:
            header = parse_rtp(data, start, end)
        except MalformedError:
            return
        payload = memoryview(data)[header.payload_start : header.payload_end]
        units = self._units.push(payload, sequence=header.sequence, timestamp=header.timestamp, marker=header.marker)
        if self._units.dropped != self._dropped:
            self._dropped = self._units.dropped
            self._muxer.skip_to_keyframe()
        for unit in units:
            for fragment in self._muxer.add(unit):
                self.codec = self._muxer.codec
                for viewer in self.viewers:
                    viewer.offer(fragment)
                self.began.set()


class LiveViews:
    """One per process: who views what."""

    def __init__(self, verifier: Verifier, metrics: Metrics, *, most: int, most_of_one: int) -> None:
        """`most`: viewers at a time; `most_of_one`: of one delivery."""
        self._verifier, self._metrics = verifier, metrics
        self._most, self._most_of_one = most, most_of_one
        self._sessions: dict[UUID, LiveSession] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.open = 0
        """Viewers of all."""

    def has_room(self, delivery_id: UUID) -> bool:
        """Whether one more may view it."""
        session = self._sessions.get(delivery_id)
        return self.open < self._most and (session is None or len(session.viewers) < self._most_of_one)

    async def join(self, delivery: PlannedDelivery) -> "LiveView | NoStill":
        """View what the centre plays back. Call `leave` of what is returned. Raises NoRoomError."""
        if delivery.read_back_url is None:
            return NoStill(None, NOT_GIVEN_BACK)
        if not self.has_room(delivery.id):
            raise NoRoomError
        session = self._sessions.get(delivery.id)
        if session is None or session.failure is not None or session.delivery != delivery:
            session = self._begin(delivery)
        view = LiveView(self, session)
        within_s = self._verifier.limits.first_within_s
        try:
            async with asyncio.timeout(within_s):
                await session.began.wait()
        except TimeoutError:
            session.fail(Failure(Cause.TIMEOUT, f"no whole picture came back within {within_s:.0f} s"))
        except asyncio.CancelledError:
            view.leave()
            raise
        if session.failure is not None:
            view.leave()
            return NoStill(session.failure.cause, session.failure.detail)
        return view

    def add(self, session: LiveSession, viewer: Viewer) -> None:
        """Count one viewer more."""
        session.viewers.add(viewer)
        self.open += 1
        self._metrics.live_viewers.set(self.open)

    def remove(self, session: LiveSession, viewer: Viewer) -> None:
        """Count one viewer less; the last one's session is closed."""
        session.viewers.discard(viewer)
        self.open -= 1
        self._metrics.live_viewers.set(self.open)
        if session.viewers:
            return
        if self._sessions.get(session.delivery.id) is session:
            del self._sessions[session.delivery.id]
        session.fail(Failure(None, "nobody views it any more"))

    def end(self) -> None:
        """End all of them: the service stops."""
        for session in self._sessions.values():
            session.fail(Failure(None, "the prober stops"))

    async def close(self) -> None:
        """End all, and wait until centres have been hung up on."""
        self.end()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, delivery: PlannedDelivery) -> LiveSession:
        before = self._sessions.get(delivery.id)
        if before is not None:
            before.fail(Failure(None, "the delivery has another plan"))
        session = self._sessions[delivery.id] = LiveSession(self._verifier.networks, delivery)
        task = asyncio.create_task(self._play(session), name="live-pictures")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return session

    async def _play(self, session: LiveSession) -> None:
        """Until it fails, or nobody views it."""
        delivery = session.delivery
        opening = asyncio.create_task(self._verifier.open(session, delivery), name="open-live")
        log.info("live_view_began", delivery_id=str(delivery.id))
        try:
            await session.ended.wait()
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            await session.close()
            failure = session.failure
            log.info(
                "live_view_ended",
                delivery_id=str(delivery.id),
                cause=failure.cause.value if failure is not None and failure.cause is not None else None,
                reason=failure.detail if failure is not None else None,
            )


class LiveView:
    """One viewer of one session."""

    def __init__(self, views: LiveViews, session: LiveSession) -> None:
        self._views, self._session, self.viewer = views, session, Viewer()
        self._left = False
        views.add(session, self.viewer)

    @property
    def media_type(self) -> str:
        """Of what `viewer` reads."""
        return f'video/mp4; codecs="{self._session.codec}"'

    def leave(self) -> None:
        """View no more; once is enough."""
        if not self._left:
            self._left = True
            self._views.remove(self._session, self.viewer)
