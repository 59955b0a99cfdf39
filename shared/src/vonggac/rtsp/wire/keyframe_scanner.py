"""Finds where a session may begin in interleaved media: the first frame of a keyframe's access unit."""

from vonggac.media.h26x import VideoCodec
from vonggac.media.keyframes import KeyframeDetector, Mark
from vonggac.media.rtp import RtpHeader, parse_rtp
from vonggac.net.errors import MalformedError
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch

MAX_LEAD_BYTES = 256 * 1024
"""Kept of batches with an open unit of unknown kind; anything longer is no lead."""
IN_LEAD = -1
"""The place of a keyframe that began before the batch: with the first frame of `KeyframeScanner.lead`."""
_SHORTEST = FRAME_HEADER_BYTES + 12
_MARKER_AT = FRAME_HEADER_BYTES + 1
_TIMESTAMP_AT, _TIMESTAMP_END = FRAME_HEADER_BYTES + 4, FRAME_HEADER_BYTES + 8

type Lead = list[tuple[MediaBatch, bool]]
"""Batches, each with the `clean` that it was scanned with."""


class KeyframeScanner:
    """Finds the beginnings of keyframes on one RTP channel. Each scanner must see every batch once."""

    __slots__ = ("_channel", "_codec", "_detector", "_lead", "_lead_bytes", "_stamp", "first_is_keyframe", "lead")

    def __init__(self, codec: VideoCodec | None, channel: int) -> None:
        """Without a codec that we can read (`None`), every access unit counts as a keyframe."""
        self._codec, self._channel = codec, channel
        self._detector = KeyframeDetector(codec) if codec is not None else None
        self._stamp: bytes | None = None
        self._lead: Lead = []
        self._lead_bytes = 0
        self.lead: Lead = []
        """What came before the batch that was scanned last, from the first frame of the unit that was open then."""
        self.first_is_keyframe: bool | None = None
        """Whether the first access unit since the beginning was a keyframe; None before that is known."""

    @property
    def open_lead(self) -> bool:
        """Whether a unit has begun whose kind is not known yet."""
        return bool(self._lead)

    def another(self) -> "KeyframeScanner":
        """Make a new scanner of the same kind."""
        return KeyframeScanner(self._codec, self._channel)

    def reset(self) -> None:
        """Batches were left out: the next packet may be anywhere in its access unit."""
        self._stamp, self._lead, self._lead_bytes, self.lead = None, [], 0, []
        if self._detector is not None:
            self._detector.reset()

    def scan(self, batch: MediaBatch, *, clean: bool = True) -> list[int]:
        """Indexes into `batch.frames` at which a keyframe's access unit begins; IN_LEAD: it began before the batch."""
        data, stamp, channel_wanted = batch.data, self._stamp, self._channel
        self.lead = self._lead
        begins: list[int] = []
        opened = IN_LEAD if self.lead else None
        for index, (channel, start, end) in enumerate(batch.frames):
            if channel != channel_wanted or end - start < _SHORTEST:
                continue
            # Most packets are of the picture that the one before was of: nothing to parse.
            if data[start + _TIMESTAMP_AT : start + _TIMESTAMP_END] == stamp and data[start + _MARKER_AT] < 0x80:
                continue
            try:
                header = parse_rtp(data, start + FRAME_HEADER_BYTES, end)
            except MalformedError:
                # Passed on unchanged; only no session begins with it.
                continue
            before, stamp = stamp, data[start + _TIMESTAMP_AT : start + _TIMESTAMP_END]
            mark = self._mark(header, data, same=stamp == before)
            if mark is Mark.LEAD:
                opened = index if opened is None else opened
                stamp = None
                continue
            if mark is Mark.KEYFRAME:
                begins.append(index if opened is None else opened)
            opened = None
            if self.first_is_keyframe is None:
                self.first_is_keyframe = mark is Mark.KEYFRAME
            if header.marker and self._detector is not None:
                stamp = None
        self._stamp = stamp
        self._keep_lead(batch, opened, clean=clean)
        return begins

    def _mark(self, header: RtpHeader, data: bytes, *, same: bool) -> Mark:
        if self._detector is None:
            return Mark.OTHER if same else Mark.KEYFRAME
        payload = memoryview(data)[header.payload_start : header.payload_end]
        return self._detector.push(payload, timestamp=header.timestamp, marker=header.marker)

    def _keep_lead(self, batch: MediaBatch, opened: int | None, *, clean: bool) -> None:
        """Keep the batches from the frame on with which the open unit began."""
        if opened is None:
            self._lead, self._lead_bytes = [], 0
            return
        piece = batch if opened == IN_LEAD else tail(batch, opened)
        before = self._lead if opened == IN_LEAD else []
        self._lead_bytes = (self._lead_bytes if opened == IN_LEAD else 0) + len(piece.data)
        self._lead = [*before, (piece, clean)] if self._lead_bytes <= MAX_LEAD_BYTES else []


def tail(batch: MediaBatch, index: int) -> MediaBatch:
    """Cut the batch: from its frame number `index` on."""
    begin = batch.frames[index][1]
    if begin == 0:
        return batch
    frames = [(channel, start - begin, end - begin) for channel, start, end in batch.frames[index:]]
    return MediaBatch(batch.data[begin:], frames)
