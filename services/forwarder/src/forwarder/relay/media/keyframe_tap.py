"""Whole keyframes of a camera's media, only while they are wanted.

The tap is behind the fan-out: media is written to every destination before it is read here, and an idle tap is not
called.
"""

import time
from collections.abc import Callable

from forwarder.domain.picture.keyframes import MAX_KEYFRAME_BYTES, KeyframeRoom, StreamMeter
from forwarder.relay.media.fanout import FanOut
from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import VideoCodec
from vonggac.media.keyframes import KeyframeDetector, Mark
from vonggac.media.marker import MarkerBit
from vonggac.media.rtp import parse_rtp
from vonggac.net.errors import MalformedError
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch

_SHORTEST = FRAME_HEADER_BYTES + 12
_MARKER_AT, _MARKER = FRAME_HEADER_BYTES + 1, 0x80
_TIMESTAMP_AT, _TIMESTAMP_END = FRAME_HEADER_BYTES + 4, FRAME_HEADER_BYTES + 8

type OnKeyframe = Callable[[AccessUnit, int], None]
"""With the octets of its packets, frame headers included."""


class KeyframeTap:
    """Calls `on_keyframe` with each whole keyframe while it is open. Holds at most one unfinished keyframe."""

    __slots__ = (
        "_channel",
        "_codec",
        "_depacketizer",
        "_detector",
        "_fanout",
        "_kept",
        "_kept_bytes",
        "_marker",
        "_on_keyframe",
        "_packets",
        "_room",
        "_ssrc",
        "_stamp",
        "_undecided",
        "keyframes_given_up",
        "keyframes_too_large",
        "meter",
    )

    def __init__(
        self,
        fanout: FanOut,
        codec: VideoCodec,
        *,
        channel: int,
        clock_rate: int,
        on_keyframe: OnKeyframe,
        room: KeyframeRoom | None = None,
    ) -> None:
        """`room` is shared by all taps."""
        self._room = room or KeyframeRoom()
        self._fanout, self._codec, self._channel = fanout, codec, channel
        self._on_keyframe = on_keyframe
        self._detector = KeyframeDetector(codec)
        self._marker = MarkerBit(codec)
        self._undecided = False
        self._depacketizer: Depacketizer | None = None
        self._kept: list[memoryview] = []
        self._kept_bytes = 0
        self._stamp: bytes | None = None
        self._packets = self._ssrc = 0
        self.meter = StreamMeter(clock_rate)
        self.keyframes_given_up = 0
        """Keyframes that began and were dropped: damaged, or too large."""
        self.keyframes_too_large = 0
        """Those of them larger than MAX_KEYFRAME_BYTES, or than the room that was left."""

    def open(self) -> None:
        """Read the media from now on; harmless when open."""
        if self._fanout.tap is None:
            self._reset()
            self._fanout.tap = self._read_batch

    def close(self) -> None:
        """Stop reading; drop an unfinished keyframe."""
        self._fanout.tap = None
        self._reset()

    @property
    def is_open(self) -> bool:
        return self._fanout.tap is not None

    def _reset(self) -> None:
        self._stamp = None
        self._detector.reset()
        self._give_up()
        self.meter.pause()

    def _give_up(self) -> None:
        self._marker.forget_place()
        self._room.taken_bytes -= self._kept_bytes
        self._depacketizer, self._kept, self._kept_bytes, self._undecided = None, [], 0, False

    def _give_up_too_large(self, *, begun: bool) -> None:
        """`begun`: it is a keyframe for certain."""
        self.keyframes_given_up += begun
        self.keyframes_too_large += begun
        self._give_up()

    def _read_batch(self, batch: MediaBatch) -> None:
        data, view = batch.data, memoryview(batch.data)
        kept = False
        for channel, start, end in batch.frames:
            if channel != self._channel or end - start < _SHORTEST:
                continue
            self._packets += 1
            # Most packets belong to the picture of the packet before, which is no keyframe: nothing to parse.
            same = data[start + _TIMESTAMP_AT : start + _TIMESTAMP_END] == self._stamp
            if self._depacketizer is None:
                if not same or self._undecided:
                    self._begin(data, start, end, same=same, kept=kept)
                    kept = bool(self._kept)
                continue
            if self._marker.is_open and self._has_ended(data, start, end):
                # The keyframe waited for this packet, which is of the next picture.
                self._put_together(self._depacketizer)
                self._begin(data, start, end, same=False, kept=False)
                kept = bool(self._kept)
                continue
            # A keyframe is assembled at once, when all its packets are there.
            self._keep_packet(view[start + FRAME_HEADER_BYTES : end], 0 if kept else len(data))
            kept = True
            if not same or self._is_last(data, start, end):
                self._put_together(self._depacketizer)
            elif self._kept_bytes > MAX_KEYFRAME_BYTES or self._room.full:
                self._give_up_too_large(begun=True)
            if not same:
                # The keyframe ended without a marker, and this packet begins the next picture.
                self._begin(data, start, end, same=False, kept=False)
                kept = bool(self._kept)

    def _begin(self, data: bytes, start: int, end: int, *, same: bool, kept: bool) -> None:
        """Decide whether a packet of a picture of unknown kind is a keyframe's; `kept`: this batch is kept already."""
        # The picture that is current when the tap opens lacks its beginning.
        whole = self._stamp is not None
        try:
            header = parse_rtp(data, start + FRAME_HEADER_BYTES, end)
        except MalformedError:
            return
        if not same:
            self._stamp = data[start + _TIMESTAMP_AT : start + _TIMESTAMP_END]
            if header.ssrc != self._ssrc:
                self._ssrc = header.ssrc
                self.meter.begin_source()
            self.meter.picture(
                timestamp=header.timestamp,
                sequence=header.sequence,
                packets=self._packets,
                now_s=time.monotonic(),
            )
        if not whole:
            return
        payload = memoryview(data)[header.payload_start : header.payload_end]
        mark = self._detector.push(payload, timestamp=header.timestamp, marker=header.marker)
        if mark is Mark.OTHER:
            self._give_up()
            return
        if self._kept_bytes > MAX_KEYFRAME_BYTES or self._room.full:
            self._give_up_too_large(begun=mark is Mark.KEYFRAME)
            return
        self._keep_packet(memoryview(data)[start + FRAME_HEADER_BYTES : end], 0 if kept else len(data))
        self._undecided = mark is Mark.LEAD
        if mark is Mark.KEYFRAME:
            self.meter.keyframe()
            self._depacketizer = Depacketizer(self._codec, max_unit_bytes=MAX_KEYFRAME_BYTES)
            if self._marker.ends_picture(payload, header.timestamp, marker=header.marker):
                self._put_together(self._depacketizer)

    def _is_last(self, data: bytes, start: int, end: int) -> bool:
        """Whether a packet of a keyframe is its last one."""
        if not data[start + _MARKER_AT] & _MARKER:
            return False
        try:
            header = parse_rtp(data, start + FRAME_HEADER_BYTES, end)
        except MalformedError:
            return True
        payload = memoryview(data)[header.payload_start : header.payload_end]
        return self._marker.ends_picture(payload, header.timestamp, marker=True)

    def _has_ended(self, data: bytes, start: int, end: int) -> bool:
        """Whether a packet after a marker is of another picture than the keyframe."""
        try:
            header = parse_rtp(data, start + FRAME_HEADER_BYTES, end)
        except MalformedError:
            return False
        payload = memoryview(data)[header.payload_start : header.payload_end]
        return not self._marker.goes_on_with(payload, header.timestamp)

    def _keep_packet(self, packet: memoryview, batch_bytes: int) -> None:
        """Keep a packet, and with it the memory of its batch: `batch_bytes`, 0 when the batch is kept already."""
        self._kept.append(packet)
        self._kept_bytes += batch_bytes
        self._room.taken_bytes += batch_bytes

    def _put_together(self, depacketizer: Depacketizer) -> None:
        units: list[AccessUnit] = []
        octets = sum(len(packet) + FRAME_HEADER_BYTES for packet in self._kept)
        for packet in self._kept:
            try:
                header = parse_rtp(packet)
            except MalformedError:
                continue
            payload = packet[header.payload_start : header.payload_end]
            units += depacketizer.push(payload, sequence=header.sequence, timestamp=header.timestamp, marker=False)
        units += depacketizer.end_unit()
        # Whole or damaged: wait for the next one.
        self._give_up()
        # The packet that ended it may be a whole picture itself, which is read separately.
        whole = [unit for unit in units if unit.keyframe and unit.rtp_timestamp.to_bytes(4, "big") == self._stamp]
        self.keyframes_given_up += not whole
        for unit in whole:
            self._on_keyframe(unit, octets)
