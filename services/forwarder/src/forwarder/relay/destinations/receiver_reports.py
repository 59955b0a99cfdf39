"""What a destination reports by RTCP about how the media arrives there (RFC 3550 §6.4).

It is shown and nothing is done upon it: over TCP nothing is lost on our side of the destination. The camera never gets
these reports, but our own, of what arrived here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from vonggac.media.rtcp import ReceiverReport, SenderReport, parse_rtcp
from vonggac.net.errors import MalformedError
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch
from vonggac.rtsp.wire.tracks import Track


@dataclass(frozen=True, slots=True)
class Reported:
    """The latest report on the video. `lost`: part of the packets since the report before, 0 to 1."""

    lost: float
    jitter_s: float


class ReportReader:
    """Takes what a destination sends on its RTCP channels; anything else it sends is passed over."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        """`tracks` with the destination's channels."""
        video = next((track for track in tracks if track.kind == "video"), None)
        self._channel = video.rtcp_channel if video else -1
        self._clock_rate = (video.clock_rate if video else 0) or 90_000
        self.latest: Reported | None = None

    def on_media(self, batch: MediaBatch) -> None:
        """Read the newest report of a batch."""
        if self._channel < 0 or not batch.channels >> self._channel & 1:
            return
        for channel, start, end in reversed(batch.frames):
            if channel == self._channel and self._read(batch.data[start + FRAME_HEADER_BYTES : end]):
                return

    def _read(self, packet: bytes) -> bool:
        try:
            parsed = parse_rtcp(packet)
        except MalformedError:
            # A malformed report is passed over: the destination is shown as one that does not report.
            return False
        for report in parsed:
            if isinstance(report, ReceiverReport | SenderReport) and report.blocks:
                block = report.blocks[0]
                self.latest = Reported(block.fraction_lost / 256, (block.jitter & 0xFFFFFFFF) / self._clock_rate)
                return True
        return False
