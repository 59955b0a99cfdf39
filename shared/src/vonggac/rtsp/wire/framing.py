"""Splitting a TCP stream into interleaved media and RTSP messages (RFC 2326 §10.12).

This is the relay's hot path: it reads the four bytes of each frame header and no media
payload. What the Deframer returns depends on the bytes alone, never on how TCP cut them.
"""

import re
import struct
import sys
from collections.abc import Callable
from typing import Self

from vonggac.net.errors import MalformedError, PeerError
from vonggac.rtsp.wire.messages import Request, Response, content_length, is_start_line, parse_head

FRAME_HEADER_BYTES = 4
"""Of an interleaved frame: '$', channel, and the length of the packet behind them (RFC 2326 §10.12)."""
MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 256 * 1024
MAX_JUNK_BYTES = 64 * 1024

_DOLLAR = 0x24
_BLANK = re.compile(rb"[\r\n]+")  # between messages RFC 2326 §4.1 lets empty lines pass
_unpack_header = struct.Struct(">HH").unpack_from  # '$' and the channel as one number, and the length
_MAX_START_LINE = 4096
# Where a frame or a message can begin again after junk. No session has more than 32 channels, so a '$' before a
# higher number counts as payload of a lost frame.
_RESYNC = re.compile(
    rb"\$[\x00-\x1f]|RTSP/|HTTP/|(?:OPTIONS|DESCRIBE|ANNOUNCE|SETUP|PLAY|PAUSE|RECORD|REDIRECT|TEARDOWN"
    rb"|GET_PARAMETER|SET_PARAMETER) "
)
_RESYNC_LONGEST = len(b"GET_PARAMETER ")
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class MediaBatch:
    """Whole interleaved frames back to back: `count` of them, which cover `data` without a gap.

    `channels`: a set of bits, 1 << n for every channel n that a frame is of.
    """

    __slots__ = ("_frames", "channels", "count", "data")

    data: bytes
    count: int
    channels: int

    def __init__(self, data: bytes, frames: list[tuple[int, int, int]]) -> None:
        """`frames` as in the property."""
        self.data = data
        self._frames: list[tuple[int, int, int]] | None = frames
        self.count = len(frames)
        self.channels = 0
        for channel, _, _ in frames:
            self.channels |= 1 << channel

    @classmethod
    def of(cls, data: bytes) -> Self:
        """From the data of another batch: whole frames and nothing else."""
        return cls(data, _frames_of(data))

    @property
    def frames(self) -> list[tuple[int, int, int]]:
        """(channel, start, end) into `data`; start is the offset of '$', end is exclusive.

        The RTP or RTCP packet itself is `data[start + FRAME_HEADER_BYTES : end]`. Made at the first use: passing a
        batch on needs none.
        """
        if self._frames is None:
            self._frames = _frames_of(self.data)
        return self._frames

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MediaBatch) and (self.data, self.frames) == (other.data, other.frames)

    __hash__ = None  # type: ignore[assignment]  # its data may be compared, not looked up

    def __repr__(self) -> str:
        return f"MediaBatch({len(self.data)} bytes, {self.frames})"


type Item = MediaBatch | Request | Response


