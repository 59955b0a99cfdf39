"""Recovery points (H.264 §D.2.8, H.265 §D.3.8): decoding can begin there without an IDR or IRAP picture."""

from collections.abc import Iterable

from vonggac.media.h26x import VideoCodec, nal_type
from vonggac.media.rbsp import Bits, unescape
from vonggac.net.errors import MalformedError

H264_SEI = 6
H265_PREFIX_SEI = 39
MAX_SEI_BYTES = 1024
"""A recovery point is at the beginning of its unit, in a few bytes."""
_RECOVERY_POINT = 6


def is_sei(codec: VideoCodec, kind: int) -> bool:
    """Whether NAL units of this type carry SEI before the picture."""
    return kind == (H264_SEI if codec is VideoCodec.H264 else H265_PREFIX_SEI)


def pictures_to_recover(codec: VideoCodec, nals: Iterable[bytes]) -> int | None:
    """Find the same as `recovery_point` over all NAL units of an access unit; the first one found counts."""
    head = 1 if codec is VideoCodec.H264 else 2
    counts = (recovery_point(codec, nal[head:]) for nal in nals if is_sei(codec, nal_type(codec, nal)))
    return next((count for count in counts if count is not None), None)


def recovery_point(codec: VideoCodec, body: bytes | memoryview) -> int | None:
    """Read the number of pictures until the picture is whole when decoding begins here; None: it cannot begin here.

    `body`: an SEI unit without its NAL header. 0: at once (open GOP); more: the picture is refreshed bit by bit (intra
    refresh). H.265 counts in picture order, which may be below 0: then its absolute value.
    """
    data = unescape(bytes(body[:MAX_SEI_BYTES]))
    at = 0
    try:
        while at < len(data) - 1:
            kind, at = _number(data, at)
            size, at = _number(data, at)
            if kind == _RECOVERY_POINT:
                bits = Bits(data[at : at + size])
                return bits.ue() if codec is VideoCodec.H264 else abs(bits.se())
            at += size
    except MalformedError:
        return None
    return None


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read a payload type or size (H.264 §7.3.2.3.1), and where the next field begins. Raises MalformedError."""
    number = 0
    while at < len(data):
        number += data[at]
        at += 1
        if data[at - 1] != 0xFF:
            return number, at
    raise MalformedError("an SEI message is cut off")
