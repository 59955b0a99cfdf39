"""The fast path of media: whole frames of agreed channels, from one connection to others, without reading more.

Most relayed media needs nothing else. It is one function with few objects on purpose: between two pictures of a camera
the kernel and a hundred other cameras have used the processor's caches, so the cost of a picture is the number of
objects that it touches.
"""

import struct
from collections.abc import Callable

from vonggac.net.iterations import AT_ONCE
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES

_DOLLAR = 0x24
_SMALL_BYTES = 64
"""Frames of media have more, headers included, on the average of a piece."""
_unpack_header = struct.Struct(">HHxB").unpack_from
"""'$' and the channel as one number, the length, and the byte of the packet that holds the marker bit."""

type Write = Callable[[bytes], None]
"""Never blocks, never raises."""
type OnReports = Callable[[bytes], None]
"""Gets a piece with RTCP in it."""
type Watch = Callable[[bytes, bool | None], None]
"""Gets a piece with video, and whether a picture ends with it; None where the piece itself must be read for that."""


class FastPath:
    """Counts what it passes on: `bytes` with frame headers, `packets`, and `endings` of pictures.

    An ending is a packet of video with the marker bit, the last of its picture (RFC 6184 §5.1, RFC 7798 §4.1).
    `writes`: the destinations of everything; None while the path is closed because somebody must read the frames.
    `watch` gets what was passed on with video in it, `on_reports` what was with a report or goodbye in it (RTCP, every
    few seconds), both after the destinations; None while nobody wants to know.
    """

    __slots__ = ("_heads", "_unmarked", "_video", "bytes", "endings", "on_reports", "packets", "watch", "writes")

    def __init__(self, *, channels: frozenset[int], video_channel: int) -> None:
        self._heads = frozenset(_DOLLAR << 8 | channel for channel in channels)
        self._video = _DOLLAR << 8 | video_channel
        self.writes: tuple[Write, ...] | None = None
        self.watch: Watch | None = None
        self.on_reports: OnReports | None = None
        self.bytes = 0
        self.packets = 0
        self.endings = 0
        self._unmarked = 0

    @property
    def pictures(self) -> int:
        """Grows while video comes, even without marker bits."""
        return self.endings + self._unmarked

    def pass_on(self, data: bytes) -> bool:
        """Pass `data` on if it is whole frames of its channels and nothing else; if not, do nothing: False.

        It refuses data whose last frame has less than two bytes: that is no packet. And many tiny frames at once:
        who reads them counts them, and takes several iterations.
        """
        writes = self.writes
        if writes is None:
            return False
        size = len(data)
        unpack, video = _unpack_header, self._video
        at, count, others, endings, second, reports = 0, 0, 0, 0, 0, False
        try:
            while at < size:
                head, length, second = unpack(data, at)
                if head == video:
                    if second > 127 and length > 1:
                        endings += 1
                elif head in self._heads:
                    others += 1
                    # Packet types of RTCP (SR, RR, SDES, BYE), which no sound has (RFC 3551 §6).
                    reports |= 199 < second < 204
                else:
                    return False
                at += FRAME_HEADER_BYTES + length
                count += 1
        except struct.error:
            # Less than a header is left, or the last frame holds no packet.
            return False
        if at != size or (count > AT_ONCE and size < count * _SMALL_BYTES):
            return False
        # Before the writes: a destination that is removed amid them has got this piece.
        self.bytes += size
        self.packets += count
        if endings:
            self.endings += endings
        else:
            self._unmarked += count != others
        for write in writes:
            write(data)
        if self.watch is not None and count != others:
            # Most pieces are video alone, and hold one picture's end at most: their last.
            ends = second > 127
            self.watch(data, ends if not others and endings == ends else None)
        if reports and self.on_reports is not None:
            self.on_reports(data)
        return True
