"""A client's connection to a centre: it publishes one stream or plays one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from simulator.centres.publication import Publication
from simulator.centres.stream import Stream, cut
from simulator.config import CentreConfig
from simulator.devices.faults import CentreFaultName
from simulator.rtsp.connection import DeviceConnection
from simulator.rtsp.login import account_of
from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl, strip_userinfo
from vonggac.rtsp.server.liveness import Patience
from vonggac.rtsp.server.login import Login
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.messages import Request
from vonggac.rtsp.wire.sdp import MediaDescription, parse_sdp, resolve_control
from vonggac.rtsp.wire.transport import Transport, parse_transports

MAX_WRITE_BUFFER_BYTES = 4 << 20
"""A slow viewer's media beyond this are dropped, until a keyframe finds room."""
MAX_TRACKS = 8
_OTHER_CHANNELS = 2 * MAX_TRACKS
_METHODS = "OPTIONS, DESCRIBE, ANNOUNCE, SETUP, PLAY, RECORD, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"


@dataclass(frozen=True, slots=True)
class _Subject:
    """The subject of a session: a stream, its tracks' descriptions, and the base URL of their controls."""

    stream: Stream
    base: str
    media: tuple[MediaDescription, ...]
    sdp: bytes
    publishing: bool

    def track_index(self, uri: str) -> int | None:
        """Find the track whose control resolves to `uri`; a single track also goes by the stream's own URL."""
        wanted = strip_userinfo(uri).rstrip("/")
        for index, media in enumerate(self.media):
            if resolve_control(self.base, media.control).rstrip("/") == wanted:
                return index
        return None


class CentreState(Protocol):
    """The centre that a session belongs to: its configuration, its streams, its fault and its counter."""

    config: CentreConfig
    logins_failed: int

    def has_fault(self, *names: CentreFaultName) -> bool: ...

    def make_stream(self, path: str) -> Stream | None: ...

    def played_stream(self, path: str) -> Stream | None: ...

    def add_connection(self, connection: "CentreSession") -> None: ...

    def remove_connection(self, connection: "CentreSession") -> None: ...

    def apply_fault_to(self, connection: "CentreSession") -> None: ...


