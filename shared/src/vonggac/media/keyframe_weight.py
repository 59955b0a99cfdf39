"""What a keyframe weighs: how much there is to see in its picture, by its size and by how coarsely it is coded.

Nothing is decoded: a picture that weighs otherwise than those that were judged good is another one, and nobody knows
what it shows until it is judged. The quantizer is read from the header of the first slice (ITU-T H.264 §7.3.3, H.265
§7.3.6.1); the slices of a keyframe are intra coded, so most of a header is absent.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from vonggac.media.h26x import H264_PPS, H264_SPS, H265_PPS, H265_SPS, VideoCodec, is_keyframe_slice, nal_type
from vonggac.media.rbsp import Bits, unescape
from vonggac.media.sps import H264Coding, H265Coding, h264_coding, h265_coding
from vonggac.net.errors import MalformedError

LIGHTER, HEAVIER = 0.72, 1.45
"""A keyframe outside of that, beside those of the same picture, is of another one. People who pass change a tenth."""
MUCH = 2.0
"""So many times as heavy or as light: beside a picture of which few keyframes are known."""
QUANTIZER_STEP = 6
"""The quantizer's step doubles with every so many (H.264 table 8-15)."""
MOST_KNOWN = 24
"""Judged pictures that are remembered: some hours of them, a day's light and a night's."""
MAX_HEADER_BYTES = 40
SETS_KEPT = 256
"""A camera sends its parameter sets with each keyframe, and mostly the same ones."""
MAX_SET_BYTES = 1024
QUANTIZERS = range(-48, 52)
"""Of 16 bits a sample at most (H.265 §7.4.7.1)."""
_H264_IDR = 5
_H265_IDR = frozenset({19, 20})
_INTRA = {VideoCodec.H264: frozenset({2, 7}), VideoCodec.H265: frozenset({2})}


@dataclass(frozen=True, slots=True)
class Weight:
    """One keyframe. `octets`: of its packets; `content`: the same at quantizer 0, None where nobody read that."""

    octets: float
    content: float | None = None


def weight_of(octets: int, quantizer: int | None) -> Weight:
    """Weigh a picture. A rate control gives one that shows nothing as many bits as any other, coded more finely."""
    return Weight(octets, None if quantizer is None else octets * 2.0 ** (quantizer / QUANTIZER_STEP))


class Weights:
    """Keyframes of pictures that are alike, the newest `most` of them; compared by what both sides have."""

    __slots__ = ("_known",)

    def __init__(self, most: int = MOST_KNOWN) -> None:
        self._known: deque[Weight] = deque(maxlen=most)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, weight: Weight) -> None:
        """Another one like these."""
        self._known.append(weight)

    @property
    def newest(self) -> Weight | None:
        return self._known[-1] if self._known else None

    @property
    def middle(self) -> Weight | None:
        """The one in the middle: the first ones after a change are often coded otherwise than the rest."""
        if not self._known:
            return None
        contents = [weight.content for weight in self._known if weight.content is not None]
        return Weight(median(weight.octets for weight in self._known), median(contents) if contents else None)

    def cover(self, weight: Weight, *, lighter: float = LIGHTER, heavier: float = HEAVIER) -> bool:
        """Whether `weight` is like one of these, or lies between two of them."""
        contents = [known.content for known in self._known if known.content is not None]
        if weight.content is not None and contents:
            return lighter * min(contents) <= weight.content <= heavier * max(contents)
        return self._cover_octets(weight, lighter, heavier)

    def may_cover(self, weight: Weight) -> bool:
        """Whether one keyframe alone of this weight may be of the same picture: it is as large, and begins otherwise.

        A rate control that spreads its bits within a picture begins some with another quantizer than the next.
        """
        return self._cover_octets(weight, LIGHTER, HEAVIER) and self.cover(weight, lighter=1 / MUCH, heavier=MUCH)

    def _cover_octets(self, weight: Weight, lighter: float, heavier: float) -> bool:
        octets = [known.octets for known in self._known]
        return bool(octets) and lighter * min(octets) <= weight.octets <= heavier * max(octets)


@dataclass(frozen=True, slots=True)
class _PictureSet:
    """What a picture parameter set says of the slices' headers. `extra_bits`, `output_flag`: H.265 alone."""

    quantizer: int
    order_present: bool = False
    redundant_count: bool = False
    extra_bits: int = 0
    output_flag: bool = False


