"""Whole keyframes out of a camera's media, only while somebody wants them.

The tap sits behind the fan-out: media has been written to every destination before it is looked at here, and an idle
tap is not even called.
"""

from collections.abc import Callable

from forwarder.domain.keyframes import MAX_KEYFRAME_BYTES, StreamMeter
from forwarder.relay.media.fanout import FRAME_HEADER_BYTES, FanOut
from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import VideoCodec, starts_keyframe
from vonggac.media.rtp import RtpHeader, parse_rtp
from vonggac.net.errors import MalformedError
from vonggac.rtsp.wire.framing import MediaBatch

_SHORTEST = FRAME_HEADER_BYTES + 12
_MARKER_AT, _MARKER = FRAME_HEADER_BYTES + 1, 0x80
_TIMESTAMP_AT, _TIMESTAMP_END = FRAME_HEADER_BYTES + 4, FRAME_HEADER_BYTES + 8

type OnKeyframe = Callable[[AccessUnit], None]
type OnReport = Callable[[bytes], None]


class KeyframeTap:
    """Calls `on_keyframe` with each whole keyframe while it is open. Holds at most one unfinished keyframe."""

    __slots__ = (
        "_channel",
        "_codec",
        "_depacketizer",
        "_fanout",
        "_held",
        "_held_bytes",
        "_on_keyframe",
        "_on_report",
        "_packets",
        "_rtcp_channel",
        "_stamp",
        "meter",
    )

    def __init__(
        self,
        fanout: FanOut,
        codec: VideoCodec,
        *,
        channel: int,
        rtcp_channel: int,
        clock_rate: int,
        on_keyframe: OnKeyframe,
        on_report: OnReport,
    ) -> None:
        """`on_report` gets each RTCP packet of the video that goes by while the tap is open."""
        self._fanout, self._codec, self._channel, self._rtcp_channel = fanout, codec, channel, rtcp_channel
        self._on_keyframe, self._on_report = on_keyframe, on_report
        self._depacketizer: Depacketizer | None = None
        self._held: list[memoryview] = []
        self._held_bytes = 0
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
        self._stamp = None
        self._give_up()
        self.meter.pause()

    def _give_up(self) -> None:
        self._depacketizer, self._held, self._held_bytes = None, [], 0

    def _take(self, batch: MediaBatch) -> None:
        data, view = batch.data, memoryview(batch.data)
        held = False
        for channel, start, end in batch.frames:
            if channel != self._channel or end - start < _SHORTEST:
                if channel == self._rtcp_channel:
                    self._on_report(data[start + FRAME_HEADER_BYTES : end])
                continue
            self._packets += 1
            # Most packets are of the picture that the one before was of, and of no keyframe: nothing to parse.
            same = data[start + _TIMESTAMP_AT : start + _TIMESTAMP_END] == self._stamp
            if self._depacketizer is None:
                if not same:
                    self._begin(data, start, end)
                    held = self._depacketizer is not None
                continue
            # A keyframe is put together in one go, when its packets are all there.
            self._held.append(view[start + FRAME_HEADER_BYTES : end])
            # What is kept from being freed is the batch.
            self._held_bytes += 0 if held else len(data)
            held = True
            if not same or data[start + _MARKER_AT] & _MARKER:
                self._put_together(self._depacketizer)
            elif self._held_bytes > MAX_KEYFRAME_BYTES:
                self._give_up()
            if not same:
                self._new_picture(data, start, end)

    def _begin(self, data: bytes, start: int, end: int) -> None:
        """The first packet of a picture: is it a keyframe's?"""
        # Of the picture that is under way when the tap opens the beginning is missing.
        whole = self._stamp is not None
        header = self._new_picture(data, start, end)
        if not whole or header is None:
            return
        if starts_keyframe(self._codec, memoryview(data)[header.payload_start : header.payload_end]):
            self._depacketizer = Depacketizer(self._codec, max_unit_bytes=MAX_KEYFRAME_BYTES)
            self._held, self._held_bytes = [memoryview(data)[start + FRAME_HEADER_BYTES : end]], len(data)
            if header.marker:
                self._put_together(self._depacketizer)

    def _new_picture(self, data: bytes, start: int, end: int) -> RtpHeader | None:
        try:
            header = parse_rtp(data, start + FRAME_HEADER_BYTES, end)
        except MalformedError:
            return None
        self._stamp = data[start + _TIMESTAMP_AT : start + _TIMESTAMP_END]
        self.meter.picture(timestamp=header.timestamp, sequence=header.sequence, packets=self._packets)
        return header

    def _put_together(self, depacketizer: Depacketizer) -> None:
        units: list[AccessUnit] = []
        for packet in self._held:
            try:
                units += depacketizer.push_packet(packet)
            except MalformedError:
                continue
        self._held, self._held_bytes = [], 0
        if not units and not depacketizer.dropped:
            # Parameter sets under a marker of their own: the picture follows.
            return
        # Whole, damaged or no keyframe after all: the next one is looked for.
        self._give_up()
        for unit in units:
            if unit.keyframe:
                self._on_keyframe(unit)
