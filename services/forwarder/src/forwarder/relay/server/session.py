"""One session that a centre has opened: verbatim media, with what arrived there. Never retries."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from forwarder.domain.backpressure import Bounds
from forwarder.relay.destinations.base import Counts, SessionProgress
from forwarder.relay.destinations.send_buffer import SendBuffer
from forwarder.relay.media.budget import MediaBudget
from forwarder.relay.media.fanout import Outlet
from forwarder.relay.passing.passage import reset_connection
from forwarder.relay.server.admission import Asker
from forwarder.relay.server.outputs import DatagramOutput, PacedOutput
from forwarder.relay.server.reported_bytes import ReportedBytes
from forwarder.relay.sources.base import CameraSource
from vonggac.events.forwarder import HintReason, ServedSession
from vonggac.media.rtcp import build_goodbye
from vonggac.media.rtp import interleave
from vonggac.net.dial import writer_of
from vonggac.rtsp.server.media_sender import MediaSender


class Acknowledgement(Protocol):
    """What arrived at the centre's own socket: of this worker, or of the one in front (`TcpAcknowledgement`)."""

    taken: int
    unread_for_s: float
    ack_age_s: float
    doubtful: bool

    @property
    def sign(self) -> HintReason | None: ...

    def acknowledged(self, written: int, *, buffered: int, others: int) -> int: ...

    def acknowledged_at_end(self, written: int, *, others: int) -> int: ...


class CentreConnection(Protocol):
    """The connection that a session plays over, or is controlled by."""

    transport: asyncio.Transport
    control_bytes_sent: int
    asker: Asker

    def write_control(self, data: bytes) -> None: ...

    def close_soon(self) -> None: ...