def keyframe_quantizer(codec: VideoCodec, nals: Iterable[bytes]) -> int | None:
    """QP of the keyframe's first slice; `nals` without start codes, with the parameter sets before the slices.

    None where it cannot be read: sets are missing, the header is damaged or of a kind that is rare (open GOP).
    """
    sps_type, pps_type = (H264_SPS, H264_PPS) if codec is VideoCodec.H264 else (H265_SPS, H265_PPS)
    sps = pps = None
    try:
        for nal in nals:
            kind = nal_type(codec, nal)
            if kind == sps_type:
                sps = nal
            elif kind == pps_type:
                pps = nal
            elif is_keyframe_slice(codec, kind):
                if sps is None or pps is None:
                    return None
                read = _read_h264 if codec is VideoCodec.H264 else _read_h265
                found = read(kind, sps, pps, nal)
                return found if found in QUANTIZERS else None
    except MalformedError:
        return None
    return None


def _read_h264(kind: int, sps: bytes, pps: bytes, nal: bytes) -> int | None:
    if kind != _H264_IDR:
        return None
    coding, picture = _h264_sets(sps, pps)
    bits = Bits(unescape(nal[1:MAX_HEADER_BYTES]))
    bits.ue()  # first_mb_in_slice
    if bits.ue() not in _INTRA[VideoCodec.H264]:
        return None
    bits.ue()  # pic_parameter_set_id
    bits.read_bits(2 * coding.separate_planes + coding.frame_number_bits)
    is_field = not coding.frames_only and bits.flag()
    if is_field:
        bits.read_bits(1)
    bits.ue()  # idr_pic_id
    if coding.order_kind == 0:
        bits.read_bits(coding.order_bits)
    if coding.order_kind == 0 or (coding.order_kind == 1 and coding.order_deltas):
        if coding.order_kind == 1:
            bits.se()
        if picture.order_present and not is_field:
            bits.se()
    if picture.redundant_count:
        bits.ue()
    bits.read_bits(2)  # dec_ref_pic_marking of an IDR picture
    return picture.quantizer + bits.se()


@lru_cache(maxsize=SETS_KEPT)
def _h264_sets(sps: bytes, pps: bytes) -> tuple[H264Coding, _PictureSet]:
    coding = h264_coding(Bits(unescape(sps[1:MAX_SET_BYTES])))
    return coding, _h264_picture_set(Bits(unescape(pps[1:MAX_SET_BYTES])))


def _h264_picture_set(bits: Bits) -> _PictureSet:
    bits.ue()  # pic_parameter_set_id
    bits.ue()  # seq_parameter_set_id
    bits.read_bits(1)
    order_present = bits.flag()
    if bits.ue():
        raise MalformedError("slice groups")
    bits.ue()
    bits.ue()
    bits.read_bits(3)
    quantizer = 26 + bits.se()
    bits.se()
    bits.se()
    bits.read_bits(2)
    return _PictureSet(quantizer, order_present, redundant_count=bits.flag())


def _read_h265(kind: int, sps: bytes, pps: bytes, nal: bytes) -> int | None:
    if kind not in _H265_IDR:
        return None
    coding, picture = _h265_sets(sps, pps)
    bits = Bits(unescape(nal[2:MAX_HEADER_BYTES]))
    if not bits.flag():
        # Not the first slice of its picture.
        return None
    bits.read_bits(1)
    bits.ue()  # slice_pic_parameter_set_id
    bits.read_bits(picture.extra_bits)
    if bits.ue() not in _INTRA[VideoCodec.H265]:
        return None
    bits.read_bits(int(picture.output_flag) + 2 * coding.separate_planes)
    if coding.adaptive_offset:
        bits.read_bits(1 if coding.monochrome else 2)
    return picture.quantizer + bits.se()


@lru_cache(maxsize=SETS_KEPT)
def _h265_sets(sps: bytes, pps: bytes) -> tuple[H265Coding, _PictureSet]:
    coding = h265_coding(Bits(unescape(sps[2:MAX_SET_BYTES])))
    return coding, _h265_picture_set(Bits(unescape(pps[2:MAX_SET_BYTES])))


def _h265_picture_set(bits: Bits) -> _PictureSet:
    bits.ue()  # pps_pic_parameter_set_id
    bits.ue()  # pps_seq_parameter_set_id
    bits.read_bits(1)
    output_flag = bits.flag()
    extra_bits = bits.read_bits(3)
    bits.read_bits(2)
    bits.ue()
    bits.ue()
    return _PictureSet(26 + bits.se(), extra_bits=extra_bits, output_flag=output_flag)
