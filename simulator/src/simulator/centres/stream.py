"""One path at a centre: its publisher, its viewers, and the current group of pictures for new viewers."""

from collections import deque
from datetime import UTC, datetime
from typing import Protocol

from simulator.centres.playback import LastPictures, LatePlayback, Playback, Recording, make_playback
from simulator.centres.publication import Publication
from simulator.centres.statistics import SessionStatistics, StreamStatistics
from simulator.devices.faults import CentreFault, CentreFaultName
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.keyframe_scanner import IN_LEAD

MAX_HISTORY = 100


class Viewer(Protocol):
    """A session that plays a stream. No method may raise or block."""

    @property
    def waits_for_keyframe(self) -> bool:
        """Whether it gets nothing until a keyframe begins."""

    def send_batch(self, batch: MediaBatch, keyframe_offset: int | None) -> None:
        """`keyframe_offset`: where in the batch a keyframe begins."""

    def stream_ended(self) -> None:
        """Learn that the publisher has left."""


class Stream:
    """Exists as long as the centre, over any number of publishing sessions."""

    def __init__(self, path: str, gop_cache_bytes: int, kept_s: float = 0.0) -> None:
        """`kept_s`: seconds of media kept for playbacks that reach back."""
        self.path = path
        self.sdp = b""
        self.channels: dict[int, tuple[int, int]] = {}
        """The publisher's (RTP, RTCP) channels by track of its description."""
        self._gop_cache_bytes = gop_cache_bytes
        self._gop: list[MediaBatch] | None = None
        self._gop_bytes = 0
        self._publication: Publication | None = None
        self._history: deque[SessionStatistics] = deque(maxlen=MAX_HISTORY)
        self._last_packet_at: datetime | None = None
        self._viewers: list[Viewer] = []
        self._ended_sessions = 0
        self._ended_totals = [0, 0, 0, 0]
        self._kept_s = kept_s
        self._recording: Recording | None = None
        self._lie: CentreFault | None = None
        self._playback: Playback | None = None
        """Instead of what comes; None also while there is nothing yet to make it of."""

    @property
    def live(self) -> bool:
        return self._publication is not None

    def begin_publication(self, publication: Publication, sdp: bytes, channels: dict[int, tuple[int, int]]) -> None:
        """Begin what a publisher records."""
        self._publication = publication
        self.sdp = sdp
        self.channels = channels
        self._drop_gop()
        if self._kept_s > 0:
            self._recording = Recording(self._kept_s, publication.video_channels)
        if isinstance(self._playback, LatePlayback):
            self._playback = None
            self._begin_playback()

    def end_publication(self, publication: Publication) -> None:
        """End what the publisher sent: its session becomes history, and the viewers are informed."""
        if publication is not self._publication:
            return
        session = publication.statistics(datetime.now(UTC))
        self._publication = None
        self._history.append(session)
        self._ended_sessions += 1
        counts = (session.packets, session.bytes, session.lost, session.ssrc_changes)
        self._ended_totals = [total + count for total, count in zip(self._ended_totals, counts, strict=True)]
        self._drop_gop()
        viewers, self._viewers = self._viewers, []
        for viewer in viewers:
            viewer.stream_ended()

    def receive_batch(self, publication: Publication, batch: MediaBatch) -> None:
        """Media of the current publisher."""
        keyframe_offset = publication.count_batch(batch)
        now = datetime.now(UTC)
        publication.note_media(now, self._last_packet_at)
        self._last_packet_at = now
        self._keep(publication, batch, keyframe_offset)
        if self._recording is not None:
            self._recording.add_batch(batch, keyframe_offset)
        if self._playback is None:
            self._begin_playback()
        if self._playback is not None:
            for sent, begins in self._playback.in_place_of(batch):
                for viewer in self._viewers:
                    viewer.send_batch(sent, begins)
            return
        for viewer in self._viewers:
            if keyframe_offset == IN_LEAD and viewer.waits_for_keyframe:
                # It must not get what came before this batch, and the keyframe began there.
                for index, (piece, _) in enumerate(publication.lead):
                    viewer.send_batch(piece, 0 if index == 0 else None)
                viewer.send_batch(batch, None)
            else:
                viewer.send_batch(batch, None if keyframe_offset == IN_LEAD else keyframe_offset)

    def set_playback(self, fault: CentreFault | None) -> None:
        """Play what the fault says, once there is something to make it of; or play what comes again."""
        self._lie, self._playback = fault, None
        if fault is not None and fault.fault is CentreFaultName.DISCARD:
            # What will follow has a gap before it.
            self._drop_gop()
        self._begin_playback()

    def add_viewer(self, viewer: Viewer) -> None:
        """Send from the last keyframe on, or from the next one when the group of pictures is not kept."""
        first: Playback = self._playback or LastPictures(self._gop or ())
        for batch, begins in first.for_new_viewer():
            viewer.send_batch(batch, begins)
        self._viewers = [*self._viewers, viewer]

    def remove_viewer(self, viewer: Viewer) -> None:
        self._viewers = [other for other in self._viewers if other is not viewer]

    def reset_statistics(self) -> None:
        """Drop the history and count the current session from zero."""
        self._history.clear()
        self._ended_sessions = 0
        self._ended_totals = [0, 0, 0, 0]
        if self._publication is not None:
            self._publication.reset()

    def statistics(self) -> StreamStatistics:
        current = self._publication.statistics() if self._publication is not None else None
        packets, octets, lost, ssrc_changes = self._ended_totals
        sessions = [*self._history, *([current] if current is not None else [])]
        return StreamStatistics(
            path=self.path,
            live=current is not None,
            publisher_since=current.started_at if current is not None else None,
            sessions=self._ended_sessions + (current is not None),
            packets=packets + (current.packets if current is not None else 0),
            bytes=octets + (current.bytes if current is not None else 0),
            lost=lost + (current.lost if current is not None else 0),
            ssrc_changes=ssrc_changes + (current.ssrc_changes if current is not None else 0),
            last_packet_at=self._last_packet_at,
            gaps_s=[session.gap_s for session in sessions if session.gap_s is not None],
            viewers=len(self._viewers),
            current=current,
            history=list(self._history),
        )

    def _keep(self, publication: Publication, batch: MediaBatch, keyframe_offset: int | None) -> None:
        if keyframe_offset is not None:
            lead = [piece for piece, _ in publication.lead] if keyframe_offset == IN_LEAD else []
            self._gop = lead
            self._gop_bytes = sum(len(piece.data) for piece in lead)
            batch = batch if keyframe_offset == IN_LEAD else cut(batch, keyframe_offset)
        if self._gop is None:
            return
        self._gop.append(batch)
        self._gop_bytes += len(batch.data)
        if self._gop_bytes > self._gop_cache_bytes:
            self._drop_gop()

    def _begin_playback(self) -> None:
        if self._lie is not None and self._publication is not None:
            channels = self._publication.video_channels
            self._playback = make_playback(self._lie, self._gop or (), channels, self._recording)

    def _drop_gop(self) -> None:
        self._gop = None
        self._gop_bytes = 0


def cut(batch: MediaBatch, offset: int) -> MediaBatch:
    """Cut the batch: from the frame at `offset` on."""
    if offset == 0:
        return batch
    frames = [(channel, start - offset, end - offset) for channel, start, end in batch.frames if start >= offset]
    return MediaBatch(batch.data[offset:], frames)
