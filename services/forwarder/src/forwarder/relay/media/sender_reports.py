"""What a camera reports of its video by RTCP, as it goes by: its clock, and that it ends the stream."""

from contextlib import suppress

from vonggac.media.rtcp import GoodbyeWatch, parse_rtcp
from vonggac.media.sender_clock import CameraClock
from vonggac.net.errors import MalformedError
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch


class SenderReports:
    """Of one session. Reads its channel and nothing else."""

    def __init__(self, rtcp_channel: int) -> None:
        self.clock = CameraClock()
        self._goodbye = GoodbyeWatch()
        self._channel, self._bit = rtcp_channel, 1 << rtcp_channel

    @property
    def goodbyes(self) -> int:
        """How often the camera has said goodbye (RTCP BYE): the end of the stream if no picture comes after it."""
        return self._goodbye.goodbyes

    def read_piece(self, data: bytes) -> None:
        """Read whole frames of any channels."""
        self.read_batch(MediaBatch.of(data))

    def read_batch(self, batch: MediaBatch) -> None:
        """Read frames of any channels."""
        if not batch.channels & self._bit:
            return
        for channel, start, end in batch.frames:
            if channel == self._channel:
                with suppress(MalformedError):
                    packets = parse_rtcp(batch.data[start + FRAME_HEADER_BYTES : end])
                    self.clock.read_reports(packets)
                    self._goodbye.read(packets)
