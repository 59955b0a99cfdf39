"""Coded media into RTP, in the child: H.264 (RFC 6184), H.265 (RFC 7798), AAC (RFC 3640), G.711 (RFC 3551)."""

import re
import secrets
from collections.abc import Iterator, Sequence

from vonggac.events.causes import Cause
from vonggac.media.h26x import VideoCodec
from vonggac.media.rtp import build_rtp, interleave
from vonggac.net.errors import PeerError

MAX_PAYLOAD_BYTES = 1400
MAX_UNITS = 2_000
"""NAL units of one picture. 4K with a slice for each row of macroblocks has 140; each is a packet of its own."""
MAX_SOUND_BYTES = (1 << 13) - 1
"""Of a frame of AAC, whose length has 13 bits; libav takes more from whoever sends it. A second of G.711 has 8,000."""
_ADTS_HEAD_BYTES = 7
_START_CODE = re.compile(b"\0*\0\0\1")
_H264_FU_A, _H265_FU = 28, 49


class RtpStream:
    """One track's packets in interleaved frames; RTP on `channel`."""

    def __init__(self, channel: int, payload_type: int) -> None:
        self.ssrc = secrets.randbits(32)
        self.packets = self.octets = 0
        self._channel, self._payload_type = channel, payload_type
        self._sequence = secrets.randbits(16)

    def frames(self, payloads: Sequence[bytes], timestamp: int) -> bytes:
        """All packets of one picture or sound frame; the last one is marked."""
        out = []
        last = len(payloads) - 1
        for number, payload in enumerate(payloads):
            packet = build_rtp(
                payload,
                payload_type=self._payload_type,
                sequence=self._sequence,
                timestamp=timestamp,
                ssrc=self.ssrc,
                marker=number == last,
            )
            self._sequence += 1
            self.packets += 1
            self.octets += len(payload)
            out.append(interleave(self._channel, packet))
        return b"".join(out)


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units between start codes (ITU-T H.264 annex B). Raises PeerError flood."""
    _check_count(data.count(b"\0\0\1"))
    return [nal.rstrip(b"\0") for nal in _START_CODE.split(data) if nal.strip(b"\0")]


def split_lengths(data: bytes, width: int) -> list[bytes]:
    """NAL units behind lengths of `width` bytes (ISO 14496-15); a length that does not fit ends it.

    Raises PeerError flood.
    """
    nals, at = [], 0
    while at + width <= len(data):
        size = int.from_bytes(data[at : at + width])
        at += width
        if size == 0 or at + size > len(data):
            break
        nals.append(data[at : at + size])
        _check_count(len(nals))
        at += size
    return nals


def configured_nals(codec: VideoCodec, extradata: bytes) -> tuple[int, list[bytes]]:
    """(width of the lengths, parameter sets) of a container's configuration; width 0 for start codes."""
    if not extradata or extradata[0] != 1:
        return 0, split_annex_b(extradata)
    if codec is VideoCodec.H264:
        return _avcc(extradata)
    return _hvcc(extradata)


def video_payloads(codec: VideoCodec, nals: Sequence[bytes]) -> list[bytes]:
    """RTP payloads of one picture: a NAL unit each, in fragments where it is too long."""
    return [payload for nal in nals for payload in _fragments(codec, nal)]


def aac_payload(frame: bytes) -> bytes:
    """One frame with its header (RFC 3640 §3.3.6: sizelength 13, indexlength 3)."""
    return b"\x00\x10" + (len(frame) << 3).to_bytes(2) + frame


def is_adts(data: bytes) -> bool:
    """Whether a frame of AAC brings its own header."""
    return len(data) > _ADTS_HEAD_BYTES and data[0] == 0xFF and data[1] >= 0xF0


def split_adts(data: bytes) -> tuple[bytes, bytes]:
    """(AudioSpecificConfig, raw frame) of an ADTS frame (ISO 13818-7 §6.2)."""
    head = 7 if data[1] & 1 else 9
    kind, rate = (data[2] >> 6) + 1, data[2] >> 2 & 15
    channels = (data[2] & 1) << 2 | data[3] >> 6
    return (kind << 11 | rate << 7 | channels << 3).to_bytes(2), data[head:]


def _fragments(codec: VideoCodec, nal: bytes) -> Iterator[bytes]:
    if len(nal) <= MAX_PAYLOAD_BYTES:
        yield nal
        return
    if codec is VideoCodec.H264:
        head, kind, body = bytes([nal[0] & 0xE0 | _H264_FU_A]), nal[0] & 0x1F, nal[1:]
    else:
        head, kind, body = bytes([nal[0] & 0x81 | _H265_FU << 1, nal[1]]), nal[0] >> 1 & 0x3F, nal[2:]
    size = MAX_PAYLOAD_BYTES - len(head) - 1
    for at in range(0, len(body), size):
        first, last = at == 0, at + size >= len(body)
        yield head + bytes([first << 7 | last << 6 | kind]) + body[at : at + size]


def _check_count(units: int) -> None:
    if units > MAX_UNITS:
        raise PeerError(Cause.FLOOD, f"one picture has more than {MAX_UNITS} NAL units")


def _avcc(record: bytes) -> tuple[int, list[bytes]]:
    nals: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):
        if at >= len(record):
            break
        count, at = record[at] & mask, at + 1
        at = _read_nals(record, at, count, nals)
    return (record[4] & 3) + 1 if len(record) > 4 else 4, nals


def _hvcc(record: bytes) -> tuple[int, list[bytes]]:
    nals: list[bytes] = []
    if len(record) < 23:
        return 4, nals
    at = 23
    for _ in range(record[22]):
        if at + 3 > len(record):
            break
        count = int.from_bytes(record[at + 1 : at + 3])
        at = _read_nals(record, at + 3, count, nals)
    return (record[21] & 3) + 1, nals


def _read_nals(record: bytes, at: int, count: int, nals: list[bytes]) -> int:
    for _ in range(count):
        size = int.from_bytes(record[at : at + 2])
        nal = record[at + 2 : at + 2 + size]
        at += 2 + size
        if nal:
            nals.append(nal)
    return at
