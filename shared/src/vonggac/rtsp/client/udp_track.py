"""One track's pair of UDP sockets: reading, order, statistics, reports."""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from vonggac.media.reorder_buffer import ReorderBuffer
from vonggac.media.rtcp import ReceiverReport, ReportBlock, SenderReport, build_receiver_report, is_rtcp, parse_rtcp
from vonggac.media.rtp import JitterEstimator, SequenceTracker, build_rtp
from vonggac.net.errors import MalformedError
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch
from vonggac.rtsp.wire.tracks import Track

_MAX_DATAGRAM_BYTES = 65_535
_DATAGRAMS_AT_ONCE = 64
"""Then the event loop runs other work."""
_RECEIVE_BUFFER_BYTES = 1024 * 1024
"""Requested from the kernel: a keyframe comes in one burst."""
_RTP_FIELDS = struct.Struct(">BxHII")
_pack_frame_header = struct.Struct(">BBH").pack
_MIN_RTP = 12

type Deliver = Callable[[MediaBatch], None]
type OnJunk = Callable[[int], None]


class TrackCounts(NamedTuple):
    """The columns of udp.ReceptionStats, for one track."""

    packets: int
    lost: int
    reordered: int
    late: int
    foreign: int
    malformed: int


class UdpTrack:
    """Passes whole batches to `deliver`, RTP in order. Reads nothing before `start`; call `close` at the end."""

    def __init__(
        self,
        sockets: tuple[socket.socket, socket.socket],
        track: Track,
        deliver: Deliver,
        on_junk: OnJunk,
        *,
        reorder_packets: int,
        reorder_wait_s: float,
    ) -> None:
        """`sockets`: bound and non-blocking, for RTP and RTCP. `on_junk` gets the number of useless datagrams of the
        camera.
        """
        self._loop = asyncio.get_running_loop()
        self._rtp, self._rtcp = sockets
        self._rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        self._track = track
        self._deliver = deliver
        self._on_junk = on_junk
        self._reorder = ReorderBuffer(reorder_packets)
        self._reorder_wait_s = reorder_wait_s
        self._gap_timer: asyncio.TimerHandle | None = None
        self._senders: frozenset[str] = frozenset()
        self._targets: tuple[tuple[str, int], tuple[str, int]] | None = None
        self._source = _Source(track.clock_rate)
        self._before = TrackCounts(0, 0, 0, 0, 0, 0)
        self._foreign = 0
        self._malformed = 0
        self._reading = False

    @property
    def heard(self) -> bool:
        """Whether any packet has come from the camera."""
        return self._source.ssrc is not None

    @property
    def counts(self) -> TrackCounts:
        tracker, before = self._source.tracker, self._before
        return TrackCounts(
            before.packets + tracker.received,
            before.lost + tracker.lost,
            before.reordered + tracker.reordered,
            self._reorder.late,
            self._foreign,
            self._malformed,
        )

    def expect(self, senders: Collection[str], address: str, server_port: tuple[int, int] | None) -> None:
        """Accept datagrams from these IP addresses; send reports to the server's ports, if it named them."""
        self._senders = frozenset(senders)
        if server_port is not None and server_port[0] > 0 and server_port[1] > 0:
            self._targets = ((address, server_port[0]), (address, server_port[1]))

    def start(self) -> None:
        self._loop.add_reader(self._rtp.fileno(), self._read_rtp)
        self._loop.add_reader(self._rtcp.fileno(), self._read_rtcp)
        self._reading = True

    def close(self) -> None:
        if self._gap_timer is not None:
            self._gap_timer.cancel()
        for opened in (self._rtp, self._rtcp):
            if self._reading:
                self._loop.remove_reader(opened.fileno())
            opened.close()
        self._reading = False

    def punch(self, ssrc: int, cname: str) -> None:
        """Send an empty packet to each of the camera's ports, so that a firewall on our side passes the answers."""
        if self._targets is not None:
            empty = build_rtp(b"", payload_type=self._track.payload_type or 0, sequence=0, timestamp=0, ssrc=ssrc)
            _send(self._rtp, empty, self._targets[0])
        self.report(ssrc, cname)

    def report(self, ssrc: int, cname: str) -> None:
        if self._targets is not None:
            blocks = self._source.report_blocks(self._loop.time())
            _send(self._rtcp, build_receiver_report(ReceiverReport(ssrc, blocks), cname=cname), self._targets[1])

    def _read_rtp(self) -> None:
        ready: list[bytes] = []
        reports: list[bytes] = []
        now, junk = self._loop.time(), self._malformed
        for packet in self._datagrams(self._rtp):
            if is_rtcp(packet):
                reports.append(packet)
            elif len(packet) >= _MIN_RTP and packet[0] >> 6 == 2:
                ready += self._receive(packet, now)
            else:
                self._malformed += 1
        self._deliver_packets(self._track.rtp_channel, ready)
        self._receive_reports(reports)
        self._report_junk(junk)
        self._watch_gap()

    def _read_rtcp(self) -> None:
        junk = self._malformed
        self._receive_reports(list(self._datagrams(self._rtcp)))
        self._report_junk(junk)

    def _report_junk(self, before: int) -> None:
        # A stranger's datagrams are no flood of the camera's.
        junk = self._malformed - before
        if junk:
            self._on_junk(junk)

    def _datagrams(self, opened: socket.socket) -> list[bytes]:
        packets: list[bytes] = []
        for _ in range(_DATAGRAMS_AT_ONCE):
            try:
                packet, sender = opened.recvfrom(_MAX_DATAGRAM_BYTES)
            except OSError:
                # Nothing more now, or an ICMP error about our packet: the next ones come nevertheless.
                break
            if sender[0].partition("%")[0] in self._senders:
                packets.append(packet)
            else:
                self._foreign += 1
        return packets

    def _receive(self, packet: bytes, now: float) -> list[bytes]:
        _, sequence, timestamp, ssrc = _RTP_FIELDS.unpack_from(packet)
        before: list[bytes] = []
        if ssrc != self._source.ssrc:
            if self.heard:
                before = self._reorder.flush()
                self._before = self.counts
            self._source = _Source(self._track.clock_rate, ssrc)
        self._source.tracker.update(sequence)
        self._source.jitter.update(timestamp, now)
        ready = self._reorder.push(sequence, packet)
        return before + ready if before else ready

    def _receive_reports(self, packets: Sequence[bytes]) -> None:
        taken = []
        for packet in packets:
            try:
                parsed = parse_rtcp(packet)
            except MalformedError:
                self._malformed += 1
                continue
            taken.append(packet)
            for report in parsed:
                if isinstance(report, SenderReport):
                    self._source.sender_report(report, self._loop.time())
        self._deliver_packets(self._track.rtcp_channel, taken)

    def _deliver_packets(self, channel: int, packets: Sequence[bytes]) -> None:
        if packets:
            self._deliver(interleaved_batch(channel, packets))

    def _watch_gap(self) -> None:
        gap = self._reorder.gap
        if gap is not None and self._gap_timer is None and self._reading:
            self._gap_timer = self._loop.call_later(self._reorder_wait_s, self._gap_is_old, gap)

    def _gap_is_old(self, gap: int) -> None:
        self._gap_timer = None
        if self._reorder.gap == gap:
            self._deliver_packets(self._track.rtp_channel, self._reorder.skip())
        self._watch_gap()


