"""False read-backs: a centre plays one old group of pictures repeatedly instead of what comes."""

from collections.abc import Collection, Iterator, Sequence

from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch

_FIXED_HEADER = 12


class FrozenPlayback:
    """For each picture that comes, sends the next old one with the timestamp and SSRC of the new one."""

    def __init__(self, gop: Sequence[MediaBatch], video_channels: Collection[int]) -> None:
        """`gop` begins with a keyframe; its whole pictures are kept."""
        self._channels = video_channels
        self._pictures: list[list[bytes]] = []
        self._next = 0
        self._sequence: int | None = None
        picture: list[bytes] = []
        for channel, packet in _packets(gop):
            if channel in video_channels:
                picture.append(packet)
                if packet[1] & 0x80:
                    self._pictures.append(picture)
                    picture = []

    @property
    def usable(self) -> bool:
        """Whether there is a picture to play."""
        return bool(self._pictures)

    def in_place_of(self, batch: MediaBatch) -> Iterator[tuple[MediaBatch, int | None]]:
        """The batch to send instead of `batch`, with the offset at which a keyframe begins."""
        for channel, packet in _packets([batch]):
            if channel not in self._channels:
                continue
            if self._sequence is None:
                self._sequence = int.from_bytes(packet[2:4])
            if packet[1] & 0x80:
                begins = 0 if self._next == 0 else None
                yield self._stamped(channel, packet[4:12]), begins

    def _stamped(self, channel: int, timestamp_and_source: bytes) -> MediaBatch:
        assert self._sequence is not None
        data = bytearray()
        frames: list[tuple[int, int, int]] = []
        for packet in self._pictures[self._next]:
            start = len(data)
            data += bytes((0x24, channel)) + len(packet).to_bytes(2) + packet[:2]
            data += self._sequence.to_bytes(2) + timestamp_and_source + packet[_FIXED_HEADER:]
            frames.append((channel, start, len(data)))
            self._sequence = (self._sequence + 1) & 0xFFFF
        self._next = (self._next + 1) % len(self._pictures)
        return MediaBatch(bytes(data), frames)


def _packets(batches: Sequence[MediaBatch]) -> Iterator[tuple[int, bytes]]:
    """Channel and RTP packet of each frame that is long enough to be one."""
    for batch in batches:
        for channel, start, end in batch.frames:
            if end - start >= FRAME_HEADER_BYTES + _FIXED_HEADER:
                yield channel, batch.data[start + FRAME_HEADER_BYTES : end]
