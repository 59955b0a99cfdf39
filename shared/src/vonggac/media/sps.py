"""Sequence parameter sets of H.264 (§7.3.2.1.1) and H.265 (§7.3.2.2): profile, level, size, frame rate."""

from collections.abc import Callable
from dataclasses import dataclass

from vonggac.media.h26x import H264_SPS, H265_SPS, VideoCodec, nal_type
from vonggac.media.rbsp import Bits, unescape
from vonggac.net.errors import MalformedError

MAX_SPS_BYTES = 1024
MAX_DIMENSION = 16384

_H264_PROFILES = {
    66: "Baseline",
    77: "Main",
    88: "Extended",
    100: "High",
    110: "High 10",
    122: "High 4:2:2",
    244: "High 4:4:4 Predictive",
}
_H265_PROFILES = {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Range Extensions"}
_WITH_CHROMA_FORMAT = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_PREDICTIVE_444 = 244
_EXTENDED_ASPECT_RATIO = 255


class TooLargeError(MalformedError):
    """A picture of a size that nobody can take."""


@dataclass(frozen=True, slots=True)
class SpsInfo:
    """Size in pixels after cropping, and as it is coded; `fps` from the VUI timing, None when missing or impossible."""

    profile: str
    level: str
    width: int
    height: int
    fps: float | None
    coded_width: int
    coded_height: int


@dataclass(frozen=True, slots=True)
class H264Coding:
    """What a sequence parameter set says of the slices' headers (H.264 §7.3.3)."""

    separate_planes: bool
    frame_number_bits: int
    order_kind: int
    order_bits: int
    order_deltas: bool
    frames_only: bool


@dataclass(frozen=True, slots=True)
class H265Coding:
    """The same of H.265 (§7.3.6.1)."""

    separate_planes: bool
    monochrome: bool
    adaptive_offset: bool


def parse_sps(codec: VideoCodec, nal: bytes) -> SpsInfo:
    """Parse an SPS. Raises MalformedError: not an SPS, cut off, or an impossible size; TooLargeError, if large."""
    wanted = H264_SPS if codec is VideoCodec.H264 else H265_SPS
    if nal_type(codec, nal) != wanted:
        raise MalformedError("a NAL unit is not a sequence parameter set")
    head = 1 if codec is VideoCodec.H264 else 2
    bits = Bits(unescape(nal[head:MAX_SPS_BYTES]))
    info = _parse_h264(bits) if codec is VideoCodec.H264 else _parse_h265(bits)
    if max(info.coded_width, info.coded_height) > MAX_DIMENSION:
        raise TooLargeError(f"a sequence parameter set announces a picture above {MAX_DIMENSION} x {MAX_DIMENSION}")
    if info.width <= 0 or info.height <= 0:
        raise MalformedError("a sequence parameter set holds an impossible picture size")
    return info


def h264_coding(bits: Bits) -> H264Coding:
    """Of an SPS without its NAL header; raises MalformedError when it is cut off."""
    profile = bits.read_bits(8)
    bits.read_bits(16)
    bits.ue()  # seq_parameter_set_id
    chroma, separate = 1, False
    if profile in _WITH_CHROMA_FORMAT:
        chroma = _h264_chroma(bits)
        separate = chroma == 0 and profile == _PREDICTIVE_444
    frame_number_bits = bits.ue() + 4
    order_kind, order_bits, order_deltas = bits.ue(), 0, False
    if order_kind == 0:
        order_bits = bits.ue() + 4
    elif order_kind == 1:
        order_deltas = not bits.flag()
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()
    bits.ue()  # max_num_ref_frames
    bits.read_bits(1)
    bits.ue()
    bits.ue()
    return H264Coding(separate, frame_number_bits, order_kind, order_bits, order_deltas, bits.flag())


def h265_coding(bits: Bits) -> H265Coding:
    """Of an SPS without its NAL header; raises MalformedError when it is cut off."""
    bits.read_bits(4)  # sps_video_parameter_set_id
    sub_layers = bits.read_bits(3)
    bits.read_bits(1)
    _h265_profile(bits, sub_layers)
    bits.ue()  # sps_seq_parameter_set_id
    chroma = bits.ue()
    separate = chroma == 3 and bits.flag()
    bits.ue()
    bits.ue()
    for _ in range(4 if bits.flag() else 0):
        bits.ue()
    _skip_h265_sizes(bits, sub_layers)
    bits.read_bits(1)  # amp_enabled_flag
    return H265Coding(separate, separate or chroma == 0, bits.flag())


def _parse_h264(bits: Bits) -> SpsInfo:
    profile = bits.read_bits(8)
    constraints = bits.read_bits(8)
    level = bits.read_bits(8)
    bits.ue()  # seq_parameter_set_id
    chroma = _h264_chroma(bits) if profile in _WITH_CHROMA_FORMAT else 1
    bits.ue()  # log2_max_frame_num_minus4
    _h264_picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.read_bits(1)
    width_mbs = bits.ue() + 1
    height_units = bits.ue() + 1
    frame_mbs_only = bits.flag()
    if not frame_mbs_only:
        bits.read_bits(1)
    bits.read_bits(1)
    crop = [bits.ue() for _ in range(4)] if bits.flag() else [0, 0, 0, 0]
    fields = 1 if frame_mbs_only else 2
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * fields
    name = _H264_PROFILES.get(profile, str(profile))
    if profile == 66 and constraints & 0x40:
        name = "Constrained Baseline"
    return SpsInfo(
        profile=name,
        level=f"{level // 10}.{level % 10}",
        width=width_mbs * 16 - unit_x * (crop[0] + crop[1]),
        height=height_units * 16 * fields - unit_y * (crop[2] + crop[3]),
        fps=_optional_fps(bits, _h264_vui_fps),
        coded_width=width_mbs * 16,
        coded_height=height_units * 16 * fields,
    )


def _h264_chroma(bits: Bits) -> int:
    chroma = bits.ue()
    if chroma == 3 and bits.flag():
        chroma = 0
    bits.ue()
    bits.ue()
    bits.read_bits(1)
    if bits.flag():
        for index in range(12 if chroma == 3 else 8):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _h264_picture_order(bits: Bits) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.read_bits(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()


def _h264_vui_fps(bits: Bits) -> float | None:
    if not bits.flag():
        return None
    _skip_vui_video(bits)
    if not bits.flag():
        return None
    units, scale = bits.read_bits(32), bits.read_bits(32)
    # A frame is two fields, and time_scale counts fields (§E.2.1).
    return _fps(scale, 2 * units)


def _skip_vui_video(bits: Bits) -> None:
    """From aspect_ratio_info to chroma_loc_info, alike in both codecs (E.1.1 of each)."""
    if bits.flag() and bits.read_bits(8) == _EXTENDED_ASPECT_RATIO:
        bits.read_bits(32)
    if bits.flag():
        bits.read_bits(1)
    if bits.flag():
        bits.read_bits(4)
        if bits.flag():
            bits.read_bits(24)
    if bits.flag():
        bits.ue()
        bits.ue()


def _parse_h265(bits: Bits) -> SpsInfo:
    bits.read_bits(4)  # sps_video_parameter_set_id
    sub_layers = bits.read_bits(3)
    bits.read_bits(1)
    profile, level = _h265_profile(bits, sub_layers)
    bits.ue()  # sps_seq_parameter_set_id
    chroma = bits.ue()
    if chroma == 3:
        bits.read_bits(1)
    width, height = bits.ue(), bits.ue()
    crop = [bits.ue() for _ in range(4)] if bits.flag() else [0, 0, 0, 0]
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = 2 if chroma == 1 else 1
    return SpsInfo(
        profile=_H265_PROFILES.get(profile, str(profile)),
        level=f"{level // 30}.{level % 30 // 3}",
        width=width - unit_x * (crop[0] + crop[1]),
        height=height - unit_y * (crop[2] + crop[3]),
        fps=_optional_fps(bits, lambda rest: _h265_vui_fps(rest, sub_layers)),
        coded_width=width,
        coded_height=height,
    )


def _h265_profile(bits: Bits, sub_layers: int) -> tuple[int, int]:
    bits.read_bits(3)
    profile = bits.read_bits(5)
    bits.read_bits(80)
    level = bits.read_bits(8)
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers)]
    if sub_layers:
        bits.read_bits(2 * (8 - sub_layers))
    for has_profile, has_level in present:
        bits.read_bits(88 * has_profile + 8 * has_level)
    return profile, level


