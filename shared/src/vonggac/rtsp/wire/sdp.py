"""Session descriptions (RFC 8866) as cameras write them: tolerant parsing, plain writing."""

import base64
import binascii
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from vonggac.net.errors import MalformedError
from vonggac.net.url import strip_userinfo
from vonggac.rtsp.wire.messages import Headers

MAX_SDP_BYTES = 64 * 1024
MAX_MEDIA = 16

# RFC 3551 §6: payload types that need no rtpmap.
_STATIC_CODECS: dict[int, tuple[str, int]] = {
    0: ("PCMU", 8000),
    3: ("GSM", 8000),
    4: ("G723", 8000),
    8: ("PCMA", 8000),
    9: ("G722", 8000),
    14: ("MPA", 90000),
    18: ("G729", 8000),
    26: ("JPEG", 90000),
    32: ("MPV", 90000),
    33: ("MP2T", 90000),
}
CODECS = frozenset(
    {
        "AC3", "AMR", "AMR-WB", "AV1", "DV", "EAC3", "G719", "G722", "G723", "G726-16", "G726-24", "G726-32",
        "G726-40", "G729", "GSM", "H261", "H263", "H263-1998", "H263-2000", "H264", "H264-SVC", "H265", "H266",
        "ILBC", "JPEG", "JPEG2000", "JPEG-XS", "L16", "L24", "L8", "MP1S", "MP2P", "MP2T", "MP4A-LATM",
        "MP4V-ES", "MPA", "MPEG4-GENERIC", "MPV", "OPUS", "PCMA", "PCMU", "RAW", "SPEEX", "TELEPHONE-EVENT",
        "THEORA", "VC1", "VC2", "VND.ONVIF.METADATA", "VORBIS", "VP8", "VP9", "HEVC",
    }
)  # fmt: skip
"""Of the registries of IETF and ONVIF."""
UNKNOWN_CODEC = "OTHER"
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
RTPMAP = re.compile(r"([^/\s]+)(?:\s*/\s*([0-9]{1,9}))?(?:\s*/\s*([0-9]{1,3}))?")
START_CODE = re.compile(rb"\A\x00{2,3}\x01")
_CODEC_BY_KEY = {
    "sprop-vps": "H265",
    "sprop-sps": "H265",
    "sprop-parameter-sets": "H264",
    "packetization-mode": "H264",
}
_PARAMETER_SET_KEYS = ("sprop-vps", "sprop-sps", "sprop-pps", "sprop-parameter-sets")

type Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One m= section. `attributes`: (name, value) in order, the value "" for a flag."""

    kind: str
    """"video", "audio", "application", in lower case."""
    port: int
    protocol: str
    payload_types: tuple[int, ...]
    attributes: Attributes = ()

    @property
    def payload_type(self) -> int | None:
        return self.payload_types[0] if self.payload_types else None

    @property
    def rtpmap(self) -> tuple[str, int, int] | None:
        """(codec in upper case, clock rate in Hz or 0 if not said, channels), or None if unknown.

        Of the first payload type; else the section's only rtpmap, whatever number it names; else the payload type's
        own meaning (RFC 3551); else by the format parameters.
        """
        return _rtpmap(self)

    @property
    def codec(self) -> str:
        """ "H264", "H265", "PCMA", "MPEG4-GENERIC" …; "" if the description names none. HEVC is "H265".

        Any name that no registry has is UNKNOWN_CODEC: a camera may repeat there what it was given, also a password.
        """
        codec = self.rtpmap[0] if self.rtpmap else ""
        return "H265" if codec == "HEVC" else codec if codec in CODECS or not codec else UNKNOWN_CODEC

    @property
    def clock_rate(self) -> int:
        """In Hz; without a usable rtpmap what the kind of media usually has (video 90000, audio 8000)."""
        rate = self.rtpmap[1] if self.rtpmap else 0
        return rate or (90000 if self.kind == "video" else 8000)

    @property
    def fmtp(self) -> dict[str, str]:
        """Format parameters by lower-case name: of the first payload type, or the section's only ones."""
        parameters = parameter(self.attributes, "fmtp", self.payload_type) or ""
        pairs = (part.partition("=") for part in parameters.split(";") if part.strip())
        return {key.strip().lower(): text.strip(' \t"') for key, _, text in pairs}

    @property
    def interleaves_nals(self) -> bool:
        """Whether NAL units come in another order than they are decoded in, with order numbers inside the packets.

        H.264 packetization-mode=2 (RFC 6184 §5.4), H.265 sprop-max-don-diff above 0 (RFC 7798 §4.4).
        """
        fmtp = self.fmtp
        if self.codec == "H264":
            return fmtp.get("packetization-mode") == "2"
        return self.codec == "H265" and fmtp.get("sprop-max-don-diff", "0").strip("0") != ""

    @property
    def control(self) -> str | None:
        return attribute(self.attributes, "control")

    @property
    def direction(self) -> str | None:
        """sendrecv, sendonly, recvonly, inactive, or None when missing."""
        return next((name for name, _ in self.attributes if name in _DIRECTIONS), None)

    @property
    def parameter_sets(self) -> list[bytes]:
        """NAL units of sprop-vps/sps/pps or sprop-parameter-sets, without start codes; broken base64 is left out."""
        return list(_parameter_sets(self))


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description. `lines`: the session level's lines other than a=, as (type, value)."""

    lines: tuple[tuple[str, str], ...] = ()
    attributes: Attributes = ()
    media: tuple[MediaDescription, ...] = ()

    @property
    def control(self) -> str | None:
        return attribute(self.attributes, "control")

    @property
    def name(self) -> str:
        return next((value for kind, value in self.lines if kind == "s"), "")

    def encode(self) -> bytes:
        lines = [f"{kind}={value}" for kind, value in self.lines]
        lines += _attribute_lines(self.attributes)
        for media in self.media:
            types = " ".join(map(str, media.payload_types))
            lines.append(f"m={media.kind} {media.port} {media.protocol} {types}")
            lines += _attribute_lines(media.attributes)
        return ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")


def with_payload_type(sdp: SessionDescription, index: int, payload_type: int) -> SessionDescription:
    """Renumber the medium `index`, where it has a number; what that stands for is kept."""
    media = sdp.media[index]
    own = str(media.payload_type)

    def renumbered(name: str, value: str) -> str:
        number, space, rest = value.partition(" ")
        return f"{payload_type}{space}{rest}" if name in ("rtpmap", "fmtp") and number == own else value

    attributes = tuple((name, renumbered(name, value)) for name, value in media.attributes)
    changed = replace(media, payload_types=(payload_type,), attributes=attributes)
    return replace(sdp, media=(*sdp.media[:index], changed, *sdp.media[index + 1 :]))


def parameter(attributes: Attributes, name: str, payload_type: int | None) -> str | None:
    """Find the value of `a=name:<payload type> value`; some cameras write another number there than in m=."""
    found = [(*value.split(maxsplit=1), "", "")[:2] for key, value in attributes if key == name]
    own = next((rest for number, rest in found if number == str(payload_type)), None)
    if own is None and len(found) == 1:
        own = found[0][1]
    return own.strip() if own is not None else None


@lru_cache(maxsize=64)
def _rtpmap(media: MediaDescription) -> tuple[str, int, int] | None:
    """As the property. Cached: one probe or session reads it ten times, and cameras of one model send the same."""
    match = RTPMAP.match(parameter(media.attributes, "rtpmap", media.payload_type) or "")
    if match:
        return match[1].upper(), int(match[2] or 0), int(match[3] or 1)
    static = _STATIC_CODECS.get(media.payload_type) if media.payload_type is not None else None
    if static is not None:
        return (*static, 1)
    return next(((codec, 90000, 1) for key, codec in _CODEC_BY_KEY.items() if key in media.fmtp), None)


@lru_cache(maxsize=64)
def _parameter_sets(media: MediaDescription) -> tuple[bytes, ...]:
    """As the property, cached likewise."""
    fmtp = media.fmtp
    encoded = [part for key in _PARAMETER_SET_KEYS for part in fmtp.get(key, "").split(",")]
    return tuple(nal for part in encoded if (nal := START_CODE.sub(b"", decode_base64(part), count=1)))


def attribute(attributes: Attributes, name: str) -> str | None:
    """Find the first value of that name, or None."""
    return next((value for key, value in attributes if key == name), None)


