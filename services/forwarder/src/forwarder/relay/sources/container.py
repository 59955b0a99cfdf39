"""One attempt to play what is not RTSP: fetched here, unpacked in a child, and from then on like any camera's media."""

import asyncio
import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

from forwarder.relay.demux.pool import RemuxPool, StreamEnd
from forwarder.relay.demux.request import RemuxRequest
from forwarder.relay.media.fanout import FanOut
from forwarder.relay.sources.base import OnBegan, PlayLimits, fanout_of
from forwarder.relay.sources.hls import feed_hls, open_playlist
from forwarder.relay.sources.inputs import Address, Feed, Sink, feed_http, feed_rtmp, feed_tcp, feed_udp
from vonggac.events.causes import Cause
from vonggac.events.inventory import CameraV1
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.iterations import AT_ONCE, go_on_later
from vonggac.net.tls import policy_of
from vonggac.net.url import Credentials, fill_credentials
from vonggac.rtsp import ReceptionStats
from vonggac.rtsp.client.connection import OnLost
from vonggac.rtsp.wire.framing import Deframer, MediaBatch
from vonggac.rtsp.wire.messages import Request
from vonggac.rtsp.wire.rates import PeerRates
from vonggac.rtsp.wire.sdp import SessionDescription, parse_sdp
from vonggac.rtsp.wire.tracks import Track, plan_tracks
from vonggac.telemetry import get_logger

log = get_logger(__name__)

_WRITE_BUFFER_BYTES = 512 << 10
_FEEDS: dict[str, tuple[Feed, str]] = {
    "tcp": (feed_tcp, "mpegts"),
    "udp": (feed_udp, "mpegts"),
    "http": (feed_http, "mpegts"),
    "https": (feed_http, "mpegts"),
    "rtmp": (feed_rtmp, "flv"),
    "rtmps": (feed_rtmp, "flv"),
}
SCHEMES = frozenset(_FEEDS)
_TS_PACKET, _TS_SYNC = 188, 0x47


class _Unpacked(StreamEnd):
    """The parent's end: container bytes are written to it, RTP comes back."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        super().__init__()
        self.announced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the child has described the session, or the end has come before."""
        self.sdp = SessionDescription()
        self.tracks: tuple[Track, ...] = ()
        self.fanout: FanOut | None = None
        self.error: PeerError | None = None
        self.pictures_without_keyframe = False
        self.bytes_received = 0
        self.first_written = b""
        self._deframer = Deframer(most=AT_ONCE)
        self._rates = PeerRates(asyncio.get_running_loop().time)
        self._room = asyncio.Event()
        self._room.set()

    @property
    def waiting_bytes(self) -> int:
        return 0 if self.gone.done() else self.transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        if not self.gone.done():
            self.first_written = self.first_written or data
            self.transport.write(data)

    async def room(self) -> None:
        await self._room.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop has transports of its own.
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def data_received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        if self._handle(data):
            go_on_later(self.transport, self._handle)

    def _handle(self, data: bytes) -> bool:
        """Handle what is complete, up to a bound; True if something is left for the next iteration."""
        try:
            items = self._deframer.feed(data)
            # Packets are made in the child, of what the camera cut its pictures into: as small as it likes.
            self._rates.count_piece(items, len(data))
            for item in items:
                if isinstance(item, MediaBatch):
                    if self.fanout is not None:
                        self.fanout.on_media(item)
                elif isinstance(item, Request):
                    self._answer_request(item)
        except PeerError as error:
            self._fail(error)
            return False
        return self._deframer.left_over

    def connection_lost(self, exc: Exception | None) -> None:
        self._room.set()
        self._fail(PeerError(Cause.INTERNAL_ERROR, "the process that unpacks the media died"))
        if not self.gone.done():
            self.gone.set_result(None)

    def _answer_request(self, request: Request) -> None:
        if request.method == "ANNOUNCE" and self.fanout is None:
            self.sdp = parse_sdp(request.body)
            self.tracks = plan_tracks(self.sdp, ("video", "audio"), "")
            self.fanout = fanout_of(self.tracks)
            self._announced()
        elif request.method == "PLAY_NOTIFY":
            self.pictures_without_keyframe = True
        elif request.method == "TEARDOWN":
            cause, _, message = request.body.decode("utf-8", "replace").partition("\n")
            self._fail(PeerError(Cause(cause), message))

    def _fail(self, error: PeerError) -> None:
        self.error = self.error or error
        self._announced()
        self.transport.abort()

    def _announced(self) -> None:
        if not self.announced.done():
            self.announced.set_result(None)


class RemuxedSource:
    """A camera whose media is unpacked. The same to what is behind as one that speaks RTSP."""

    reception: ReceptionStats | None = None
    login_needed = False
    login_scheme: str | None = None
    transport: str | None = None
    habits: Mapping[str, str] = MappingProxyType({})
    goodbyes = 0

    def __init__(self, end: _Unpacked, feeding: asyncio.Task[None], fanout: FanOut, on_lost: OnLost) -> None:
        self.sdp = end.sdp
        self.tracks = end.tracks
        self.fanout = fanout
        self._end, self._feeding, self._on_lost = end, feeding, on_lost
        self._left = False
        self._watching = asyncio.get_running_loop().create_task(self._watch(), name="remux-source")

    @property
    def bytes_received(self) -> int:
        return self._end.bytes_received

    def clock_drift_s(self) -> None:
        """None: an unpacked stream does not carry the camera's time."""

    def wait_for_bytes(self, low_water_bytes: int) -> None:
        """Media comes from a child in lumps anyway."""

    def check_rates(self) -> None:
        """They are counted as they come."""

    async def close(self) -> None:
        self.abort()
        await asyncio.wait([self._watching])

    def abort(self) -> None:
        self._left = True
        self._end.transport.abort()

    async def _watch(self) -> None:
        error = await _ended(self._end, self._feeding)
        self._on_lost(None if self._left else error)