def _skip_h265_sizes(bits: Bits, sub_layers: int) -> int:
    """From the bit depths to the scaling lists; returns the bits of a picture's order."""
    bits.ue()
    bits.ue()
    order_bits = bits.ue() + 4
    for _ in range(sub_layers + 1 if bits.flag() else 1):
        for _ in range(3):
            bits.ue()
    for _ in range(6):
        bits.ue()
    if bits.flag() and bits.flag():
        _skip_h265_scaling(bits)
    return order_bits


def _h265_vui_fps(bits: Bits, sub_layers: int) -> float | None:
    order_bits = _skip_h265_sizes(bits, sub_layers)
    bits.read_bits(2)
    if bits.flag():  # pcm
        bits.read_bits(8)
        bits.ue()
        bits.ue()
        bits.read_bits(1)
    _skip_reference_sets(bits)
    if bits.flag():
        for _ in range(min(bits.ue(), 32)):
            bits.read_bits(order_bits + 1)
    bits.read_bits(2)
    if not bits.flag():
        return None
    _skip_vui_video(bits)
    bits.read_bits(3)
    if bits.flag():
        for _ in range(4):
            bits.ue()
    if not bits.flag():
        return None
    units, scale = bits.read_bits(32), bits.read_bits(32)
    return _fps(scale, units)


def _skip_h265_scaling(bits: Bits) -> None:
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.flag():
                bits.ue()
                continue
            if size > 1:
                bits.se()
            for _ in range(min(64, 1 << (4 + 2 * size))):
                bits.se()


def _skip_reference_sets(bits: Bits) -> None:
    count = bits.ue()
    if count > 64:
        raise MalformedError("a sequence parameter set holds too many reference sets")
    previous = 0
    for index in range(count):
        if index and bits.flag():
            bits.read_bits(1)
            bits.ue()
            # used_by_curr_pic_flag, and use_delta_flag only when that is 0 (§7.3.7).
            kept = 0
            for _ in range(previous + 1):
                kept += bits.flag() or bits.flag()
            previous = kept
            continue
        negative, positive = bits.ue(), bits.ue()
        if negative + positive > 32:
            raise MalformedError("a sequence parameter set holds too many reference pictures")
        for _ in range(negative + positive):
            bits.ue()
            bits.read_bits(1)
        previous = negative + positive


def _optional_fps(bits: Bits, read: Callable[[Bits], float | None]) -> float | None:
    """Read the frame rate, which is optional: a set cut off after the size still has the size."""
    try:
        return read(bits)
    except MalformedError:
        return None


def _fps(scale: int, units: int) -> float | None:
    if not units or not scale:
        return None
    fps = scale / units
    return round(fps, 3) if 0.1 <= fps <= 480 else None
