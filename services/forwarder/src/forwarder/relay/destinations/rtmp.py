"""One publishing session at an RTMP destination, with what its kernel acknowledged. Never retries."""

from collections.abc import Mapping

from forwarder.domain import backpressure as overflow
from forwarder.domain.backpressure import Flow
from forwarder.relay.destinations.base import Counts, OnLost, SessionProgress, Target, UnreachableError
from forwarder.relay.destinations.question import Answer, Question
from forwarder.relay.destinations.send_buffer import SendBuffer
from forwarder.relay.destinations.tcp_ack import TcpAcknowledgement
from forwarder.relay.flv.muxer import Unit, UnitTap, units_of
from forwarder.relay.media.fanout import Outlet
from forwarder.relay.rtmp import amf, chunks
from forwarder.relay.rtmp.chunks import Message, write_message
from forwarder.relay.rtmp.client import NotConnectedError, open_publishing
from forwarder.relay.rtmp.connection import RtmpConnection
from forwarder.relay.rtmp.read_question import ReadQuestions
from forwarder.relay.rtmp.url import RtmpUrl
from forwarder.relay.sources.base import CameraSource
from vonggac.media.h26x import H264_SPS, H265_SPS, VideoCodec, nal_type
from vonggac.media.sps import parse_sps
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.tls import policy_of
from vonggac.net.url import fill_credentials

_DATA_STREAM, _AUDIO_STREAM, _VIDEO_STREAM = 5, 4, 6
_CONTROL_UNDER_WAY_BYTES = 256
"""Upper bound of what we answered to the server's settings just before a session began."""
_AVC_ID = 7.0
_HVC1_ID = float(int.from_bytes(b"hvc1"))


class UnitOutlet(Outlet):
    """One destination's bounds and counts, by whole units. Held until a keyframe, as every outlet is."""

    def _become(self, flow: Flow) -> None:
        # The fan-out knows the tap only; there is nothing to sort.
        self.flow = flow

    def passes(self, unit: Unit) -> bool:
        """Whether the unit is written; counts it when it is left out for overflow."""
        if unit.keyframe and not self.flow.flowing and unit.header is not None:
            self.flow = overflow.keyframe_came(self.flow)
        if not self.flow.flowing and self.flow.groups_dropped:
            self.packets_dropped += unit.packets
            self.packets_late += unit.packets if self.flow.late else 0
        return self.flow.flowing


