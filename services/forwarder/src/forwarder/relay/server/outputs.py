"""Where the media of a served session goes: its own connection, paced while it begins, or UDP."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from vonggac.rtsp.server.media_sender import MediaSender
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch

FASTER = 4.0
"""A kept group of pictures goes out this many times as fast as it came: all at once it would overflow a player."""
STEP_S = 0.02
LEAST_BYTES_PER_S = 64 << 10
FIRST_BYTES = 64 << 10
"""Go out at once: the first picture is not held back."""


class PacedOutput:
    """The connection itself. What is written amid `pace` waits, and all that comes meanwhile behind it."""

    def __init__(self, write: Callable[[bytes], None], buffered: Callable[[], int]) -> None:
        self._write, self._buffered = write, buffered
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._rate = 0.0
        self._room = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def write_buffer_bytes(self) -> int:
        return self._waiting_bytes + self._buffered()

    def write_media(self, data: bytes) -> None:
        if self._timer is None:
            self._write(data)
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)

    def pace(self, kept_bytes: int, kept_s: float) -> None:
        """Hold back what is written next: `kept_bytes` that came within `kept_s`."""
        self._rate = max(FASTER * kept_bytes / max(kept_s, STEP_S), LEAST_BYTES_PER_S)
        self._room = FIRST_BYTES
        self._timer = asyncio.get_running_loop().call_soon(self._step)  # type: ignore[assignment]

    def close(self) -> None:
        """Write nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.clear()
        self._waiting_bytes = 0

    def _step(self) -> None:
        while self._waiting and self._room > 0:
            data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            self._room -= len(data)
            self._write(data)
        if not self._waiting:
            self._timer = None
            return
        self._room = min(self._room, 0.0) + self._rate * STEP_S
        self._timer = asyncio.get_running_loop().call_later(STEP_S, self._step)


class DatagramOutput:
    """UDP, a datagram for each packet; tracks that are interleaved all the same go to the connection."""

    def __init__(
        self, sender: MediaSender, tracks: Mapping[int, tuple[int, bool]], write: Callable[[bytes], None]
    ) -> None:
        """`tracks`: by the camera's channel number, the track and whether the channel is its RTCP."""
        self._sender, self._tracks, self._write = sender, tracks, write
        self.last_sequences: dict[int, int] = {}
        """Of the last packet that was sent, by track."""

    @property
    def write_buffer_bytes(self) -> int:
        """A full socket drops: nothing waits."""
        return 0

    def write_media(self, data: bytes) -> None:
        for channel, start, end in MediaBatch.of(data).frames:
            track, is_report = self._tracks.get(channel, (-1, False))
            udp = self._sender.udp_of(track)
            if udp is None:
                self._interleave(track, data[start:end], is_report=is_report)
            elif is_report:
                udp.send_report(data[start + FRAME_HEADER_BYTES : end])
            else:
                packet = data[start + FRAME_HEADER_BYTES : end]
                self.last_sequences[track] = int.from_bytes(packet[2:4])
                udp.send_packets((packet,))

    def _interleave(self, track: int, frame: bytes, *, is_report: bool) -> None:
        channels = self._sender.channels_of(track)
        if channels is not None:
            self._write(frame[:1] + bytes((channels[is_report],)) + frame[2:])
