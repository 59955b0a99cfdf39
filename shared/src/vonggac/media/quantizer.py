"""The quantizer of a keyframe, from the header of its first slice: how coarsely its picture is coded.

ITU-T H.264 §7.3.3 and H.265 §7.3.6.1; the slices of a keyframe are intra coded, so most of a header is absent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from vonggac.media.h26x import H264_PPS, H264_SPS, H265_PPS, H265_SPS, VideoCodec, is_keyframe_slice, nal_type
from vonggac.media.rbsp import Bits, unescape
from vonggac.media.sps import H264Coding, H265Coding, h264_coding, h265_coding
from vonggac.net.errors import MalformedError

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
