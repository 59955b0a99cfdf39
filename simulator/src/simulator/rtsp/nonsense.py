"""What a broken or malicious camera sends: junk amid its media, huge frames and messages."""

import random
import struct

from simulator.packets import Frame

GARBAGE_BYTES = 1 << 16
_GARBAGE = random.Random(1742).randbytes(GARBAGE_BYTES)
_JUNK_EVERY_FRAMES = 10
_JUNK_BYTES = (64, 600)
_CHUNK_BYTES = 1 << 20
_FRAGMENT_BYTES = 60_000
_HUGE_CONTENT_BYTES = (1 << 32) - 1
_HUGE_HEADER_BYTES = 4 << 20
_MAX_DATAGRAM_BYTES = 60_100
_INTACT_BYTES = 4 + 12 + 4
"""Interleaved header, RTP header, and the headers of a NAL unit or fragment."""


def garbage(size: int) -> bytes:
    """`size` (at most 64 KiB) bytes that mean nothing."""
    begin = random.randrange(GARBAGE_BYTES - min(size, GARBAGE_BYTES) + 1)
    return _GARBAGE[begin : begin + size]


class Junk:
    """Puts garbage into one session's media; it begins with whole frames, and most stay whole."""

    def __init__(self, kind: str | None) -> None:
        """`between`: behind a frame; `inside`: over a part of it, alternately over a header and anywhere."""
        self._inside = kind == "inside"
        self._frames = 0

    def spoil(self, frame: Frame, channel: int) -> bytearray:
        """Spoil the frame's interleaved bytes as they are sent."""
        data = frame.on_channel(channel)
        self._frames += 1
        if self._frames % _JUNK_EVERY_FRAMES:
            return data
        junk = garbage(random.randint(*_JUNK_BYTES))
        if not self._inside:
            return data + junk
        over_header = self._frames // _JUNK_EVERY_FRAMES % 2
        begin = random.choice(frame.starts) if over_header else random.randrange(len(data))
        data[begin : begin + len(junk)] = junk[: len(data) - begin]
        return data


def damaged(frame: Frame, channel: int) -> bytearray:
    """Damage a keyframe: its slices are nonsense a few bytes after their headers. Other frames stay as they are."""
    data = frame.on_channel(channel)
    if not frame.keyframe:
        return data
    # The first packet holds the parameter sets.
    for start, end in zip(frame.starts[1:], (*frame.starts[2:], len(data)), strict=True):
        begin = min(start + _INTACT_BYTES, end)
        data[begin:end] = bytes(byte ^ 0x5A for byte in data[begin:end])
    return data


class HugeUnit:
    """One access unit of `size_bytes` in fragments (RFC 6184 FU-A, RFC 7798 FU), and then the next."""

    def __init__(self, codec: str, size_bytes: int) -> None:
        self._header = b"\x7c" if codec == "h264" else b"\x62\x01"
        self._kind = 5 if codec == "h264" else 19
        self._size_bytes = size_bytes
        self._sent = 0
        self._sequence: int | None = None
        self._timestamp = b""

    def next_chunk(self, frame: Frame, channel: int) -> bytes:
        """About a megabyte of fragments in place of `frame`."""
        if self._sequence is None:
            self._sequence = int.from_bytes(frame.data[6:8])
        if self._sent == 0:
            self._timestamp = bytes(frame.data[8:12])
        parts: list[bytes] = []
        for _ in range(_CHUNK_BYTES // _FRAGMENT_BYTES):
            parts.append(self._fragment(channel, payload_type=frame.data[5] & 0x7F, ssrc=bytes(frame.data[12:16])))
            if self._sent == 0:
                break
        return b"".join(parts)

    def _fragment(self, channel: int, *, payload_type: int, ssrc: bytes) -> bytes:
        assert self._sequence is not None
        first, last = self._sent == 0, self._sent + _FRAGMENT_BYTES >= self._size_bytes
        flags = 0x80 * first | 0x40 * last
        payload = self._header + bytes((flags | self._kind,)) + bytes(_FRAGMENT_BYTES)
        head = struct.pack(
            ">cBHBBH", b"$", channel, 12 + len(payload), 0x80, payload_type | 0x80 * last, self._sequence
        )
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._sent = 0 if last else self._sent + _FRAGMENT_BYTES
        return head + self._timestamp + ssrc + payload


def split_interleaved(data: bytes | bytearray) -> list[bytes]:
    """Datagrams for UDP: the bytes between headers, if any, and then the rest."""
    datagrams: list[bytes] = []
    offset = 0
    while data[offset : offset + 1] == b"$" and offset + 4 <= len(data):
        end = offset + 4 + int.from_bytes(data[offset + 2 : offset + 4])
        datagrams += _limited(bytes(data[offset + 4 : end]))
        offset = end
    return datagrams + _limited(bytes(data[offset:]))


def _limited(data: bytes) -> list[bytes]:
    return [data[start : start + _MAX_DATAGRAM_BYTES] for start in range(0, len(data), _MAX_DATAGRAM_BYTES)]


def huge_answer(kind: str | None, cseq: str) -> bytes:
    """Build an answer that announces a body of 4 GiB, or has a header line that does not end."""
    head = f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n".encode()
    if kind == "message":
        length = f"Content-Type: application/sdp\r\nContent-Length: {_HUGE_CONTENT_BYTES}\r\n\r\n".encode()
        return head + length + b"v=0\r\n" * 10_000
    return head + b"X-Endless: " + b"a" * _HUGE_HEADER_BYTES
