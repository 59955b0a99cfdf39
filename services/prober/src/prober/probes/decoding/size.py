"""The size of a picture before it is decoded: a megabyte of a keyframe can ask the decoder for two gigabytes."""

from collections.abc import Sequence
from functools import lru_cache

from prober.probes.decoding.picture import Undecodable
from vonggac.events import Cause
from vonggac.media.h26x import VideoCodec, is_parameter_set, nal_type
from vonggac.media.sps import MAX_SPS_BYTES, SpsInfo, TooLargeError, parse_sps
from vonggac.net.errors import MalformedError

MOST_SIDE = 8192
MOST_PIXELS = 40_000_000
"""A panorama of four 4K sensors has 33 million. Coded pixels: what is cropped is decoded all the same."""


def jpeg_size(most: int, width: int, height: int) -> tuple[int, int]:
    """Width and height of a JPEG at most so wide: of the same shape, never enlarged, even as its chroma needs it."""
    wide = max(2, min(most, width) // 2 * 2)
    return wide, max(2, round(height * wide / width / 2) * 2)


def first_sps(codec: VideoCodec, nals: Sequence[bytes]) -> SpsInfo | None:
    """Read what the first readable sequence parameter set says; None without one."""
    return next((sps for nal in _parameter_sets(codec, nals) if isinstance(sps := _sps_of(codec, nal), SpsInfo)), None)


def stream_sign(codec: VideoCodec, nals: Sequence[bytes]) -> str | None:
    """Codec, profile and size, by which a stream is known again; None without parameter sets."""
    sps = first_sps(codec, nals)
    return f"{codec.value.lower()} {sps.profile} {sps.width}x{sps.height}"[:64] if sps is not None else None


def sps_bytes(codec: VideoCodec, nals: Sequence[bytes]) -> bytes | None:
    """Join the sequence parameter sets as the encoder wrote them, with level, VUI and what else; None without any."""
    sets = {nal for nal in _parameter_sets(codec, nals) if isinstance(_sps_of(codec, nal), SpsInfo)}
    return b"".join(sorted(sets)) or None


def refuse_too_large(codec: VideoCodec, nals: Sequence[bytes]) -> Undecodable | None:
    """None when no parameter set announces too large a picture: the slices name the one that they mean."""
    for nal in _parameter_sets(codec, nals):
        sps = _sps_of(codec, nal)
        if sps is None:
            continue
        if isinstance(sps, TooLargeError):
            return Undecodable(sps.message, cause=Cause.PICTURE_TOO_LARGE)
        width, height = sps.coded_width, sps.coded_height
        if max(width, height) > MOST_SIDE or width * height > MOST_PIXELS:
            reason = f"the picture has {width} x {height} pixels: above {MOST_SIDE} x {MOST_SIDE}, or {MOST_PIXELS:,}"
            return Undecodable(reason, cause=Cause.PICTURE_TOO_LARGE)
    return None


def _parameter_sets(codec: VideoCodec, nals: Sequence[bytes]) -> list[bytes]:
    return [nal[:MAX_SPS_BYTES] for nal in nals if is_parameter_set(codec, nal_type(codec, nal))]


@lru_cache(maxsize=256)
def _sps_of(codec: VideoCodec, nal: bytes) -> SpsInfo | TooLargeError | None:
    """None when the set is another one. Kept, since a camera sends the same with each keyframe, and others like it."""
    try:
        return parse_sps(codec, nal)
    except TooLargeError as error:
        return error
    except MalformedError:
        return None
