"""Where in the camera's media a session may begin: the packet with which a keyframe's access unit starts."""

from collections.abc import Iterator

from vonggac.media.h26x import VideoCodec, leads_any_picture, starts_keyframe
from vonggac.media.rtp import parse_rtp
from vonggac.net.errors import MalformedError
from vonggac.rtsp.wire.framing import MediaBatch

FRAME_HEADER_BYTES = 4


class KeyframeFinder:
    """Finds starts of keyframes on one RTP channel. Used only while a destination waits for one."""

    __slots__ = ("_channel", "_codec", "_timestamp")

    def __init__(self, codec: VideoCodec | None, channel: int) -> None:
        """Without a codec that we can read (`None`), every access unit counts as a keyframe."""
        self._codec = codec
        self._channel = channel
        self._timestamp: int | None = None

    def another(self) -> "KeyframeFinder":
        """One of the same kind that has seen nothing: each must see every batch once."""
        return KeyframeFinder(self._codec, self._channel)

    def forget(self) -> None:
        """Packets were skipped: the next one may be anywhere in its access unit."""
        self._timestamp = None

    def starts(self, batch: MediaBatch) -> Iterator[int]:
        """Indexes into `batch.frames` at which a keyframe's access unit begins."""
        for index, (channel, start, end) in enumerate(batch.frames):
            if channel != self._channel:
                continue
            try:
                header = parse_rtp(batch.data, start + FRAME_HEADER_BYTES, end)
            except MalformedError:
                # What the camera sends is passed on as it is; a session only does not begin with it.
                continue
            if header.timestamp == self._timestamp:
                continue
            payload = memoryview(batch.data)[header.payload_start : header.payload_end]
            if self._codec is not None and leads_any_picture(self._codec, payload):
                continue
            self._timestamp = header.timestamp
            if self._codec is None or starts_keyframe(self._codec, payload):
                yield index


def tail(batch: MediaBatch, index: int) -> MediaBatch:
    """The batch from its frame number `index` on."""
    begin = batch.frames[index][1]
    if begin == 0:
        return batch
    frames = [(channel, start - begin, end - begin) for channel, start, end in batch.frames[index:]]
    return MediaBatch(batch.data[begin:], frames)
