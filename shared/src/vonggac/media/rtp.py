"""RTP packets, and statistics of their order and time (RFC 3550)."""

import struct
from typing import NamedTuple

from vonggac.net.errors import MalformedError

_HEADER = struct.Struct(">BBHII")
_MAX_MISORDER = 128
_MAX_DROPOUT = 3000  # RFC 3550 A.1


class RtpHeader(NamedTuple):
    """Header fields; the payload is `data[payload_start:payload_end]` of the data that was parsed."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload_start: int
    payload_end: int


def parse_rtp(data: bytes | memoryview, start: int = 0, end: int | None = None) -> RtpHeader:
    """Parse the packet in `data[start:end]` (§5.1): CSRC list, extension and padding are skipped.

    Raises MalformedError when it is not RTP version 2 or a length does not fit.
    """
    stop = len(data) if end is None else end
    if stop - start < 12:
        raise MalformedError("an RTP packet is shorter than its header")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data, start)
    if first >> 6 != 2:
        raise MalformedError("a packet is not RTP version 2")
    payload = start + 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if payload + 4 > stop:
            raise MalformedError("an RTP header extension is cut off")
        payload += 4 + 4 * (data[payload + 2] << 8 | data[payload + 3])
    if first & 0x20:
        stop -= data[stop - 1]
    if payload > stop:
        raise MalformedError("an RTP packet's lengths do not fit")
    return RtpHeader(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, payload, stop)


def build_rtp(
    payload: bytes, *, payload_type: int, sequence: int, timestamp: int, ssrc: int, marker: bool = False
) -> bytes:
    """Build a packet without CSRC, extension or padding; sequence and timestamp are taken modulo their width."""
    second = payload_type & 0x7F | (0x80 if marker else 0)
    return _HEADER.pack(0x80, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc & 0xFFFFFFFF) + payload


def interleave(channel: int, packet: bytes) -> bytes:
    """One interleaved frame. Raises MalformedError when packet or channel do not fit the frame header."""
    if len(packet) > 0xFFFF or not 0 <= channel <= 0xFF:
        raise MalformedError("an interleaved frame takes 65535 bytes on channels 0 to 255")
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet


class SequenceTracker:
    """Counts received, lost, reordered and doubled packets of one SSRC, over the 16-bit wrap.

    A jump of 3000 or more ahead counts as loss, and a step back of more than 128 as a restart of the sender, only when
    the next packet confirms it: one broken packet does not make a thousand lost ones. A late packet cancels
    its loss. A restart within one SSRC that lands ahead looks like loss: a new SSRC needs a new tracker.

    `brief`: counts a few seconds, in which nobody loses 3000 packets in a row: a jump ahead is a restart, too
    (RFC 3550 A.1).
    """

    __slots__ = (
        "_brief",
        "_expected_before",
        "_first",
        "_highest",
        "_probation",
        "_seen",
        "duplicates",
        "received",
        "reordered",
        "restarts",
    )

    def __init__(self, *, brief: bool = False) -> None:
        self._brief = brief
        self.received = 0
        """Packets that counted, without doubled ones."""
        self.reordered = 0
        self.duplicates = 0
        self.restarts = 0
        self._first: int | None = None
        self._highest = 0
        self._expected_before = 0
        self._seen = 0
        self._probation: int | None = None

    @property
    def highest(self) -> int:
        """The extended highest sequence number (for receiver reports); 0 before the first packet."""
        return self._highest

    @property
    def expected(self) -> int:
        if self._first is None:
            return 0
        return self._expected_before + self._highest - self._first + 1

    @property
    def lost(self) -> int:
        return max(0, self.expected - self.received)

    def update(self, sequence: int) -> None:
        """Count the packet with this 16-bit sequence number."""
        if self._first is None:
            self._begin(sequence)
            return
        ahead = (sequence - self._highest) & 0xFFFF
        if 0 < ahead < _MAX_DROPOUT:
            self._advance(ahead)
        elif ahead == 0 or ahead > 0x10000 - _MAX_MISORDER:
            self._late(0x10000 - ahead if ahead else 0)
        elif sequence == self._probation:
            self._confirm_jump(sequence, ahead)
        else:
            self._probation = (sequence + 1) & 0xFFFF

    def advance(self, packets: int) -> None:
        """Count packets that follow the highest one (or one another) without a gap; `update` was called before."""
        if not packets:
            return
        self._highest += packets
        self._seen = (self._seen << packets | (1 << packets) - 1) & ((1 << _MAX_MISORDER) - 1)
        self.received += packets
        self._probation = None

    def _begin(self, sequence: int) -> None:
        self._first = self._highest = sequence
        self._seen = 1
        self.received += 1
        self._probation = None

    def _advance(self, ahead: int) -> None:
        self._highest += ahead
        self._seen = (self._seen << ahead | 1) & ((1 << _MAX_MISORDER) - 1)
        self.received += 1
        self._probation = None

    def _late(self, behind: int) -> None:
        bit = 1 << behind
        before_first = self._first is not None and self._highest - behind < self._first
        if self._seen & bit or before_first:
            # A packet from before the first one is no gap: leave it out of every sum.
            self.duplicates += 0 if before_first else 1
            return
        self._seen |= bit
        self.received += 1
        self.reordered += 1

    def _confirm_jump(self, sequence: int, ahead: int) -> None:
        if ahead < 0x8000 and not self._brief:
            # Both the packet on probation and this one have come.
            self.received += 1
            self._advance(ahead)
            self._seen |= 2
            return
        self._expected_before = self.expected + 1
        self.received += 1
        self.restarts += 1
        self._begin(sequence)


class JitterEstimator:
    """Interarrival jitter (RFC 3550 §6.4.1 and A.8)."""

    __slots__ = ("_clock_rate", "_transit", "jitter")

    def __init__(self, clock_rate: int) -> None:
        if clock_rate <= 0:
            raise MalformedError("the clock rate must be above 0 Hz")
        self._clock_rate = clock_rate
        self._transit: float | None = None
        self.jitter = 0.0
        """In timestamp units."""

    @property
    def jitter_s(self) -> float:
        return self.jitter / self._clock_rate

    def update(self, timestamp: int, arrival_s: float) -> None:
        """`timestamp`: the packet's 32-bit RTP timestamp; `arrival_s`: a monotonic clock in seconds."""
        transit = (arrival_s * self._clock_rate - timestamp) % 0x100000000
        if self._transit is not None:
            change = (transit - self._transit + 0x80000000) % 0x100000000 - 0x80000000
            self.jitter += (abs(change) - self.jitter) / 16
        self._transit = transit