class CentreSession(DeviceConnection):
    """ANNOUNCE, SETUP, RECORD make it a publisher; SETUP, PLAY a viewer. TCP interleaved only."""

    max_unread_bytes = 2 * MAX_WRITE_BUFFER_BYTES

    def __init__(self, centre: CentreState) -> None:
        config = centre.config
        super().__init__(Patience(config.session_timeout_s, ends_silent_tcp=config.ends_silent_tcp))
        self._centre = centre
        self._login = Login(account_of(config), secure=config.tls)
        self._subject: _Subject | None = None
        self._channels: dict[int, tuple[int, int]] = {}
        self.publication: Publication | None = None
        """From RECORD on, of a publisher."""
        self._viewing = False
        self._skipping = False
        self._renumber: dict[int, int] = {}
        self._handlers: dict[str, Callable[[Request], Reply]] = {
            "OPTIONS": self._options,
            "ANNOUNCE": self._announce,
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "RECORD": self._record,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "GET_PARAMETER": self._parameter,
            "SET_PARAMETER": self._parameter,
            "TEARDOWN": self._teardown,
        }

    @property
    def is_viewing(self) -> bool:
        return self._viewing

    @property
    def carries_media(self) -> bool:
        return self._viewing or self.publication is not None

    def connected(self) -> None:
        self._centre.add_connection(self)
        self._centre.apply_fault_to(self)

    def disconnected(self) -> None:
        self._end()
        self._centre.remove_connection(self)

    def reply_to(self, request: Request) -> Reply | None:
        failures = self._login.failures
        denial = self._login.denial(request, self._loop.time(), always=self._centre.has_fault(CentreFaultName.AUTH))
        self._centre.logins_failed += self._login.failures - failures
        if denial is not None:
            return denial
        handler = self._handlers.get(request.method)
        if handler is None:
            return Reply(501, (("Allow", _METHODS),))
        return handler(request)

    def on_media(self, batch: MediaBatch) -> None:
        if self._centre.has_fault(CentreFaultName.DISCARD):
            return
        if self.publication is not None and self._subject is not None:
            self._subject.stream.receive_batch(self.publication, batch)

    @property
    def waits_for_keyframe(self) -> bool:
        return self._skipping

    def send_batch(self, batch: MediaBatch, keyframe_offset: int | None) -> None:
        if self.transport.get_write_buffer_size() > MAX_WRITE_BUFFER_BYTES:
            self._skipping = True
        if self._skipping:
            if keyframe_offset is None or self.transport.get_write_buffer_size() > MAX_WRITE_BUFFER_BYTES:
                return
            self._skipping = False
            batch = cut(batch, keyframe_offset)
        if all(self._renumber.get(channel) == channel for channel, _, _ in batch.frames):
            self.transport.write(batch.data)
        else:
            self.transport.write(_renumber(batch, self._renumber))

    def stream_ended(self) -> None:
        self._viewing = False
        self.transport.close()

    def _options(self, request: Request) -> Reply:
        return Reply(200, (("Public", _METHODS),))

    def _announce(self, request: Request) -> Reply:
        path = _path_of(request.uri)
        if path is None:
            return Reply(400)
        if "sdp" not in (request.headers.get("Content-Type") or "application/sdp").lower():
            return Reply(415)
        try:
            media = parse_sdp(request.body).media
        except MalformedError:
            return Reply(400)
        if self.publication is not None or self._viewing:
            return Reply(455)
        stream = self._centre.make_stream(path)
        if stream is None or len(media) > MAX_TRACKS:
            return Reply(453)
        if stream.live:
            return Reply(self._centre.config.second_publisher_status)
        self._subject = _Subject(stream, strip_userinfo(request.uri), media, request.body, publishing=True)
        self._channels.clear()
        return Reply()

    def _describe(self, request: Request) -> Reply:
        stream = self._live_stream(request.uri)
        if stream is None:
            return Reply(404)
        headers = (("Content-Base", f"{request.uri.rstrip('/')}/"), ("Content-Type", "application/sdp"))
        return Reply(200, headers, stream.sdp)

    def _setup(self, request: Request) -> Reply:
        if not self._session_fits(request, required=bool(self._channels)):
            return Reply(454)
        if self.publication is not None or self._viewing:
            return Reply(455)
        if self._subject is None:
            self._subject = self._viewed_subject(request.uri)
        index = self._subject.track_index(request.uri) if self._subject is not None else None
        if self._subject is None or index is None:
            return Reply(404)
        try:
            offers = parse_transports(request.headers.get("Transport") or "")
        except MalformedError:
            return Reply(400)
        mode = "record" if self._subject.publishing else "play"
        for offer in offers:
            if offer.protocol == "RTP/AVP/TCP" and offer.unicast and _mode(offer) == mode:
                channels = offer.interleaved or (2 * index, 2 * index + 1)
                if self._centre.config.channels != "asked":
                    channels = _other_channels(channels)
                self._channels[index] = channels
                answer = Transport("RTP/AVP/TCP", interleaved=channels, mode=mode)
                return Reply(200, (("Transport", answer.encode()), self._session_header()))
        return Reply(461)

    def _record(self, request: Request) -> Reply:
        if not self._session_fits(request, required=True):
            return Reply(454)
        subject = self._subject
        if subject is None or not subject.publishing or not self._channels or self.publication is not None:
            return Reply(455)
        if subject.stream.live:
            return Reply(self._centre.config.second_publisher_status)
        media = {channels[0]: subject.media[index] for index, channels in self._channels.items()}
        self.publication = Publication.of(media)
        subject.stream.begin_publication(self.publication, subject.sdp, dict(self._channels))
        return Reply(200, (self._session_header(),), then=partial(self._centre.apply_fault_to, self))

    def _play(self, request: Request) -> Reply:
        if not self._session_fits(request, required=True):
            return Reply(454)
        subject = self._subject
        if subject is None or subject.publishing:
            return Reply(455)
        if not subject.stream.live:
            return Reply(404)
        if self._viewing:
            return Reply(200, (self._session_header(),))
        for index, own in self._channels.items():
            self._renumber |= dict(zip(subject.stream.channels.get(index, ()), own, strict=False))
        self._viewing = self._skipping = True
        headers = (self._session_header(), ("Range", "npt=now-"))
        return Reply(200, headers, then=partial(subject.stream.add_viewer, self))

    def _pause(self, request: Request) -> Reply:
        if not self._session_fits(request, required=True):
            return Reply(454)
        if self.publication is not None:
            return Reply(455)
        self._stop_viewing()
        return Reply(200, (self._session_header(),))

    def _parameter(self, request: Request) -> Reply:
        if not self._session_fits(request, required=False):
            return Reply(454)
        return Reply(200, (self._session_header(),) if self._channels else ())

    def _teardown(self, request: Request) -> Reply:
        if not self._session_fits(request, required=True):
            return Reply(454)
        self._end()
        return Reply()

    def _end(self) -> None:
        self._stop_viewing()
        if self.publication is not None and self._subject is not None:
            self._subject.stream.end_publication(self.publication)
        self.publication = None
        self._subject = None
        self._channels.clear()

    def _stop_viewing(self) -> None:
        if self._viewing and self._subject is not None:
            self._subject.stream.remove_viewer(self)
        self._viewing = False
        self._renumber.clear()

    def _live_stream(self, uri: str) -> Stream | None:
        path = _path_of(uri)
        stream = self._centre.played_stream(path) if path is not None else None
        return stream if stream is not None and stream.live else None

    def _viewed_subject(self, track_uri: str) -> _Subject | None:
        """Find the live stream that has a track with this URL."""
        uri = strip_userinfo(track_uri).rstrip("/")
        for base in (uri, uri.rpartition("/")[0]):
            stream = self._live_stream(base)
            if stream is not None:
                subject = _Subject(stream, base, parse_sdp(stream.sdp).media, stream.sdp, publishing=False)
                if subject.track_index(uri) is not None:
                    return subject
        return None

    def _session_fits(self, request: Request, *, required: bool) -> bool:
        given = request.headers.get("Session")
        if given is None:
            return not required
        return bool(self._channels) and given.split(";")[0].strip() == self.session_id

    def _session_header(self) -> tuple[str, str]:
        return "Session", f"{self.session_id};timeout={self._centre.config.session_timeout_s}"


def _renumber(batch: MediaBatch, channels: Mapping[int, int]) -> bytes:
    """Write the frames with the viewer's own channel numbers; tracks that it did not set up are left out."""
    parts: list[bytes] = []
    for channel, start, end in batch.frames:
        own = channels.get(channel)
        if own is not None:
            parts += (bytes((0x24, own)), batch.data[start + 2 : end])
    return b"".join(parts)


def _path_of(uri: str) -> str | None:
    """Find the stream key: path and query without slashes around them; None when there is none."""
    try:
        return RtspUrl.parse(uri).target.strip("/") or None
    except MalformedError:
        return None


def _other_channels(asked: tuple[int, int]) -> tuple[int, int]:
    return (asked[0] + _OTHER_CHANNELS) % 256, (asked[1] + _OTHER_CHANNELS) % 256


def _mode(offer: Transport) -> str:
    return {"receive": "record"}.get((offer.mode or "play").lower(), (offer.mode or "play").lower())
