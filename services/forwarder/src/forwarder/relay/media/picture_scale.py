"""Weighs pictures as they pass, without reading their packets: the cheapest sign that a picture is another one."""

from collections.abc import Callable

from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch

_MARKER_AT, _MARKER = FRAME_HEADER_BYTES + 1, 0x80


class PictureScale:
    """Calls `on_heavy` with the octets of the first whole picture that has `least_octets`, once.

    A picture is the packets of `channel` up to one with the marker bit (RFC 6184 §5.1, RFC 7798 §4.1), frame headers
    included. The picture that is current when it begins lacks its beginning and is left out.
    """

    __slots__ = ("_channel", "_least_octets", "_octets", "_on_heavy", "_whole")

    def __init__(self, channel: int, least_octets: int, on_heavy: Callable[[int], None]) -> None:
        self._channel, self._least_octets, self._on_heavy = channel, least_octets, on_heavy
        self._octets = 0
        self._whole = False

    def add_data(self, data: bytes) -> None:
        """Weigh whole frames and nothing else."""
        self.add(MediaBatch.of(data))

    def add(self, batch: MediaBatch) -> None:
        data = batch.data
        for channel, start, end in batch.frames:
            if channel != self._channel:
                continue
            self._octets += end - start
            if end - start > _MARKER_AT and data[start + _MARKER_AT] & _MARKER:
                octets, whole = self._octets, self._whole
                self._octets, self._whole = 0, True
                if whole and octets >= self._least_octets:
                    self._on_heavy(octets)
                    return