class Deframer:
    """Feed it what TCP delivers. Bounded: it holds at most one partial frame or message."""

    __slots__ = (
        "_chunks",
        "_held",
        "_junk_run",
        "_lost",
        "_needed",
        "_on_message",
        "_partial",
        "_plain",
        "_taken",
        "failure",
        "junk_bytes",
        "left_over",
        "most",
    )

    def __init__(self, on_message: Callable[[], None] | None = None, *, most: int = sys.maxsize) -> None:
        """`on_message` is called for each head before it is read; the PeerError that it raises ends the stream.

        `most`: how many frames and messages `feed` returns at once, about.
        """
        self._on_message = on_message
        self.most = most
        self._chunks: list[bytes] = []
        self._held = 0
        self._needed = 0
        self._taken = 0
        self._partial: tuple[Request | Response, int] | None = None
        self._lost = False
        self._plain = True
        self._junk_run = 0
        self.junk_bytes = 0
        """Bytes skipped so far: of no frame and no message."""
        self.left_over = False
        """Whether `feed` has more without another byte: give it none, in the next iteration of the event loop."""
        self.failure: PeerError | None = None
        """Set when the stream cannot be parsed any further; the next `feed` raises it."""

    @property
    def idle(self) -> bool:
        """Whether the next byte begins a frame or a message: nothing waits and nothing was lost."""
        return self._plain

    def feed(self, data: bytes) -> list[Item]:
        """Return what is complete now, in order.

        Raises PeerError when the stream cannot be parsed (an oversized head or body, too much junk, HTTP).
        What was complete before the bad bytes is still returned: then `failure` is set and the next call raises.
        """
        if self._plain and data and data[0] == _DOLLAR:
            # Almost always: frames, and nothing waited or was lost.
            end, count, channels = _walk(data, 0, self.most)
            if end == len(data):
                self._junk_run = 0
                return [_batch(data, count, channels)]
        if self.failure is not None:
            raise self.failure
        self._plain = self.left_over = False
        self._taken = 0
        if self._held:
            self._chunks.append(data)
            self._held += len(data)
            if self._held < self._needed:
                return []
            data = b"".join(self._chunks)
            self._chunks = []
            self._held = 0
        out: list[Item] = []
        try:
            self._split(data, out)
        except PeerError as error:
            self.failure = error
            self._chunks = []
            self._held = 0
            if not out:
                raise
        self._plain = not self._held and self._partial is None and not self._lost and self.failure is None
        return out

    def _split(self, data: bytes, out: list[Item]) -> None:
        size = len(data)
        pos = 0
        if self._partial is not None:
            pos = self._take_body(data, pos, out)
        while pos < size:
            if self._taken >= self.most:
                self._hold_tail(data, pos, 0)
                self.left_over = True
                return
            # Junk counts too: finding its end costs as much as a frame.
            self._taken += 1
            if self._lost:
                pos = self._resync(data, pos)
            elif data[pos] == _DOLLAR:
                pos = self._take_frames(data, pos, out)
            elif (blank := _BLANK.match(data, pos)) is not None:
                # No junk, but as little worth: the next frame or message forgives it.
                self._junk_run += blank.end() - pos
                pos = blank.end()
                self._check_junk()
            else:
                pos = self._take_message(data, pos, out)

    def _take_frames(self, data: bytes, begin: int, out: list[Item]) -> int:
        """Read whole frames from `begin`; keeps a partial one and then returns the end."""
        end, count, channels = _walk(data, begin, self.most)
        if count:
            self._junk_run = 0
            self._taken += count
            out.append(_batch(data if begin == 0 and end == len(data) else data[begin:end], count, channels))
        size = len(data)
        if end < size and data[end] == _DOLLAR and count < self.most:
            whole = end + FRAME_HEADER_BYTES <= size
            self._hold_tail(data, end, FRAME_HEADER_BYTES + (_unpack_header(data, end)[1] if whole else 0))
            return size
        return end

    def _hold_tail(self, data: bytes, pos: int, needed: int) -> None:
        """Keep the tail from `pos` until `needed` bytes of it are there."""
        tail = data[pos:]
        if tail:
            self._chunks = [tail]
            self._held = len(tail)
            self._needed = needed

    def _take_message(self, data: bytes, pos: int, out: list[Item]) -> int:
        """Read the message at `pos`; keeps a partial one and then returns the end; loses sync when it is none."""
        verdict = _looks_like_message(data, pos)
        if verdict is None:
            self._hold_tail(data, pos, len(data) - pos + 1)
            return len(data)
        if not verdict:
            self._lost = True
            return self._skip_junk(pos, pos + 1)
        limit = pos + MAX_HEAD_BYTES
        head_end, body = _head_end(data, pos, limit)
        if head_end < 0:
            if len(data) >= limit:
                raise MalformedError(f"a message head is longer than {MAX_HEAD_BYTES} bytes")
            self._hold_tail(data, pos, len(data) - pos + 1)
            return len(data)
        if self._on_message is not None:
            self._on_message()
        message = parse_head(data[pos:head_end])
        length = content_length(message.headers)
        if length > MAX_BODY_BYTES:
            raise MalformedError(f"a message body is longer than {MAX_BODY_BYTES} bytes")
        self._junk_run = 0
        self._partial = (message, length)
        return self._take_body(data, body, out)

    def _take_body(self, data: bytes, pos: int, out: list[Item]) -> int:
        """Complete the message in `_partial`; keeps the tail and returns the end when its body is incomplete."""
        assert self._partial is not None
        message, length = self._partial
        if len(data) - pos < length:
            self._hold_tail(data, pos, length)
            return len(data)
        message.body = data[pos : pos + length]
        self._partial = None
        # Where it was waited for it has not been counted in this iteration.
        self._taken = self._taken or 1
        out.append(message)
        return pos + length

    def _resync(self, data: bytes, pos: int) -> int:
        """Skip to where a frame or message may begin again; keeps a tail that may be its beginning."""
        found = _RESYNC.search(data, pos)
        if found is not None:
            self._lost = False
            return self._skip_junk(pos, found.start())
        tail = max(pos, len(data) - _RESYNC_LONGEST + 1)
        self._skip_junk(pos, tail)
        self._hold_tail(data, tail, len(data) - tail + 1)
        return len(data)

    def _skip_junk(self, begin: int, end: int) -> int:
        self._junk_run += end - begin
        self.junk_bytes += end - begin
        self._check_junk()
        return end

    def _check_junk(self) -> None:
        if self._junk_run > MAX_JUNK_BYTES:
            raise MalformedError(f"more than {MAX_JUNK_BYTES} bytes that are neither RTSP nor media")


