"""The camera's RTP as pictures and sound in FLV's shape: made once per camera, for all its RTMP destinations."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from forwarder.domain.backpressure import Bounds, Flow
from forwarder.relay.flv import tags as flv
from forwarder.relay.flv.audio import Sound, sound_of
from forwarder.relay.flv.timestamps import DecodeOrder, MediaClock
from forwarder.relay.media.fanout import FanOut, Outlet
from forwarder.relay.rtmp import chunks
from forwarder.relay.sources.base import CameraSource
from vonggac.events.causes import Cause
from vonggac.media.depacketizer import MAX_UNIT_BYTES, AccessUnit, Depacketizer
from vonggac.media.h26x import VideoCodec, is_parameter_set, nal_type, video_codec
from vonggac.media.rtp import parse_rtp
from vonggac.net.errors import MalformedError, PeerError
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch


@dataclass(frozen=True, slots=True)
class Unit:
    """One RTMP message. `packets`: how many of the camera's it came in; `header`: the configuration of a keyframe."""

    kind: int
    body: bytes
    timestamp_ms: int
    packets: int
    keyframe: bool = False
    header: bytes | None = None


type WriteUnit = Callable[[Unit], None]


class _Silent:
    """The tap writes to nobody."""

    write_buffer_bytes = 0

    def write_media(self, data: bytes) -> None:
        """Never called: the tap takes frames, not bytes."""


class UnitTap(Outlet):
    """An outlet that always flows, and turns packets into units for its writers."""

    def __init__(self, source: CameraSource, codec: VideoCodec) -> None:
        video = next(track for track in source.tracks if track.kind == "video")
        super().__init__(source.fanout, _Silent(), {}, Bounds())
        self.flow = Flow(flowing=True)
        self.malformed = 0
        self.codec = codec
        self.parameter_sets = list(video.media.parameter_sets)
        self._source = source.fanout
        self._video = video.rtp_channel
        self._depacketizer = Depacketizer(codec, believes_markers=False)
        epoch_s = time.monotonic()
        self._clock = MediaClock(video.clock_rate, epoch_s)
        self._order = DecodeOrder()
        self._packets = 0
        self._header: tuple[tuple[bytes, ...], bytes] | None = None
        self._writers: tuple[WriteUnit, ...] = ()
        self._group: list[Unit] = []
        self._group_bytes = 0
        self.sound: Sound | None = None
        self._sound_channel = -1
        for track in source.tracks:
            if track.kind == "audio":
                self.sound, self._sound_channel = sound_of(track, epoch_s), track.rtp_channel

    def add_writer(self, write: WriteUnit) -> None:
        """`write` gets every unit from now on, and before that the current group of pictures while it is kept."""
        for unit in self._group if self._source.gop_cache is not None else ():
            write(unit)
        self._writers = (*self._writers, write)
        if len(self._writers) == 1:
            self._source.add_outlet(self)

    def remove_writer(self, write: WriteUnit) -> None:
        if write in self._writers:
            self._writers = tuple(other for other in self._writers if other != write)
            if not self._writers:
                self._source.remove_outlet(self)
                self._group = []

    def write(self, batch: MediaBatch, *, clean: bool) -> None:
        """One batch; a packet that is none is counted and left out."""
        del clean
        arrived_s = time.monotonic()
        data = batch.data
        for channel, start, end in batch.frames:
            try:
                if channel == self._video:
                    self._read_video(data, start + FRAME_HEADER_BYTES, end, arrived_s)
                elif channel == self._sound_channel and self.sound is not None:
                    for stamp_ms, body in self.sound.convert_packet(data, start + FRAME_HEADER_BYTES, end, arrived_s):
                        self._hand_on(Unit(chunks.AUDIO, body, stamp_ms, packets=1))
            except MalformedError:
                self.malformed += 1

    def _read_video(self, data: bytes, start: int, end: int, arrived_s: float) -> None:
        header = parse_rtp(data, start, end)
        self._packets += 1
        units = self._depacketizer.push(
            data[header.payload_start : header.payload_end],
            sequence=header.sequence,
            timestamp=header.timestamp,
            marker=header.marker,
        )
        for unit in units:
            packets, self._packets = self._packets, 0
            self._convert_unit(unit, packets, arrived_s)

    def _convert_unit(self, unit: AccessUnit, packets: int, arrived_s: float) -> None:
        shown_ms = self._clock.at(unit.rtp_timestamp, arrived_s)
        decoded_ms = self._order.decoded_at(shown_ms)
        header = self._configure(unit.nals) if unit.keyframe else None
        body = flv.video_tag(self.codec, unit.nals, keyframe=unit.keyframe, composition_ms=shown_ms - decoded_ms)
        self._hand_on(Unit(chunks.VIDEO, body, decoded_ms, packets, unit.keyframe, header))

    def _configure(self, nals: list[bytes]) -> bytes | None:
        """Build the configuration to send before this keyframe; None while the camera has sent no parameter sets."""
        own = [nal for nal in nals if is_parameter_set(self.codec, nal_type(self.codec, nal))]
        key = tuple(own) or tuple(self.parameter_sets)
        if self._header is None or self._header[0] != key:
            try:
                self._header = key, flv.sequence_header(self.codec, [*own, *self.parameter_sets] if own else key)
            except MalformedError:
                return None
        return self._header[1]

    def _hand_on(self, unit: Unit) -> None:
        if unit.keyframe or self._source.gop_cache is None:
            self._group, self._group_bytes = [], 0
        if self._source.gop_cache is not None and (unit.keyframe or self._group):
            self._group_bytes += len(unit.body)
            # One that is too long is of no use in part.
            self._group = [*self._group, unit] if self._group_bytes <= MAX_UNIT_BYTES else []
        for write in self._writers:
            write(unit)


_TAPS: WeakKeyDictionary[FanOut, UnitTap] = WeakKeyDictionary()


def units_of(source: CameraSource, *, enhanced: bool) -> UnitTap:
    """Tap a camera. Raises PeerError codec_unsupported when FLV, as the destination takes it, cannot carry it."""
    video = next(track for track in source.tracks if track.kind == "video")
    codec = video_codec(video.codec)
    if codec is None:
        msg = f"RTMP carries H.264 (and H.265 where the destination takes it), the camera sends {video.codec or 'none'}"
        raise PeerError(Cause.CODEC_UNSUPPORTED, msg)
    if codec is VideoCodec.H265 and not enhanced:
        msg = "the camera sends H.265, which classic RTMP does not carry: set it to H.264, or use enhanced RTMP"
        raise PeerError(Cause.CODEC_UNSUPPORTED, msg)
    tap = _TAPS.get(source.fanout)
    if tap is None:
        tap = _TAPS[source.fanout] = UnitTap(source, codec)
    return tap