def parse_sdp(data: bytes) -> SessionDescription:
    """Odd, unknown or misplaced lines are left out; missing ones are tolerated.

    A description without m= lines is valid (an empty recorder channel sends it). Raises MalformedError when nothing
    in it is SDP, or for more than MAX_MEDIA media or MAX_SDP_BYTES.
    """
    if len(data) > MAX_SDP_BYTES:
        raise MalformedError(f"the session description is longer than {MAX_SDP_BYTES} bytes")
    session_lines: list[tuple[str, str]] = []
    session_attributes: list[tuple[str, str]] = []
    sections: list[tuple[str, list[tuple[str, str]]]] = []
    for raw in data.decode("utf-8", "replace").replace("\r", "\n").split("\n"):
        line = raw.strip(" \t\x00")
        kind, value = line[:1], line[2:].strip()
        if line[1:2] != "=":
            continue
        if kind == "m":
            sections.append((value, []))
        elif kind == "a":
            name, _, text = value.partition(":")
            (sections[-1][1] if sections else session_attributes).append((name.strip().lower(), text.strip()))
        elif not sections:
            session_lines.append((kind, value))
    media = [found for found in (_parse_media(value, tuple(items)) for value, items in sections) if found]
    if not (session_lines or session_attributes or media):
        raise MalformedError("the answer holds no session description")
    if len(media) > MAX_MEDIA:
        raise MalformedError(f"the session description has more than {MAX_MEDIA} media")
    return SessionDescription(tuple(session_lines), tuple(session_attributes), tuple(media))


def base_url(headers: Headers, request_url: str) -> str:
    """Content-Base, else Content-Location, else the request URL (RFC 2326 C.1.1); without userinfo."""
    for name in ("Content-Base", "Content-Location"):
        value = (headers.get(name) or "").strip()
        if value.lower().startswith(("rtsp://", "rtsps://")):
            return strip_userinfo(value)
    return request_url


def media_base(base: str, sdp: SessionDescription) -> str:
    """Find the base of the media's controls: an absolute control at the session level, else `base`."""
    control = (sdp.control or "").strip()
    return strip_userinfo(control) if is_absolute(control) else base


def is_absolute(url: str) -> bool:
    """Whether it begins with a scheme; a URL inside its query does not count."""
    return _ABSOLUTE.match(url) is not None


def resolve_control(base: str, control: str | None) -> str:
    """Resolve a control attribute to its URL.

    Absolute: itself. Missing, empty or `*`: the base. `/path`: on the base's host. Anything else is appended to the
    base after a `/`, also after a query string: RFC 3986 would cut the base's last segment, but cameras
    mean it so (`…?channel=1&subtype=0` + `trackID=0`) and what all clients do.
    """
    text = (control or "").strip()
    if text in ("", "*"):
        return base
    if is_absolute(text):
        return strip_userinfo(text)
    if text.startswith("/"):
        scheme, _, rest = base.partition("://")
        return f"{scheme}://{re.split('[/?]', rest, maxsplit=1)[0]}{text}"
    if text.startswith("?") or base.endswith("/"):
        return base + text
    return f"{base}/{text}"


def _parse_media(value: str, attributes: Attributes) -> MediaDescription | None:
    parts = value.split()
    if len(parts) < 3:
        return None
    port = parts[1].partition("/")[0]
    mapped = [text.strip().partition(" ")[0] for name, text in attributes if name == "rtpmap"]
    types = tuple(int(part) for part in parts[3:] or mapped if re.fullmatch(r"[0-9]{1,3}", part))
    return MediaDescription(
        kind=parts[0].lower(),
        port=int(port) if re.fullmatch(r"[0-9]{1,5}", port) else 0,
        protocol=parts[2].upper(),
        payload_types=types,
        attributes=attributes,
    )


def _attribute_lines(attributes: Attributes) -> list[str]:
    return [f"a={name}:{value}" if value else f"a={name}" for name, value in attributes]


def decode_base64(text: str) -> bytes:
    """With or without padding; empty when it is no base64."""
    stripped = text.strip().rstrip("=")
    try:
        return base64.b64decode(stripped + "=" * (-len(stripped) % 4))
    except (binascii.Error, ValueError):
        return b""
