"""What a camera reports of its video by RTCP, as it goes by: its clock, and that it ends the stream."""

from contextlib import suppress

from vonggac.media.rtcp import Goodbye, GoodbyeWatch, RtcpPacket, SenderReport, parse_rtcp
from vonggac.media.sender_clock import CameraClock
from vonggac.net.errors import MalformedError
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch


class SenderReports:
    """Of one session. Reads its channel and nothing else."""

    def __init__(self, rtcp_channel: int) -> None:
        self.clock = CameraClock()
        self._goodbye = GoodbyeWatch()
        self._channel, self._bit = rtcp_channel, 1 << rtcp_channel
        self.latest: bytes | None = None
        """The camera's last sender report of the video, as it came."""
        self.ssrc: int | None = None
        """Of the video, by that report."""

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
                    raw = bytes(batch.data[start + FRAME_HEADER_BYTES : end])
                    packets = parse_rtcp(raw)
                    self.clock.read_reports(packets)
                    self._goodbye.read(packets)
                    self._keep_latest(raw, packets)

    def _keep_latest(self, raw: bytes, packets: list[RtcpPacket]) -> None:
        """For a session that begins later: a player needs one to bring sound and picture together."""
        report = next((packet for packet in packets if isinstance(packet, SenderReport)), None)
        if report is not None and not any(isinstance(packet, Goodbye) for packet in packets):
            self.latest, self.ssrc = raw, report.ssrc
