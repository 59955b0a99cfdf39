"""One publishing session at a centre: counting RTP by sequence number, finding keyframes. The centre's hot path."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulator.centres.statistics import SessionStatistics, TrackStatistics
from vonggac.rtsp.wire.framing import MediaBatch

_FRAME_HEADER = 4
_FIXED_HEADER = 12
_HALF = 0x8000

type KeyframeTest = Callable[[bytes], bool]


@dataclass(slots=True)
class TrackCounter:
    """Counts one track. `keyframe_test` says of an RTP payload whether a player can begin with it; None for audio."""

    media: str
    codec: str
    keyframe_test: KeyframeTest | None = None
    packets: int = 0
    octets: int = 0
    lost: int = 0
    reordered: int = 0
    ssrc_changes: int = 0
    ssrc: bytes = b""
    expected: int = 0
    at_picture_start: bool = True

    def restart(self, sequence: int, ssrc: bytes) -> None:
        """The first packet, or a new source: its numbers have nothing to do with those before."""
        if self.ssrc:
            self.ssrc_changes += 1
        self.ssrc = ssrc
        self.expected = sequence
        self.at_picture_start = True

    def jump(self, sequence: int, distance: int) -> None:
        """A sequence number that was not expected (RFC 3550 A.1, without its probation: TCP does not reorder)."""
        if distance < _HALF:
            self.lost += distance
            self.expected = (sequence + 1) & 0xFFFF
        else:
            self.reordered += 1

    def reset(self) -> None:
        """Count from zero; what is expected next stays."""
        self.packets = self.octets = self.lost = self.reordered = self.ssrc_changes = 0

    def statistics(self) -> TrackStatistics:
        return TrackStatistics(
            media=self.media,
            codec=self.codec,
            packets=self.packets,
            bytes=self.octets,
            lost=self.lost,
            reordered=self.reordered,
            ssrc_changes=self.ssrc_changes,
        )


class Publication:
    """Counts what one publisher sends."""

    def __init__(self, tracks: dict[int, TrackCounter], started_at: datetime) -> None:
        """`tracks` by interleaved RTP channel."""
        self._tracks = tracks
        self.started_at = started_at
        self.first_packet_at: datetime | None = None
        self.last_packet_at: datetime | None = None
        self.first_packet_is_keyframe: bool | None = None
        self.gap_s: float | None = None

    @property
    def video_channels(self) -> frozenset[int]:
        return frozenset(channel for channel, track in self._tracks.items() if track.media == "video")

    def count_batch(self, batch: MediaBatch) -> int | None:
        """Count a batch. Returns the offset in it where the latest keyframe begins, or None."""
        data = batch.data
        tracks = self._tracks
        keyframe_offset = None
        for channel, start, end in batch.frames:
            track = tracks.get(channel)
            if track is None or end - start < _FRAME_HEADER + _FIXED_HEADER:
                continue
            sequence = data[start + 6] << 8 | data[start + 7]
            ssrc = data[start + 12 : start + 16]
            if ssrc != track.ssrc:
                track.restart(sequence, ssrc)
            distance = (sequence - track.expected) & 0xFFFF
            if distance:
                track.jump(sequence, distance)
            else:
                track.expected = (sequence + 1) & 0xFFFF
            track.packets += 1
            track.octets += end - start - _FRAME_HEADER
            if track.keyframe_test is not None:
                if track.at_picture_start and self._begins_keyframe(track.keyframe_test, data, start, end):
                    keyframe_offset = start
                track.at_picture_start = data[start + 5] >= 0x80
        return keyframe_offset

    def note_media(self, now: datetime, last_before: datetime | None) -> None:
        """Note when media came; `last_before` is the last packet of the session before."""
        if self.first_packet_at is None:
            self.first_packet_at = now
            if last_before is not None:
                self.gap_s = (now - last_before).total_seconds()
        self.last_packet_at = now

    def reset(self) -> None:
        for track in self._tracks.values():
            track.reset()

    def statistics(self, ended_at: datetime | None = None) -> SessionStatistics:
        tracks = [track.statistics() for track in self._tracks.values()]
        return SessionStatistics(
            started_at=self.started_at,
            ended_at=ended_at,
            first_packet_at=self.first_packet_at,
            last_packet_at=self.last_packet_at,
            first_packet_is_keyframe=self.first_packet_is_keyframe,
            gap_s=self.gap_s,
            packets=sum(track.packets for track in tracks),
            bytes=sum(track.bytes for track in tracks),
            lost=sum(track.lost for track in tracks),
            ssrc_changes=sum(track.ssrc_changes for track in tracks),
            tracks=tracks,
        )

    def _begins_keyframe(self, test: KeyframeTest, data: bytes, start: int, end: int) -> bool:
        begins = test(data[_payload_offset(data, start) : end])
        if self.first_packet_is_keyframe is None:
            self.first_packet_is_keyframe = begins
        return begins


def _payload_offset(data: bytes, start: int) -> int:
    """Where the payload of the RTP packet in the frame at `start` begins (RFC 3550 §5.1, §5.3.1)."""
    first = data[start + 4]
    offset = start + _FRAME_HEADER + _FIXED_HEADER + 4 * (first & 0x0F)
    if first & 0x10 and offset + 4 <= len(data):
        offset += 4 + 4 * int.from_bytes(data[offset + 2 : offset + 4])
    return offset