class CentreSession:
    """From PLAY to its end. `begin` writes what is kept; before that nothing is sent."""

    def __init__(
        self,
        connection: CentreConnection,
        source: CameraSource,
        sender: MediaSender,
        *,
        since: datetime,
        bounds: Bounds,
        budget: MediaBudget,
        acknowledgement: Acknowledgement,
    ) -> None:
        """`acknowledgement`: of `connection`, which has sent no media of the session so far."""
        self._connection, self._source, self._sender, self._budget = connection, source, sender, budget
        self._since = since
        transport = connection.transport
        self._loop = asyncio.get_running_loop()
        numbered = list(enumerate(source.tracks))
        self.over_udp = any(sender.udp_of(number) is not None for number, _ in numbered)
        write = writer_of(transport)
        if self.over_udp:
            by_channel = {track.rtp_channel: (number, False) for number, track in numbered}
            by_channel |= {track.rtcp_channel: (number, True) for number, track in numbered}
            self._datagrams: DatagramOutput | None = DatagramOutput(sender, by_channel, write)
            channels: Mapping[int, int] = {channel: channel for channel in by_channel}
            self._paced = PacedOutput(self._datagrams.write_media, lambda: 0)
        else:
            self._datagrams, channels = None, _map_channels(source, sender)
            self._paced = PacedOutput(write, transport.get_write_buffer_size)
        self._outlet = Outlet(source.fanout, self._paced, channels, bounds)
        self._reported = ReportedBytes()
        self._send_buffer = SendBuffer(transport)
        transport.set_write_buffer_limits(high=bounds.buffer_bytes, low=bounds.resume_bytes)
        self._acknowledgement = acknowledgement
        self._control_before = connection.control_bytes_sent
        self._acknowledged = 0
        self._playing = self.ended = False

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
        )

    def begin(self) -> None:
        """Send: the last sender report, the kept group of pictures, and then what comes."""
        if self.ended or self._playing:
            return
        self._playing = True
        self._budget.add_queue(self._outlet)
        fanout = self._source.fanout
        if fanout.reports is not None and (report := fanout.reports.latest) is not None:
            self._send_report(_video_number(self._source), report)
        if fanout.gop_cache is not None and fanout.gop_cache.begun:
            self._paced.pace(fanout.gop_cache.size_bytes, fanout.gop_cache.age_s)
        fanout.add_outlet(self._outlet)

    def buffer_is_full(self) -> None:
        """Leave media out: the transport's buffer crossed its bound."""
        self._outlet.buffer_is_full()

    def read_progress(self, now_s: float) -> SessionProgress:
        written = self._outlet.written
        acknowledgement = self._acknowledgement
        if self._datagrams is not None:
            return self._read_reports(self._datagrams, now_s)
        if self.ended or self._connection.transport.is_closing():
            return SessionProgress(written, self._acknowledged, ack_age_s=acknowledgement.ack_age_s)
        self._send_buffer.fit(written, now_s)
        self._acknowledged = acknowledgement.acknowledged(
            written, buffered=self._paced.write_buffer_bytes, others=self._control_bytes
        )
        if written > self._acknowledged or self._outlet.lagging:
            taken = acknowledgement.taken if acknowledgement.doubtful else self._acknowledged
            self._outlet.judge_lag(lag_s=self._outlet.lag_s(now_s, taken))
        return SessionProgress(
            written,
            self._acknowledged,
            acknowledgement.unread_for_s,
            acknowledgement.doubtful,
            acknowledgement.ack_age_s,
            acknowledgement.sign,
        )

    def _read_reports(self, datagrams: DatagramOutput, now_s: float) -> SessionProgress:
        video, written = _video_number(self._source), self._outlet.written
        udp = self._sender.udp_of(video)
        self._acknowledged = self._reported.read(
            written - self._paced.write_buffer_bytes,
            datagrams.last_sequences.get(video),
            udp.reported if udp is not None else None,
            now_s,
        )
        # Without reports nobody can know, and a centre need not send any.
        return SessionProgress(written, self._acknowledged, doubtful=True, ack_age_s=self._reported.age_s(now_s))

    def describe(self) -> ServedSession:
        """For facts and people."""
        connection = self._connection
        return ServedSession(
            peer=connection.asker.peer,
            agent=connection.asker.agent,
            transport="udp" if self.over_udp else "tcp",
            tls=connection.asker.tls_version,
            since=self._since,
            bytes_acknowledged=self._acknowledged,
        )

    def connection_ended(self) -> None:
        """Count what is certain: the connection is gone."""
        if self._datagrams is None and not self.ended:
            self._acknowledged = self._acknowledgement.acknowledged_at_end(
                self._outlet.written, others=self._control_bytes
            )
        self._leave()

    def end(self, *, reset: bool) -> None:
        """Say goodbye (RTCP BYE) and end the connection; `reset`: at once, whatever still waits in it."""
        if self.ended:
            return
        self._leave()
        for number in range(len(self._source.tracks)):
            if (ssrc := self._sender_of(number)) is not None:
                self._send_report(number, build_goodbye(ssrc))
        transport = self._connection.transport
        if not reset:
            self._connection.close_soon()
            return
        reset_connection(transport)

    @property
    def _control_bytes(self) -> int:
        return self._connection.control_bytes_sent - self._control_before

    def _leave(self) -> None:
        if self._playing:
            self._source.fanout.remove_outlet(self._outlet)
            self._budget.remove_queue(self._outlet)
        self._paced.close()
        self._playing, self.ended = False, True

    def _sender_of(self, number: int) -> int | None:
        reports = self._source.fanout.reports
        return reports.ssrc if reports is not None and number == _video_number(self._source) else None

    def _send_report(self, number: int, report: bytes) -> None:
        udp, channels = self._sender.udp_of(number), self._sender.channels_of(number)
        if udp is not None:
            udp.send_report(report)
        elif channels is not None and not self._connection.transport.is_closing():
            self._connection.write_control(interleave(channels[1], report))


def _map_channels(source: CameraSource, sender: MediaSender) -> Mapping[int, int]:
    """Map the camera's channel numbers to those that the centre chose; tracks that it did not set up are left out."""
    channels: dict[int, int] = {}
    for number, track in enumerate(source.tracks):
        if (chosen := sender.channels_of(number)) is not None:
            channels |= {track.rtp_channel: chosen[0], track.rtcp_channel: chosen[1]}
    return channels


def _video_number(source: CameraSource) -> int:
    return next(number for number, track in enumerate(source.tracks) if track.kind == "video")
