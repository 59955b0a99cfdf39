"""False read-backs: what a centre plays in place of what comes. Every picture sent is one that a publisher sent."""

import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Protocol

from simulator.devices.faults import CentreFault, CentreFaultName
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch
from vonggac.rtsp.wire.keyframe_scanner import IN_LEAD

_FIXED_HEADER = 12

type Sent = tuple[MediaBatch, int | None]
"""A batch for viewers, and the offset in it at which a keyframe begins."""


class Playback(Protocol):
    """What viewers of one stream get instead of it."""

    def for_new_viewer(self) -> Iterator[Sent]:
        """Yield what a viewer gets at once."""

    def in_place_of(self, batch: MediaBatch) -> Iterator[Sent]:
        """Yield what all viewers get when this batch comes."""


@dataclass(slots=True)
class Picture:
    """The RTP packets of one whole video picture, and when its last one came (monotonic seconds)."""

    channel: int
    packets: list[bytes] = field(default_factory=list)
    begins: bool = False
    """Whether it is a keyframe."""
    at: float = 0.0


class Recording:
    """The pictures of the last `seconds` of one publication."""

    def __init__(self, seconds: float, video_channels: Collection[int]) -> None:
        self._seconds, self._channels = seconds, video_channels
        self._open: Picture | None = None
        self.pictures: deque[Picture] = deque()

    def add_batch(self, batch: MediaBatch, keyframe_offset: int | None) -> None:
        """Keep a batch that comes now; `keyframe_offset` as `Publication.count_batch` returns it."""
        now = time.monotonic()
        if keyframe_offset == IN_LEAD and self._open is not None:
            self._open.begins = True
        for channel, start, packet in _packets([batch]):
            if channel not in self._channels:
                continue
            if self._open is None:
                self._open = Picture(channel)
            self._open.begins |= start == keyframe_offset
            self._open.packets.append(packet)
            if packet[1] & 0x80:
                self._open.at = now
                self.pictures.append(self._open)
                self._open = None
        while self.pictures and self.pictures[0].at < now - self._seconds:
            self.pictures.popleft()

    def last(self, seconds: float) -> list[Picture]:
        """List what came within the last `seconds`, from its first keyframe on."""
        since = time.monotonic() - seconds
        return list(dropwhile(lambda picture: picture.at < since or not picture.begins, self.pictures))


class Silence:
    """Nothing at all."""

    def for_new_viewer(self) -> Iterator[Sent]:
        yield from ()

    def in_place_of(self, batch: MediaBatch) -> Iterator[Sent]:
        yield from ()


class LastPictures:
    """Each new viewer gets one group of pictures, once; then nothing comes."""

    def __init__(self, gop: Sequence[MediaBatch]) -> None:
        """`gop` begins with a keyframe."""
        self._gop = tuple(gop)

    def for_new_viewer(self) -> Iterator[Sent]:
        for index, batch in enumerate(self._gop):
            yield batch, 0 if index == 0 else None

    def in_place_of(self, batch: MediaBatch) -> Iterator[Sent]:
        yield from ()


class RepeatedPlayback:
    """For each picture that comes, sends the next old one, from the first again after the last.

    Its sequence numbers go on without a gap. `rewritten`: it has the timestamp and SSRC of the new one, else its own.
    """

    def __init__(self, pictures: Sequence[Picture], *, rewritten: bool = True) -> None:
        """`pictures`: at least one, of which the first is a keyframe."""
        self._pictures, self._rewritten = pictures, rewritten
        self._next = 0
        self._sequence: int | None = None

    def for_new_viewer(self) -> Iterator[Sent]:
        yield from ()

    def in_place_of(self, batch: MediaBatch) -> Iterator[Sent]:
        channel = self._pictures[0].channel
        for came_on, _, packet in _packets([batch]):
            if came_on != channel:
                continue
            if self._sequence is None:
                self._sequence = int.from_bytes(packet[2:4])
            if packet[1] & 0x80:
                picture = self._pictures[self._next]
                self._next = (self._next + 1) % len(self._pictures)
                yield self._to_batch(picture, packet[4:_FIXED_HEADER]), 0 if picture.begins else None

    def _to_batch(self, picture: Picture, timestamp_and_source: bytes) -> MediaBatch:
        assert self._sequence is not None
        packets: list[bytes] = []
        for packet in picture.packets:
            rest = timestamp_and_source + packet[_FIXED_HEADER:] if self._rewritten else packet[4:]
            packets.append(packet[:2] + self._sequence.to_bytes(2) + rest)
            self._sequence = (self._sequence + 1) & 0xFFFF
        return _batch_of(picture.channel, packets)


class LatePlayback:
    """Sends every picture unchanged, `late_s` seconds after it came."""

    def __init__(self, recording: Recording, late_s: float) -> None:
        """Play `recording` late: it is fed with each batch before `in_place_of`, and keeps at least `late_s`."""
        self._recording, self._late_s = recording, late_s
        self._sent_until = time.monotonic() - late_s

    def for_new_viewer(self) -> Iterator[Sent]:
        yield from ()

    def in_place_of(self, batch: MediaBatch) -> Iterator[Sent]:
        until = time.monotonic() - self._late_s
        due = [picture for picture in self._recording.pictures if self._sent_until < picture.at <= until]
        self._sent_until = until
        for picture in due:
            yield _batch_of(picture.channel, picture.packets), 0 if picture.begins else None


def make_playback(
    fault: CentreFault, gop: Sequence[MediaBatch], video_channels: Collection[int], recording: Recording | None
) -> Playback | None:
    """Make what viewers get by this fault; None for what comes, also while there is nothing yet to make it of."""
    match fault.fault:
        case CentreFaultName.DISCARD:
            return Silence()
        case CentreFaultName.FROZEN_PLAYBACK if pictures := pictures_of(gop, video_channels):
            return RepeatedPlayback(pictures)
        case CentreFaultName.LAST_PICTURES if pictures_of(gop, video_channels):
            return LastPictures(gop)
        case CentreFaultName.LATE_PLAYBACK if recording is not None:
            return LatePlayback(recording, fault.late_s)
        case CentreFaultName.REPLAY if recording is not None and (pictures := recording.last(fault.window_s)):
            return RepeatedPlayback(pictures, rewritten=fault.chosen_kind == "rewritten")
    return None


def pictures_of(gop: Sequence[MediaBatch], video_channels: Collection[int]) -> list[Picture]:
    """List the whole pictures of a group that begins with a keyframe."""
    recording = Recording(float("inf"), video_channels)
    for index, batch in enumerate(gop):
        recording.add_batch(batch, 0 if index == 0 else None)
    return list(recording.pictures)


def _batch_of(channel: int, packets: Sequence[bytes]) -> MediaBatch:
    data = bytearray()
    frames: list[tuple[int, int, int]] = []
    for packet in packets:
        start = len(data)
        data += bytes((0x24, channel)) + len(packet).to_bytes(2) + packet
        frames.append((channel, start, len(data)))
    return MediaBatch(bytes(data), frames)


def _packets(batches: Sequence[MediaBatch]) -> Iterator[tuple[int, int, bytes]]:
    """Channel, offset and RTP packet of each frame that is long enough to be one."""
    for batch in batches:
        for channel, start, end in batch.frames:
            if end - start >= FRAME_HEADER_BYTES + _FIXED_HEADER:
                yield channel, start, batch.data[start + FRAME_HEADER_BYTES : end]