class RtmpPublishing:
    """A session whose server has answered NetStream.Publish.Start. Bytes are those of the chunks that carry media."""

    def __init__(
        self,
        connection: RtmpConnection,
        stream_id: int,
        tap: UnitTap,
        source: CameraSource,
        target: Target,
        on_lost: OnLost,
    ) -> None:
        bounds, self._budget = target.bounds, target.budget
        self._connection, self._stream_id, self._tap = connection, stream_id, tap
        self._outlet = UnitOutlet(source.fanout, connection, {}, bounds)
        self._sound = None if target.video_only else tap.sound
        connection.transport.set_write_buffer_limits(high=bounds.buffer_bytes, low=bounds.resume_bytes)
        connection.on_pause_writing = self._outlet.buffer_is_full
        # What is acknowledged by now is our handshake: `publish` was answered.
        self._acknowledgement = TcpAcknowledgement(connection.transport)
        self._questions = ReadQuestions(connection)
        self._question = Question(self._acknowledgement)
        self._send_buffer = SendBuffer(connection.transport)
        self._budget.add_queue(self._outlet)
        self._control_before = connection.control_bytes
        self._header_sent: bytes | None = None
        self._begin_ms: int | None = None
        self._acknowledged = 0
        self._on_lost, connection.on_lost = on_lost, self._lost
        tap.add_writer(self._write_unit)

    @property
    def counts(self) -> Counts:
        outlet = self._outlet
        return Counts(
            bytes_written=outlet.written,
            bytes_acknowledged=self._acknowledged,
            packets_sent=outlet.packets,
            frames_sent=outlet.frames,
            packets_dropped=outlet.packets_dropped,
            groups_dropped=outlet.flow.groups_dropped,
            packets_late=outlet.packets_late,
            groups_late=outlet.flow.groups_late,
        )

    def read_progress(self, now_s: float) -> SessionProgress:
        written = self._outlet.written
        connection, acknowledgement = self._connection, self._acknowledgement
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
        return self._connection.control_bytes - self._control_before + _CONTROL_UNDER_WAY_BYTES

    async def _ask_destination(self, timeout_s: float) -> Answer:
        reading = await self._questions.ask_server(sent_bytes=self._sent_bytes, timeout_s=timeout_s)
        if reading is None:
            return Answer.NONE
        return Answer.ANSWERED if reading else Answer.READ

    @property
    def _sent_bytes(self) -> int:
        return self._connection.control_bytes + self._outlet.written

    def _lost(self, error: PeerError | None) -> None:
        self._acknowledged = self._acknowledgement.acknowledged_at_end(self._outlet.written, others=self._control_bytes)
        self._on_lost(error)

    async def close(self) -> None:
        self._leave()
        connection = self._connection
        connection.send_command("deleteStream", 0.0, None, float(self._stream_id))
        await connection.close()

    def abort(self) -> None:
        self._leave()
        self._connection.abort()

    def _leave(self) -> None:
        self._question.cancel()
        self._tap.remove_writer(self._write_unit)
        self._budget.remove_queue(self._outlet)

    def _write_unit(self, unit: Unit) -> None:
        outlet, connection = self._outlet, self._connection
        if unit.kind == chunks.AUDIO and self._sound is None:
            return
        if not outlet.passes(unit) or connection.closed:
            return
        if self._begin_ms is None:
            self._begin_ms = unit.timestamp_ms
            self._begin()
        at_ms = max(0, unit.timestamp_ms - self._begin_ms)
        if unit.header is not None and unit.header != self._header_sent:
            self._header_sent = unit.header
            self._write(chunks.VIDEO, unit.header, at_ms, _VIDEO_STREAM)
        self._write(unit.kind, unit.body, at_ms, _VIDEO_STREAM if unit.kind == chunks.VIDEO else _AUDIO_STREAM)
        outlet.count(packets=unit.packets, frames=unit.kind == chunks.VIDEO)

    def _begin(self) -> None:
        about = amf.encode("@setDataFrame", "onMetaData", _about(self._tap))
        self._write(chunks.DATA, about, 0, _DATA_STREAM)
        if self._sound is not None and self._sound.header is not None:
            self._write(chunks.AUDIO, self._sound.header, 0, _AUDIO_STREAM)

    def _write(self, kind: int, body: bytes, at_ms: int, chunk_stream: int) -> None:
        message = Message(kind, self._stream_id, at_ms, body)
        data = write_message(message, chunk_stream=chunk_stream, chunk_bytes=chunks.OUR_CHUNK_BYTES)
        self._connection.write_media(data)
        self._outlet.count(octets=len(data))


async def publish_rtmp(target: Target, source: CameraSource, on_lost: OnLost) -> RtmpPublishing:
    """Open a session at an RTMP or RTMPS destination. `on_lost` is called only for a session that was returned.

    Raises PeerError: codec_unsupported for what FLV does not carry, before anything is connected to; UnreachableError
    when not even a connection was made.
    """
    tap = units_of(source, enhanced=target.enhanced_rtmp)
    url = RtmpUrl.parse(fill_credentials(target.url, target.credentials))
    filled = url.credentials is None and target.url != fill_credentials(target.url, target.credentials)
    try:
        connection, stream_id = await open_publishing(
            url,
            None if filled else target.credentials,
            deadline_s=target.deadline_s,
            allowed=target.allowed,
            tls=policy_of(target.tls),
            enhanced=target.enhanced_rtmp,
        )
    except NotConnectedError as error:
        raise UnreachableError(error, url.host, url.port) from None
    if connection.closed:
        raise connection.error or MalformedError("the server ended the session as soon as it began")
    return RtmpPublishing(connection, stream_id, tap, source, target, on_lost)


def _about(tap: UnitTap) -> Mapping[str, amf.AmfValue]:
    about: dict[str, amf.AmfValue] = {"videocodecid": _AVC_ID if tap.codec is VideoCodec.H264 else _HVC1_ID}
    kind = H264_SPS if tap.codec is VideoCodec.H264 else H265_SPS
    sps = next((nal for nal in tap.parameter_sets if nal_type(tap.codec, nal) == kind), None)
    if sps is not None:
        try:
            info = parse_sps(tap.codec, sps)
        except MalformedError:
            return about
        about |= {"width": float(info.width), "height": float(info.height)}
    return about
