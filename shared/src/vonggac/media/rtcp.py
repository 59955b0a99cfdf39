"""RTCP: sender and receiver reports, goodbye (RFC 3550 §6)."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vonggac.net.errors import MalformedError

_SR, _RR, _SDES, _BYE = 200, 201, 202, 203
_BLOCK = struct.Struct(">IIIIII")
_SENDER = struct.Struct(">QIII")
_NTP_EPOCH_OFFSET_S = 2_208_988_800
MAX_COMPOUND = 32
"""Packets in a compound one: senders put two to five into it, and a datagram has room for hundreds."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """One source as a receiver sees it. `jitter` in timestamp units; `last_sr` and `delay` as §6.4.1."""

    ssrc: int
    fraction_lost: int = 0
    """In 1/256."""
    cumulative_lost: int = 0
    highest_sequence: int = 0
    jitter: int = 0
    last_sr: int = 0
    delay_since_last_sr: int = 0
    """In 1/65536 s."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """`ntp`: 64-bit NTP timestamp of the moment that `rtp_timestamp` stands for."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    blocks: tuple[ReportBlock, ...] = ()

    @property
    def unix_s(self) -> float:
        return ntp_to_unix(self.ntp)


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """What its receiver has of each source (RFC 3550 §6.4.2)."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Sources that send no more (RFC 3550 §6.6)."""

    ssrcs: tuple[int, ...]


type RtcpPacket = SenderReport | ReceiverReport | Goodbye


def ntp_from_unix(unix_s: float) -> int:
    """Seconds since 1970 (UTC) -> 64-bit NTP timestamp."""
    return round((unix_s + _NTP_EPOCH_OFFSET_S) * 0x100000000) & 0xFFFFFFFFFFFFFFFF


def ntp_to_unix(ntp: int) -> float:
    """64-bit NTP timestamp -> seconds since 1970 (UTC)."""
    return ntp / 0x100000000 - _NTP_EPOCH_OFFSET_S


def is_rtcp(packet: bytes | memoryview) -> bool:
    """Whether a packet's type is one of RTCP's (RFC 5761 §4), to distinguish it from RTP on a shared channel."""
    return len(packet) >= 2 and 192 <= packet[1] <= 223


def parse_rtcp(data: bytes) -> list[RtcpPacket]:
    """Parse the reports and goodbyes of a compound packet; other types are skipped.

    Raises MalformedError when a length does not fit, the version is not 2, or there are more than MAX_COMPOUND.
    """
    packets: list[RtcpPacket] = []
    pos = parts = 0
    while pos < len(data):
        parts += 1
        if parts > MAX_COMPOUND:
            raise MalformedError(f"a compound RTCP packet holds more than {MAX_COMPOUND}")
        if len(data) - pos < 4 or data[pos] >> 6 != 2:
            raise MalformedError("a packet is not RTCP version 2")
        count, kind = data[pos] & 0x1F, data[pos + 1]
        end = pos + 4 + 4 * (data[pos + 2] << 8 | data[pos + 3])
        if end > len(data):
            raise MalformedError("an RTCP packet is cut off")
        parsed = _parse_one(kind, count, data[pos + 4 : end])
        if parsed is not None:
            packets.append(parsed)
        pos = end
    return packets


class GoodbyeWatch:
    """Whether the sender on one track's RTCP channel has said goodbye (RFC 3550 §6.6).

    Fed with its RTCP packets. A goodbye of another sender than that of the reports before it says nothing.
    """

    __slots__ = ("_ssrc", "goodbyes")

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self.goodbyes = 0
        """Of the sender. It may go on: one that changes its SSRC says goodbye to the one before (§8.2)."""

    def read(self, packets: Iterable[RtcpPacket]) -> None:
        """Read the packets of one compound packet."""
        for packet in packets:
            if isinstance(packet, SenderReport):
                self._ssrc = packet.ssrc
            elif isinstance(packet, Goodbye) and (self._ssrc is None or self._ssrc in packet.ssrcs):
                self.goodbyes += 1
                self._ssrc = None


def build_sender_report(report: SenderReport, *, cname: str | None = None) -> bytes:
    """SR, followed by an SDES CNAME if one is given (§6.1 demands one in every compound packet)."""
    body = struct.pack(">I", report.ssrc) + _SENDER.pack(
        report.ntp,
        report.rtp_timestamp & 0xFFFFFFFF,
        report.packet_count & 0xFFFFFFFF,
        report.octet_count & 0xFFFFFFFF,
    )
    packet = _packet(_SR, len(report.blocks), body + _pack_blocks(report.blocks))
    return packet + _source_description(report.ssrc, cname)


def build_receiver_report(report: ReceiverReport, *, cname: str | None = None) -> bytes:
    """RR, followed by an SDES CNAME if one is given."""
    body = struct.pack(">I", report.ssrc) + _pack_blocks(report.blocks)
    return _packet(_RR, len(report.blocks), body) + _source_description(report.ssrc, cname)


def build_goodbye(ssrc: int) -> bytes:
    """BYE of one source, without a reason."""
    return _packet(_BYE, 1, struct.pack(">I", ssrc))


def _parse_one(kind: int, count: int, body: bytes) -> RtcpPacket | None:
    if kind == _BYE:
        if len(body) < 4 * count:
            raise MalformedError("an RTCP goodbye is cut off")
        return Goodbye(struct.unpack_from(f">{count}I", body))
    if kind not in (_SR, _RR):
        return None
    sender_size = _SENDER.size if kind == _SR else 0
    if len(body) < 4 + sender_size + _BLOCK.size * count:
        raise MalformedError("an RTCP report is cut off")
    (ssrc,) = struct.unpack_from(">I", body)
    blocks = tuple(_parse_block(body, 4 + sender_size + _BLOCK.size * index) for index in range(count))
    if kind == _RR:
        return ReceiverReport(ssrc, blocks)
    ntp, rtp_timestamp, packet_count, octet_count = _SENDER.unpack_from(body, 4)
    return SenderReport(ssrc, ntp, rtp_timestamp, packet_count, octet_count, blocks)


def _parse_block(body: bytes, offset: int) -> ReportBlock:
    ssrc, lost, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, offset)
    cumulative = lost & 0xFFFFFF
    if cumulative & 0x800000:
        cumulative -= 0x1000000
    return ReportBlock(ssrc, lost >> 24, cumulative, highest, jitter, last_sr, delay)


def _pack_blocks(blocks: Sequence[ReportBlock]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            (block.fraction_lost & 0xFF) << 24 | max(-0x800000, min(0x7FFFFF, block.cumulative_lost)) & 0xFFFFFF,
            block.highest_sequence & 0xFFFFFFFF,
            block.jitter & 0xFFFFFFFF,
            block.last_sr & 0xFFFFFFFF,
            block.delay_since_last_sr & 0xFFFFFFFF,
        )
        for block in blocks
    )


def _source_description(ssrc: int, cname: str | None) -> bytes:
    if cname is None:
        return b""
    text = cname.encode("utf-8", "replace")[:255]
    items = struct.pack(">IBB", ssrc, 1, len(text)) + text
    return _packet(_SDES, 1, items + b"\0" * (4 - len(items) % 4))


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0x80 | count, kind, len(body) // 4) + body
