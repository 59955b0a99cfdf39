"""One session that brings media to a centre, published or pulled: RTP counted, keyframes found. Its hot path."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from simulator.centres.statistics import SessionStatistics, TrackStatistics
from vonggac.media.h26x import video_codec
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch
from vonggac.rtsp.wire.keyframe_scanner import IN_LEAD, KeyframeScanner, Lead
from vonggac.rtsp.wire.sdp import MediaDescription

_FIXED_HEADER = 12
_HALF = 0x8000


@dataclass(slots=True)
class TrackCounter:
    """Counts one track."""

    media: str
    codec: str
    packets: int = 0
    octets: int = 0
    lost: int = 0
    reordered: int = 0
    ssrc_changes: int = 0
    ssrc: bytes = b""
    expected: int = 0

    def restart(self, sequence: int, ssrc: bytes) -> None:
        """Restart at the first packet, or at a new SSRC: its sequence numbers begin anew."""
        if self.ssrc:
            self.ssrc_changes += 1
        self.ssrc = ssrc
        self.expected = sequence

    def jump(self, sequence: int, distance: int) -> None:
        """Count an unexpected sequence number (RFC 3550 A.1, without its probation: TCP does not reorder)."""
        if distance < _HALF:
            self.lost += distance
            self.expected = (sequence + 1) & 0xFFFF
        else:
            self.reordered += 1

    def reset(self) -> None:
        """Count from zero; the next expected number stays."""
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

    def __init__(
        self, tracks: dict[int, TrackCounter], started_at: datetime, scanner: KeyframeScanner | None = None
    ) -> None:
        """`tracks` by interleaved RTP channel; `scanner` of the video, None when its keyframes cannot be recognised."""
        self._tracks, self._scanner = tracks, scanner
        self.started_at = started_at
        self.first_packet_at: datetime | None = None
        self.last_packet_at: datetime | None = None
        self.gap_s: float | None = None

    @classmethod
    def of(cls, media: Mapping[int, MediaDescription]) -> Self:
        """One that begins now; `media` by interleaved RTP channel."""
        counters = {channel: TrackCounter(each.kind, each.codec) for channel, each in media.items()}
        return cls(counters, datetime.now(UTC), _scanner(media))

    @property
    def video_channels(self) -> frozenset[int]:
        return frozenset(channel for channel, track in self._tracks.items() if track.media == "video")

    @property
    def first_packet_is_keyframe(self) -> bool | None:
        """Whether the video began with the first packet of a keyframe; None while unknown."""
        return self._scanner.first_is_keyframe if self._scanner is not None else None

    @property
    def lead(self) -> Lead:
        """What came before the last counted batch and belongs to the keyframe that it reports as IN_LEAD."""
        return self._scanner.lead if self._scanner is not None else []

    def count_batch(self, batch: MediaBatch) -> int | None:
        """Count a batch. Returns the offset in it where the latest keyframe begins, or IN_LEAD, or None."""
        data = batch.data
        tracks = self._tracks
        for channel, start, end in batch.frames:
            track = tracks.get(channel)
            if track is None or end - start < FRAME_HEADER_BYTES + _FIXED_HEADER:
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
            track.octets += end - start - FRAME_HEADER_BYTES
        begins = self._scanner.scan(batch) if self._scanner is not None else []
        if not begins:
            return None
        return IN_LEAD if begins[-1] == IN_LEAD else batch.frames[begins[-1]][1]

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


def _scanner(media: Mapping[int, MediaDescription]) -> KeyframeScanner | None:
    """Build the scanner of the first video whose keyframes can be recognised; `media` by RTP channel."""
    for channel, each in media.items():
        codec = video_codec(each.codec) if each.kind == "video" else None
        if codec is not None:
            return KeyframeScanner(codec, channel)
    return None