class _Source:
    """Statistics of one sender (SSRC) of a track."""

    def __init__(self, clock_rate: int, ssrc: int | None = None) -> None:
        self.ssrc = ssrc
        self.tracker = SequenceTracker()
        self.jitter = JitterEstimator(clock_rate)
        self._sender_report: tuple[int, float] | None = None
        self._reported = (0, 0)

    def sender_report(self, report: SenderReport, now: float) -> None:
        if report.ssrc == self.ssrc:
            self._sender_report = (report.ntp >> 16 & 0xFFFFFFFF, now)

    def report_blocks(self, now: float) -> tuple[ReportBlock, ...]:
        """One block (RFC 3550 §6.4.1, A.3), or none before the first packet."""
        if self.ssrc is None:
            return ()
        expected, received = self.tracker.expected, self.tracker.received
        in_interval = expected - self._reported[0]
        lost = in_interval - (received - self._reported[1])
        self._reported = (expected, received)
        last_sr, heard_at = self._sender_report or (0, now)
        block = ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=min(255, 256 * lost // in_interval) if in_interval > 0 and lost > 0 else 0,
            cumulative_lost=expected - received,
            highest_sequence=self.tracker.highest,
            jitter=int(self.jitter.jitter),
            last_sr=last_sr,
            delay_since_last_sr=round((now - heard_at) * 65536),
        )
        return (block,)


def interleaved_batch(channel: int, packets: Sequence[bytes]) -> MediaBatch:
    """Packets as they would have come over TCP."""
    parts: list[bytes] = []
    frames: list[tuple[int, int, int]] = []
    at = 0
    for packet in packets:
        end = at + FRAME_HEADER_BYTES + len(packet)
        parts += (_pack_frame_header(0x24, channel, len(packet)), packet)
        frames.append((channel, at, end))
        at = end
    return MediaBatch(b"".join(parts), frames)


def literal_address(text: str | None) -> str | None:
    """Write an IP address in its usual form, or None when `text` is none (a name is not resolved)."""
    try:
        return str(ipaddress.ip_address(text)) if text else None
    except ValueError:
        return None


def _send(opened: socket.socket, packet: bytes, target: tuple[str, int]) -> None:
    try:
        opened.sendto(packet, target)
    except OSError:
        # Lost, as UDP may lose it: the next report repeats it.
        return