async def open_remuxed(
    address: Address, pool: RemuxPool, *, on_began: Callable[[], None], on_lost: OnLost
) -> RemuxedSource:
    """Fetch and unpack until a keyframe has come and the session is described, within `deadline_s`.

    `on_began` and `on_lost` as in `play_rtsp`. Raises PeerError.
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + address.deadline_s
    feed, request = await _plan(address)
    end = await pool.open(request, _Unpacked)
    feeding = loop.create_task(_feed(feed, address, end), name="remux-feed")
    try:
        await asyncio.wait({end.announced, feeding}, timeout=ends_at - loop.time(), return_when=asyncio.FIRST_COMPLETED)
    except BaseException:
        end.transport.abort()
        await _ended(end, feeding)
        raise
    fanout = end.fanout
    if fanout is None:
        late = not end.announced.done() and not feeding.done()
        end.transport.abort()
        error = await _ended(end, feeding)
        if late:
            raise _late(end, address.deadline_s)
        raise _never_begun(error, request, end.first_written)
    fanout.when_pictures_come(on_began)
    return RemuxedSource(end, feeding, fanout, on_lost)


async def play_container(
    camera: CameraV1,
    credentials: Credentials | None,
    limits: PlayLimits,
    *,
    on_began: OnBegan,
    on_lost: OnLost,
) -> RemuxedSource:
    """Play a camera that does not speak RTSP: a way of the type `Play`."""
    url = fill_credentials(camera.url, credentials)
    address = Address(
        url=url,
        # A login that stands in the address is not offered a second time.
        credentials=credentials if url == camera.url else None,
        filled=credentials if url != camera.url else None,
        allowed=limits.allowed,
        tls=policy_of(camera.tls),
        deadline_s=limits.deadline_s,
        silence_s=limits.silence_s,
        audio=camera.forward_audio,
        on_login=limits.on_login,
    )
    return await open_remuxed(address, limits.remux, on_began=on_began, on_lost=on_lost)


def _never_begun(error: PeerError, request: RemuxRequest, first: bytes) -> PeerError:
    """Correct the error of what ended before a picture came: it did not halt, and may never have been media."""
    if error.cause is Cause.STALLED:
        return PeerError(Cause.NO_MEDIA, error.message)
    if error.cause is Cause.ENDED and request.format == "mpegts" and first and not _is_mpegts(first):
        return MalformedError("what came is not MPEG-TS")
    return error


def _is_mpegts(data: bytes) -> bool:
    """Whether packets of 188 bytes may begin somewhere in the first of them (ISO 13818-1 §2.4.3)."""
    begins = (at for at, sign in enumerate(data[:_TS_PACKET]) if sign == _TS_SYNC)
    return any(data[at + _TS_PACKET : at + _TS_PACKET + 1] in (b"", bytes([_TS_SYNC])) for at in begins)


def _late(end: _Unpacked, deadline_s: float) -> PeerError:
    if end.pictures_without_keyframe:
        return PeerError(Cause.NO_KEYFRAME, f"pictures came, and no keyframe within {deadline_s:g} s")
    return PeerError(Cause.NO_MEDIA, f"no picture could be unpacked within {deadline_s:g} s")


async def _plan(address: Address) -> tuple[Feed, RemuxRequest]:
    """How to fetch, and what the child shall take it for. A playlist is fetched for that. Raises PeerError."""
    scheme = address.url.partition("://")[0].lower()
    if scheme in ("http", "https") and address.path.lower().endswith(".m3u8"):
        try:
            async with asyncio.timeout(address.deadline_s):
                opened = await open_playlist(address)
        except TimeoutError:
            msg = f"the playlist did not come within {address.deadline_s:g} s"
            raise PeerError(Cause.TIMEOUT, msg) from None
        fragmented = any(segment.initialisation for segment in opened[1].segments)
        request = RemuxRequest("mp4" if fragmented else "mpegts", audio=address.audio, paced=True)
        return functools.partial(feed_hls, opened=opened), request
    feed, container = _FEEDS[scheme]
    return feed, RemuxRequest(container, audio=address.audio)


async def _feed(feed: Feed, address: Address, sink: Sink) -> None:
    """Feed the media of an address to `sink`. Raises PeerError only."""
    try:
        await feed(address, sink)
    except OSError:
        raise PeerError(Cause.ENDED, "the connection was lost") from None
    except (PeerError, asyncio.CancelledError):
        raise
    except Exception as error:  # a mistake of ours with one camera must not end the others
        log.error("remux_feed_crashed", exc_info=error)
        raise PeerError(Cause.INTERNAL_ERROR, type(error).__name__) from None


async def _ended(end: _Unpacked, feeding: asyncio.Task[None]) -> PeerError:
    """Wait until the feed or the child ends, end the other one, and return why."""
    await asyncio.wait({end.gone, feeding}, return_when=asyncio.FIRST_COMPLETED)
    fed = feeding.exception() if feeding.done() and not feeding.cancelled() else None
    feeding.cancel()
    end.transport.abort()
    await asyncio.wait({end.gone, feeding})
    if not feeding.cancelled():
        # Fetched, so that asyncio does not warn of an error that is returned already.
        feeding.exception()
    if isinstance(fed, PeerError):
        return fed
    return end.error or PeerError(Cause.ENDED, "the media ended")
