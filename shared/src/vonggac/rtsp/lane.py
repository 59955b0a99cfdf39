"""The short way of media: whole frames of agreed channels, from one connection to others, looked at no further.

Most of what a relay passes on needs nothing else. All of it is one function and few objects on purpose: between two
pictures of a camera the kernel and a hundred other cameras have used the processor's caches, so what a picture costs is
how many different things are touched for it.
"""

import struct
from collections.abc import Callable

_DOLLAR = 0x24
_FRAME_HEADER = 4
_unpack_header = struct.Struct(">HH").unpack_from  # '$' and the channel as one number, and the length

type Write = Callable[[bytes], None]
"""Never blocks, never raises."""


class MediaLane:
    """Counts what it passes on: `bytes` with frame headers, `packets`, and as `pictures` the pieces that held video.

    `writes`: whom to hand everything to; None while the lane is shut since somebody must look closer.
    """

    __slots__ = ("_heads", "_video", "bytes", "packets", "pictures", "writes")

    def __init__(self, *, channels: frozenset[int], video_channel: int) -> None:
        self._heads = frozenset(_DOLLAR << 8 | channel for channel in channels)
        self._video = _DOLLAR << 8 | video_channel
        self.writes: tuple[Write, ...] | None = None
        self.bytes = 0
        self.packets = 0
        self.pictures = 0

    def take(self, data: bytes) -> bool:
        """Pass `data` on if it is whole frames of the lane's channels and nothing else; if not, do nothing: False."""
        writes = self.writes
        if writes is None:
            return False
        size = len(data)
        unpack = _unpack_header
        at, count, known, pictures = 0, 0, -1, 0
        try:
            while at < size:
                head, length = unpack(data, at)
                if head != known:
                    if head not in self._heads:
                        return False
                    if head == self._video:
                        pictures = 1
                    known = head
                at += _FRAME_HEADER + length
                count += 1
        except struct.error:
            # Less than a header is left.
            return False
        if at != size:
            return False
        # Before they are written: whoever stops taking in the midst of it was given this piece.
        self.bytes += size
        self.packets += count
        self.pictures += pictures
        for write in writes:
            write(data)
        return True
