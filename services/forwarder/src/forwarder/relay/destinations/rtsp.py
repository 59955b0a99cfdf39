"""One publishing session at an RTSP destination: verbatim, with what its kernel acknowledged. Never retries."""

from forwarder.relay.destinations.base import Counts, OnLost, SessionProgress, Target, UnreachableError
from forwarder.relay.destinations.question import Answer, Question
from forwarder.relay.destinations.receiver_reports import ReportReader
from forwarder.relay.destinations.send_buffer import SendBuffer
from forwarder.relay.destinations.tcp_ack import TcpAcknowledgement
from forwarder.relay.media.fanout import Outlet
from forwarder.relay.sources.base import CameraSource, announced_sdp
from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.net.tls import policy_of
from vonggac.net.url import RtspUrl, fill_credentials
from vonggac.rtsp.client.handshake import Route
from vonggac.rtsp.client.open import Publisher, open_publisher
from vonggac.rtsp.client.session import Step

_NOT_CONNECTED = frozenset({Cause.REFUSED, Cause.ROUTE, Cause.TIMEOUT})


class RtspPublishing:
    """A session of ANNOUNCE and RECORD whose media is the camera's, frame for frame."""

    def __init__(self, publisher: Publisher, source: CameraSource, target: Target) -> None:
        bounds, self._budget = target.bounds, target.budget
        self._publisher = publisher
        self._fanout = source.fanout
        connection = publisher.connection
        self._outlet = Outlet(
            source.fanout, connection, publisher.channel_map, bounds, direct=connection.write_directly
        )
        self._on_lost, connection.on_lost = connection.on_lost, self._lost
        connection.transport.set_write_buffer_limits(high=bounds.buffer_bytes, low=bounds.resume_bytes)
        connection.on_pause_writing = self._outlet.buffer_is_full
        # What is acknowledged by now is our handshake: RECORD was answered.
        self._acknowledgement = TcpAcknowledgement(connection.transport)
        self._control_before = connection.control_bytes_sent
        self._acknowledged = 0
        self._question = Question(self._acknowledgement)
        self._reports = ReportReader(publisher.tracks)
        connection.on_media = self._reports.on_media
        self._send_buffer = SendBuffer(connection.transport)
        self._budget.add_queue(self._outlet)
        source.fanout.add_outlet(self._outlet)

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

    def read_progress(self, now_s: float) -> SessionProgress:
        written = self._outlet.written
        connection, acknowledgement = self._publisher.connection, self._acknowledgement
        if connection.closed:
            return SessionProgress(written, self._acknowledged, ack_age_s=acknowledgement.ack_age_s)
        self._send_buffer.fit(written, now_s)
        self._acknowledged = acknowledgement.acknowledged(
            written, buffered=connection.write_buffer_bytes, others=self._control_bytes
        )
        if written > self._acknowledged or self._outlet.lagging:
            taken = acknowledgement.taken if acknowledgement.doubtful else self._acknowledged
            self._outlet.judge_lag(lag_s=self._outlet.lag_s(now_s, taken))
        self._question.ask_if_due(self._ask_destination)
        return SessionProgress(
            written,
            self._acknowledged,
            acknowledgement.unread_for_s,
            acknowledgement.doubtful,
            acknowledgement.ack_age_s,
            acknowledgement.sign,
        )

    @property
    def _control_bytes(self) -> int:
        return self._publisher.connection.control_bytes_sent - self._control_before

    async def _ask_destination(self, timeout_s: float) -> Answer:
        return Answer.ANSWERED if await self._publisher.answers(timeout_s=timeout_s) else Answer.NONE

    def _leave(self) -> None:
        self._question.cancel()
        self._fanout.remove_outlet(self._outlet)
        self._budget.remove_queue(self._outlet)

    def _lost(self, error: PeerError | None) -> None:
        self._acknowledged = self._acknowledgement.acknowledged_at_end(self._outlet.written, others=self._control_bytes)
        # At once: a closed transport must not be written to.
        self._leave()
        if self._on_lost is not None:
            self._on_lost(error)

    async def close(self) -> None:
        self._leave()
        await self._publisher.close()

    def abort(self) -> None:
        self._leave()
        self._publisher.abort()


async def publish_rtsp(target: Target, source: CameraSource, on_lost: OnLost) -> RtspPublishing:
    """Open a session at an RTSP destination. `on_lost` is called only for a session that was returned.

    Raises PeerError; UnreachableError when not even a connection to the destination's own address was made.
    """
    tracks = [track for track in source.tracks if track.kind == "video" or not target.video_only]
    url = RtspUrl.parse(fill_credentials(target.url, target.credentials))
    steps: list[Step] = []
    try:
        publisher = await open_publisher(
            Route(url, target.credentials, target.allowed, policy_of(target.tls)),
            announced_sdp(source),
            tracks,
            deadline_s=target.deadline_s,
            on_lost=on_lost,
            steps=steps,
        )
    except PeerError as error:
        # Where the destination sends us to nobody may be there: at its own address somebody is.
        if error.cause in _NOT_CONNECTED and not error.elsewhere and steps and steps[-1].name == "connect":
            raise UnreachableError(error, url.host, url.port) from None
        raise
    return RtspPublishing(publisher, source, target)
