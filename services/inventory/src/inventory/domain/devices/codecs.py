"""Which codec a destination accepts: checked when the plan changes, before any connection."""

from inventory.domain.devices.addresses import scheme_of

H265 = "h265"
_FLV_SCHEMES = frozenset({"rtmp", "rtmps"})


def accepts_codec(codec: str | None, url: str, *, enhanced_rtmp: bool) -> bool:
    """Whether a destination at `url` accepts `codec` (None: not surveyed; the forwarder checks it at run time).

    Classic FLV, which RTMP carries, has no H.265; enhanced RTMP has.
    """
    return codec != H265 or enhanced_rtmp or scheme_of(url) not in _FLV_SCHEMES


def refusal_advice(camera_code: str, destination_code: str) -> str:
    """Format the reason of the refusal, and what to change."""
    return (
        f"camera {camera_code} is surveyed as H.265, and destination {destination_code} takes RTMP without "
        "enhanced_rtmp, which cannot carry it: set the camera to H.264 (and expected.codec), or enhanced_rtmp if the "
        "centre takes it, or do not deliver this camera there"
    )