def _walk(data: bytes, begin: int, most: int) -> tuple[int, int, int]:
    """Skip up to `most` whole frames: their end, their number, and the bits of their channels."""
    size = len(data)
    last = size - FRAME_HEADER_BYTES
    unpack = _unpack_header
    at, count, channels, known = begin, 0, 0, -1
    while at <= last and count < most:
        head, length = unpack(data, at)
        end = at + FRAME_HEADER_BYTES + length
        if end > size:
            break
        if head != known:
            if head >> 8 != _DOLLAR:
                break
            known = head
            channels |= 1 << (head & 0xFF)
        at = end
        count += 1
    return at, count, channels


def _batch(data: bytes, count: int, channels: int) -> MediaBatch:
    batch = _new_batch(MediaBatch)
    batch.data, batch.count, batch.channels, batch._frames = data, count, channels, None
    return batch


_new_batch = MediaBatch.__new__


def _frames_of(data: bytes) -> list[tuple[int, int, int]]:
    frames: list[tuple[int, int, int]] = []
    at, size = 0, len(data)
    while at < size:
        head, length = _unpack_header(data, at)
        end = at + FRAME_HEADER_BYTES + length
        frames.append((head & 0xFF, at, end))
        at = end
    return frames


def _head_end(data: bytes, pos: int, limit: int) -> tuple[int, int]:
    """(end of the head, begin of the body) around the first empty line, with or without CR; (-1, -1) if there is none.

    With `find`, not a regular expression: a head that trickles in is searched again with every piece.
    """
    bare = data.find(b"\n\n", pos, limit)
    full = data.find(b"\n\r\n", pos, limit if bare < 0 else bare + 1)
    if full >= 0:
        return full, full + 3
    return (bare, bare + 2) if bare >= 0 else (-1, -1)


def _looks_like_message(data: bytes, pos: int) -> bool | None:
    """Whether a message begins at `pos`; None when more bytes are needed."""
    first = data[pos]
    if not 0x41 <= first <= 0x5A:
        return False
    stop = data.find(b"\n", pos, pos + _MAX_START_LINE)
    end = stop if stop >= 0 else min(len(data), pos + _MAX_START_LINE)
    if _NOT_TEXT.search(data, pos, end):
        return False
    if stop < 0:
        return None if len(data) < pos + _MAX_START_LINE else False
    line = data[pos:stop].decode("latin-1").rstrip("\r")
    if line.startswith("HTTP/"):
        raise MalformedError("the peer speaks HTTP, not RTSP")
    return is_start_line(line)
