"""Whole keyframes out of a camera's media, only while somebody wants them.

The tap sits behind the fan-out: media has been written to every destination before it is looked at here, and an idle
tap is not even called.
"""

from collections.abc import Callable

from forwarder.domain.keyframes import MAX_KEYFRAME_BYTES, StreamMeter
from forwarder.relay.fanout import FRAME_HEADER_BYTES, FanOut
from vonggac.rtsp.depacketizer import AccessUnit, Depacketizer
from vonggac.rtsp.errors import MalformedError
from vonggac.rtsp.framing import MediaBatch
from vonggac.rtsp.h26x import VideoCodec, starts_keyframe
from vonggac.rtsp.rtp import RtpHeader, parse_rtp

_TIMESTAMP_AT, _TIMESTAMP_END = FRAME_HEADER_BYTES + 4, FRAME_HEADER_BYTES + 8

type OnKeyframe = Callable[[AccessUnit], None]


class KeyframeTap:
    """Calls `on_keyframe` with each whole keyframe while it is open. Holds at most one unfinished keyframe."""

    __slots__ = ("_channel", "_codec", "_depacketizer", "_fanout", "_on_keyframe", "_packets", "_stamp", "meter")

    def __init__(
        self, fanout: FanOut, codec: VideoCodec, *, channel: int, clock_rate: int, on_keyframe: OnKeyframe
    ) -> None:
        self._fanout, self._codec, self._channel = fanout, codec, channel
        self._on_keyframe = on_keyframe
        self._depacketizer: Depacketizer | None = None
        self._stamp: bytes | None = None
        self._packets = 0
        self.meter = StreamMeter(clock_rate)

    def open(self) -> None:
        """Look at the media from now on; harmless when it does already."""
        if self._fanout.tap is None:
            self._forget()
            self._fanout.tap = self._take

    def close(self) -> None:
        """Let the media go by; what was begun is forgotten."""
        self._fanout.tap = None
        self._forget()

    @property
    def is_open(self) -> bool:
        return self._fanout.tap is not None

    def _forget(self) -> None:
        self._depacketizer = self._stamp = None
        self.meter.pause()

    def _take(self, batch: MediaBatch) -> None:
        data = batch.data
        for channel, start, end in batch.frames:
            if channel != self._channel:
                continue
            self._packets += 1
            # Most packets are of the picture that the one before was of, and of no keyframe: nothing to parse.
            if self._depacketizer is None and data[start + _TIMESTAMP_AT : start + _TIMESTAMP_END] == self._stamp:
                continue
            try:
                header = parse_rtp(data, start + FRAME_HEADER_BYTES, end)
            except MalformedError:
                continue
            self._look(data, start, header)

    def _look(self, data: bytes, start: int, header: RtpHeader) -> None:
        stamp = data[start + _TIMESTAMP_AT : start + _TIMESTAMP_END]
        payload = memoryview(data)[header.payload_start : header.payload_end]
        if stamp != self._stamp:
            # Of the picture that is under way when the tap opens the beginning is missing.
            whole, self._stamp = self._stamp is not None, stamp
            self.meter.picture(timestamp=header.timestamp, sequence=header.sequence, packets=self._packets)
            if self._depacketizer is None and whole and starts_keyframe(self._codec, payload):
                self._depacketizer = Depacketizer(self._codec, max_unit_bytes=MAX_KEYFRAME_BYTES)
        if self._depacketizer is not None:
            self._collect(self._depacketizer, header, payload)

    def _collect(self, depacketizer: Depacketizer, header: RtpHeader, payload: memoryview) -> None:
        units = depacketizer.push(payload, sequence=header.sequence, timestamp=header.timestamp, marker=header.marker)
        if not units and not depacketizer.dropped:
            return
        # Whole, damaged or no keyframe after all: the next one is looked for.
        self._depacketizer = None
        for unit in units:
            if unit.keyframe:
                self._on_keyframe(unit)
