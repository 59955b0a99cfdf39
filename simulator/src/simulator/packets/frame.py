"""One media frame as every session gets it."""

from collections.abc import Iterator
from dataclasses import dataclass

from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES


@dataclass(frozen=True, slots=True)
class Frame:
    """Whole interleaved frames back to back; `starts` are the offsets of each `$`."""

    data: bytearray
    starts: tuple[int, ...]
    keyframe: bool

    @property
    def channel(self) -> int:
        return self.data[1]

    def on_channel(self, channel: int) -> bytearray:
        """Copy the frame for a session with another channel number."""
        copy = bytearray(self.data)
        for start in self.starts:
            copy[start + 1] = channel
        return copy

    def packets(self) -> list[bytes]:
        """List the RTP packets alone, for UDP."""
        return [bytes(self.data[start + FRAME_HEADER_BYTES : end]) for start, end in self._spans()]

    def split(self) -> Iterator["Frame"]:
        """Its packets one by one; the first carries the keyframe mark."""
        for start, end in self._spans():
            yield Frame(self.data[start:end], (0,), self.keyframe and start == 0)

    def _spans(self) -> Iterator[tuple[int, int]]:
        return zip(self.starts, (*self.starts[1:], len(self.data)), strict=True)
