"""What of a camera's session description goes on to a destination: how to decode its media, and none of its words.

A camera may repeat its login in any free text, or write signs there that a reader's terminal obeys. So names, notes,
tools and connections stay behind, and of the format parameters only those that a registry has, with values of their
kind.
"""

import re
from collections.abc import Sequence

from vonggac.rtsp.wire.sdp import (
    CODECS,
    RTPMAP,
    START_CODE,
    UNKNOWN_CODEC,
    MediaDescription,
    SessionDescription,
    decode_base64,
    parameter,
)

_NUMBER, _HEX = re.compile(r"[0-9]{1,10}"), re.compile(r"[0-9A-Fa-f]{1,1024}")
_MODES = re.compile(r"AAC-[hl]br|CELP-[cv]br|generic|20|30|SRST|MRST|MRMT|yes|no", re.IGNORECASE)
_LIST = re.compile(r"[0-9]{1,3}(,[0-9]{1,3}){0,15}")
_NUMBERS = (
    # RFC 6184, 7798
    "packetization-mode", "level-asymmetry-allowed", "max-mbps", "max-smbps", "max-fs", "max-cpb", "max-dpb",
    "max-br", "redundant-pic-cap", "max-rcmd-nalu-size", "sprop-interleaving-depth", "sprop-deint-buf-req",
    "deint-buf-cap", "sprop-init-buf-time", "sprop-max-don-diff", "use-level-src-parameter-sets",
    "in-band-parameter-sets", "sar-understood", "sar-supported", "max-lsr", "max-lps", "max-tr", "max-tc",
    "max-fps", "profile-space", "profile-id", "tier-flag", "level-id", "sprop-sub-layer-id", "recv-sub-layer-id",
    "max-recv-level-id", "sprop-depack-buf-nalus", "sprop-depack-buf-bytes", "depack-buf-cap",
    "sprop-segmentation-id", "sprop-spatial-segmentation-idc",
    # RFC 3640, 6416
    "streamtype", "sizelength", "indexlength", "indexdeltalength", "ctsdeltalength", "dtsdeltalength",
    "randomaccessindication", "streamstateindication", "auxiliarydatasizelength", "constantsize",
    "constantduration", "maxdisplacement", "de-interleavebuffersize", "objecttype", "object", "bitrate", "cpresent",
    "rate", "sbr-enabled",
    # RFC 7587, 4867, 3951 and their like
    "maxplaybackrate", "sprop-maxcapturerate", "maxaveragebitrate", "minptime", "ptime", "maxptime", "stereo",
    "sprop-stereo", "cbr", "useinbandfec", "usedtx", "octet-align", "crc", "robust-sorting", "interleaving",
    "channels", "mode-change-period", "mode-change-capability", "mode-change-neighbor",
)  # fmt: skip
_VALUES: dict[str, re.Pattern[str]] = {
    **dict.fromkeys(_NUMBERS, _NUMBER),
    **dict.fromkeys(
        (
            "profile-level-id",
            "config",
            "interop-constraints",
            "profile-compatibility-indicator",
        ),
        _HEX,
    ),
    **dict.fromkeys(("mode", "tx-mode", "annexa", "annexb"), _MODES),
    "mode-set": _LIST,
}
_SETS = {
    "sprop-parameter-sets": ("H264", {7, 8, 13, 15}),
    "sprop-vps": ("H265", {32}),
    "sprop-sps": ("H265", {33}),
    "sprop-pps": ("H265", {34}),
    "sprop-sei": ("H265", {39, 40}),
}
"""Codec and types of the NAL units that stand there in Base64."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]+=*")


def announce_sdp(sdp: SessionDescription, indexes: Sequence[int], *, origin_id: int) -> SessionDescription:
    """Describe for ANNOUNCE the chosen media of `sdp`: payload type, codec and format parameters are kept.

    Everything else is ours; the controls are `trackID=0`, `trackID=1` … in the order of `indexes`.
    """
    lines = (
        ("v", "0"),
        ("o", f"- {origin_id} 1 IN IP4 127.0.0.1"),
        ("s", "-"),
        ("c", "IN IP4 0.0.0.0"),
        ("t", "0 0"),
    )
    media = tuple(_announce_media(sdp.media[index], number) for number, index in enumerate(indexes))
    return SessionDescription(lines, (("control", "*"),), media)


def _announce_media(media: MediaDescription, number: int) -> MediaDescription:
    """Write rtpmap and fmtp for the payload type, also when the camera left them out or misnumbered them."""
    own = str(media.payload_type)
    kept: list[tuple[str, str]] = []
    match = RTPMAP.match(parameter(media.attributes, "rtpmap", media.payload_type) or "")
    if match and int(match[2] or 0):
        codec = match[1] if match[1].upper() in CODECS else UNKNOWN_CODEC
        kept.append(("rtpmap", f"{own} {codec}/{match[2]}" + (f"/{match[3]}" if match[3] else "")))
    elif media.rtpmap is not None:
        kept.append(("rtpmap", f"{own} {media.codec}/{media.clock_rate}"))
    if parameters := _format_parameters(media):
        kept.append(("fmtp", f"{own} {parameters}"))
    return MediaDescription(
        media.kind, 0, "RTP/AVP", media.payload_types[:1], (*kept, ("control", f"trackID={number}"))
    )


def _format_parameters(media: MediaDescription) -> str:
    kept: dict[str, str] = {}
    for part in (parameter(media.attributes, "fmtp", media.payload_type) or "").split(";"):
        key, _, text = part.partition("=")
        name, value = key.strip(), text.strip(' \t"')
        known = name.lower()
        if known in _SETS:
            value = ",".join(one for one in value.split(",") if _is_parameter_set(known, one.strip()))
        elif known not in _VALUES or not _VALUES[known].fullmatch(value):
            continue
        if value and known not in {one.lower() for one in kept}:
            kept[name] = value
    return "; ".join(f"{name}={value}" for name, value in kept.items())


def _is_parameter_set(key: str, text: str) -> bool:
    codec, types = _SETS[key]
    nal = START_CODE.sub(b"", decode_base64(text), count=1) if _BASE64.fullmatch(text) else b""
    # The first bit of every NAL unit is zero: letters that only look like Base64 seldom get so far.
    return bool(nal) and not nal[0] & 0x80 and (nal[0] & 0x1F if codec == "H264" else nal[0] >> 1) in types
