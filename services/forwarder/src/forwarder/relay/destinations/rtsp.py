"""One publishing session at an RTSP destination: verbatim, with what its kernel confirmed. Never retries."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from forwarder.domain.backpressure import Bounds
from forwarder.relay.destinations.receiver_reports import Reported, ReportReader
from forwarder.relay.destinations.tcp_ack import Confirmation
from forwarder.relay.media.fanout import Outlet
from forwarder.relay.sources.rtsp import CameraSource
from vonggac.events.causes import Cause
from vonggac.events.inventory import TlsTrust
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.tls import policy_of
from vonggac.net.url import Credentials, RtspUrl, fill_credentials
from vonggac.rtsp.client.open import Publisher, open_publisher
from vonggac.rtsp.client.session import Step

_NOT_CONNECTED = frozenset({Cause.REFUSED, Cause.ROUTE, Cause.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how to publish. `url` may hold the placeholders of `fill_credentials`."""

    url: str
    credentials: Credentials | None
    video_only: bool
    deadline_s: float
    bounds: Bounds
    allowed: AllowedNetworks
    tls: TlsTrust | None = None
    enhanced_rtmp: bool = False
    """The destination takes H.265 over RTMP."""

    @property
    def rtsp_url(self) -> RtspUrl:
        """With the placeholders filled in, for the wire only. Raises PeerError for an address that is none."""
        return RtspUrl.parse(fill_credentials(self.url, self.credentials))


class UnreachableError(PeerError):
    """No connection to the destination could be made; `host` and `port` say where to knock."""

    def __init__(self, error: PeerError, host: str, port: int) -> None:
        super().__init__(error.cause, error.message)
        self.host, self.port = host, port


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one session, or summed over sessions. Media bytes; packets are RTP and RTCP, frames are whole pictures."""

    bytes_written: int = 0
    bytes_acknowledged: int = 0
    packets_sent: int = 0
    frames_sent: int = 0
    packets_dropped: int = 0
    groups_dropped: int = 0
    packets_late: int = 0
    """Of the dropped ones, those left out because the destination lagged behind for seconds; the others: for bytes."""
    groups_late: int = 0
    reported: Reported | None = None
    """The destination's own word, where it gives one; of the last session."""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.bytes_written + other.bytes_written,
            self.bytes_acknowledged + other.bytes_acknowledged,
            self.packets_sent + other.packets_sent,
            self.frames_sent + other.frames_sent,
            self.packets_dropped + other.packets_dropped,
            self.groups_dropped + other.groups_dropped,
            self.packets_late + other.packets_late,
            self.groups_late + other.groups_late,
            other.reported,
        )


class Session(Protocol):
    """What the supervisor of a delivery needs of an open session, whatever the protocol."""

    @property
    def counts(self) -> Counts: ...

    def look(self, now_s: float) -> tuple[int, int]:
        """Media bytes written and confirmed by now; judges the lag. Call about once a second."""

    async def close(self) -> None:
        """End in order; bounded to about a second."""

    def abort(self) -> None:
        """End at once."""


type OnLost = Callable[[PeerError | None], None]


class RtspPublishing:
    """A session of ANNOUNCE and RECORD whose media is the camera's, frame for frame."""

    def __init__(self, publisher: Publisher, source: CameraSource, bounds: Bounds) -> None:
        self._publisher = publisher
        self._fanout = source.fanout
        connection = publisher.connection
        self._outlet = Outlet(
            source.fanout, connection, publisher.channel_map, bounds, direct=connection.write_directly
        )
        self._on_lost, connection.on_lost = connection.on_lost, self._lost
        connection.set_write_limits(high_bytes=bounds.buffer_bytes, low_bytes=bounds.resume_bytes)
        connection.on_pause_writing = self._outlet.buffer_is_full
        # What is confirmed by now is our handshake: RECORD was answered.
        self._confirmation = Confirmation(connection.transport)
        self._control_before = connection.control_bytes_sent
        self._acknowledged = 0
        self._reports = ReportReader(publisher.tracks)
        connection.on_media = self._reports.on_media
        source.fanout.add(self._outlet)

    @property
    def counts(self) -> Counts:
        outlet = self._outlet
        return Counts(
            outlet.written,
            self._acknowledged,
            outlet.packets,
            outlet.frames,
            outlet.packets_dropped,
            outlet.flow.groups_dropped,
            outlet.packets_late,
            outlet.flow.groups_late,
            self._reports.latest,
        )

    def look(self, now_s: float) -> tuple[int, int]:
        written = self._outlet.written
        connection = self._publisher.connection
        if not connection.closed:
            control = connection.control_bytes_sent - self._control_before
            self._acknowledged = self._confirmation.confirmed(
                written, buffered=connection.write_buffer_bytes, others=control
            )
        if written > self._acknowledged or self._outlet.lagging:
            self._outlet.judge(lag_s=self._outlet.lag_s(now_s, self._acknowledged))
        return written, self._acknowledged

    def _lost(self, error: PeerError | None) -> None:
        # At once: a closed transport must not be written to.
        self._fanout.remove(self._outlet)
        if self._on_lost is not None:
            self._on_lost(error)

    async def close(self) -> None:
        self._fanout.remove(self._outlet)
        await self._publisher.close()

    def abort(self) -> None:
        self._fanout.remove(self._outlet)
        self._publisher.abort()


async def publish_rtsp(target: Target, source: CameraSource, on_lost: OnLost) -> RtspPublishing:
    """Open a session at an RTSP destination. `on_lost` is called only for a session that was returned.

    Raises PeerError; UnreachableError when not even a connection to the destination's own address was made.
    """
    tracks = [track for track in source.tracks if track.kind == "video" or not target.video_only]
    url = target.rtsp_url
    steps: list[Step] = []
    try:
        publisher = await open_publisher(
            url,
            target.credentials,
            source.sdp,
            tracks,
            deadline_s=target.deadline_s,
            tls=policy_of(target.tls),
            allowed=target.allowed,
            on_lost=on_lost,
            steps=steps,
        )
    except PeerError as error:
        # Where the destination sends us to nobody may be there: at its own door somebody is.
        if error.cause in _NOT_CONNECTED and not error.elsewhere and steps and steps[-1].name == "connect":
            raise UnreachableError(error, url.host, url.port) from None
        raise
    return RtspPublishing(publisher, source, target.bounds)
