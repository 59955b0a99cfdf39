"""Coded pictures of one H.264 stream as fragments of MP4. Nothing is decoded: their bytes are passed on as they are."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from prober.probes.decoding.size import first_sps, refuse_too_large
from prober.probes.viewing.fmp4 import TIMESCALE, Sample, codec_name, fragment, initialization
from vonggac.events import Cause
from vonggac.media.depacketizer import AccessUnit
from vonggac.media.h26x import H264_PPS, H264_SPS, VideoCodec, nal_type
from vonggac.net.errors import PeerError

FRAGMENT_TICKS = TIMESCALE // 5
"""Of one fragment at least; a fifth of the writes of a fragment for each picture, for so much delay."""
MOST_STEP_TICKS = 5 * TIMESCALE
"""Between two pictures; a clock that jumps farther is not believed."""
USUAL_STEP_TICKS = TIMESCALE // 25
MOST_SETS, LEAST_SPS_BYTES = 31, 4
_SETS = frozenset({H264_SPS, H264_PPS})
_WRAP, _HALF = 1 << 32, 1 << 31
_IN_SAMPLES = frozenset({1, 2, 3, 4, 5, 6})
"""Slices and what is said of them. Parameter sets stand before the fragments, delimiters nowhere."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """Some pictures. `begins`: a viewer may begin with it. `head`: what belongs before it for who begins there."""

    data: bytes
    begins: bool
    head: bytes


@dataclass(frozen=True, slots=True)
class _Picture:
    data: bytes
    decoded_at: int
    shown_at: int
    keyframe: bool


class Muxer:
    """Of one session. Begins with a keyframe; `skip_to_keyframe` after a hole."""

    def __init__(self, clock_rate: int, described: Sequence[bytes]) -> None:
        """`clock_rate`: Hz of the RTP timestamps; `described`: parameter sets of the session's description."""
        self._clock, self._described = _PictureClock(clock_rate), described
        self._sets: tuple[bytes, ...] = ()
        self._head, self.codec = b"", ""
        """`codec`: as a media type names it, once the first keyframe was there."""
        self._waits = True
        self._pictures: list[_Picture] = []
        self._number = 0

    def skip_to_keyframe(self) -> None:
        """Note that a picture was lost: those that refer to it are of no use."""
        self._waits = True

    def add(self, unit: AccessUnit) -> list[Fragment]:
        """Return the fragments that this picture completes. Raises PeerError where no browser can have the stream."""
        if self._waits and not unit.keyframe:
            return []
        fragments = []
        shown_at, decoded_at = self._clock.date(unit.rtp_timestamp)
        pending = self._pictures
        if pending and (unit.keyframe or decoded_at - pending[0].decoded_at >= FRAGMENT_TICKS):
            fragments.append(self._close(decoded_at))
        if unit.keyframe:
            self._describe(unit.nals)
            self._waits = False
        data = b"".join(
            struct.pack(">I", len(nal)) + nal for nal in unit.nals if nal_type(VideoCodec.H264, nal) in _IN_SAMPLES
        )
        self._pictures.append(_Picture(data, decoded_at, shown_at, unit.keyframe))
        return fragments

    def _close(self, ends_at: int) -> Fragment:
        pictures, self._pictures = self._pictures, []
        ends = [each.decoded_at for each in pictures[1:]] + [ends_at]
        samples = [
            Sample(each.data, end - each.decoded_at, each.shown_at - each.decoded_at, each.keyframe)
            for each, end in zip(pictures, ends, strict=True)
        ]
        self._number += 1
        return Fragment(fragment(self._number, pictures[0].decoded_at, samples), pictures[0].keyframe, self._head)

    def _describe(self, nals: Sequence[bytes]) -> None:
        """Take the parameter sets of a keyframe; what it does not bring stays, or is that of the description."""
        own = [nal for nal in nals if nal_type(VideoCodec.H264, nal) in _SETS]
        brought = {nal_type(VideoCodec.H264, nal) for nal in own}
        before = self._sets or self._described
        sets = (*own, *(nal for nal in before if nal_type(VideoCodec.H264, nal) not in brought))
        if self._head and sets == self._sets:
            return
        kinds = [nal_type(VideoCodec.H264, nal) for nal in sets]
        sps = [nal for nal, kind in zip(sets, kinds, strict=True) if kind == H264_SPS and len(nal) >= LEAST_SPS_BYTES]
        pps = [nal for nal, kind in zip(sets, kinds, strict=True) if kind == H264_PPS]
        size = first_sps(VideoCodec.H264, sps)
        if size is None or not pps or max(len(sps), len(pps)) > MOST_SETS:
            raise PeerError(Cause.NO_KEYFRAME, "the keyframe has no parameter sets that can be read")
        if (refused := refuse_too_large(VideoCodec.H264, sps)) is not None:
            raise PeerError(Cause.PICTURE_TOO_LARGE, refused.reason)
        self._sets, self.codec = sets, codec_name(sps[0])
        self._head = initialization(sps, pps, size.width, size.height)


class _PictureClock:
    """Times of pictures from RTP timestamps, which say when one is shown (RFC 6184 §5.1): ticks, from 0 on.

    Without pictures shown out of order they are decoded when they are shown. With them the decoding is ahead by as much
    as was ever needed.
    """

    def __init__(self, clock_rate: int) -> None:
        self._rate = max(1, clock_rate)
        self._stamp: int | None = None
        self._shown = self._decoded = self._ahead = 0

    def date(self, stamp: int) -> tuple[int, int]:
        """When a picture is shown, and when it is decoded: never twice at one tick."""
        if self._stamp is None:
            self._stamp = stamp
            return 0, 0
        step = ((stamp - self._stamp + _HALF) % _WRAP - _HALF) * TIMESCALE // self._rate
        self._stamp = stamp
        self._shown += step if abs(step) <= MOST_STEP_TICKS else USUAL_STEP_TICKS
        self._ahead = max(self._ahead, self._decoded + 1 - self._shown) if self._shown <= self._decoded else self._ahead
        self._decoded = max(self._decoded + 1, self._shown - self._ahead)
        return self._shown, self._decoded
