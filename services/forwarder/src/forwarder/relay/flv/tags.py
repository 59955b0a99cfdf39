"""What FLV and RTMP put around coded media (Adobe's FLV specification 10.1, annex E; E-RTMP v1 for H.265)."""

import struct
from collections.abc import Sequence

from vonggac.media.h26x import H264_PPS, H264_SPS, H265_PPS, H265_SPS, H265_VPS, VideoCodec, nal_type
from vonggac.net.errors import MalformedError

_KEYFRAME, _INTER = 1, 2
_AVC = 7
_SEQUENCE_HEADER, _CODED = 0, 1
_EXTENDED = 0x80
_HVC1 = b"hvc1"
_DELIMITERS = {VideoCodec.H264: 9, VideoCodec.H265: 35}
_AAC_STEREO_44 = 0xAF
"""AAC is always marked so; the truth is in its configuration (E.4.2.1)."""
G711 = {"PCMA": 0x72, "PCMU": 0x82}
"""Tag header by codec: G.711 with 16 bits, mono; the rate of 8 kHz goes without saying."""


def sequence_header(codec: VideoCodec, parameter_sets: Sequence[bytes]) -> bytes:
    """Build the tag with the decoder's configuration. Raises MalformedError when a parameter set is missing."""
    if codec is VideoCodec.H264:
        return bytes([_KEYFRAME << 4 | _AVC, _SEQUENCE_HEADER, 0, 0, 0]) + avc_configuration(parameter_sets)
    return bytes([_EXTENDED | _KEYFRAME << 4 | _SEQUENCE_HEADER]) + _HVC1 + hevc_configuration(parameter_sets)


def video_tag(codec: VideoCodec, nals: Sequence[bytes], *, keyframe: bool, composition_ms: int) -> bytes:
    """One picture, its NAL units with their lengths. `composition_ms`: how much later it is shown than decoded."""
    kind = (_KEYFRAME if keyframe else _INTER) << 4
    shift = (composition_ms & 0xFFFFFF).to_bytes(3)
    if codec is VideoCodec.H264:
        parts = [bytes([kind | _AVC, _CODED]), shift]
    else:
        parts = [bytes([_EXTENDED | kind | _CODED]), _HVC1, shift]
    delimiter = _DELIMITERS[codec]
    for nal in nals:
        if nal_type(codec, nal) != delimiter:
            parts += (len(nal).to_bytes(4), nal)
    return b"".join(parts)


def aac_header(configuration: bytes) -> bytes:
    """Build the tag that carries `configuration`: AudioSpecificConfig (ISO 14496-3 §1.6.2)."""
    return bytes([_AAC_STEREO_44, _SEQUENCE_HEADER]) + configuration


def aac_tag(frame: bytes) -> bytes:
    """`frame`: one AAC frame without ADTS header."""
    return bytes([_AAC_STEREO_44, _CODED]) + frame


def avc_configuration(parameter_sets: Sequence[bytes]) -> bytes:
    """AVCDecoderConfigurationRecord (ISO 14496-15 §5.3.3.1). Raises MalformedError."""
    sps = _of(VideoCodec.H264, parameter_sets, H264_SPS)
    pps = _of(VideoCodec.H264, parameter_sets, H264_PPS)
    if len(sps[0]) < 4:
        raise MalformedError("a sequence parameter set is cut off")
    return b"".join(
        (
            bytes([1, *sps[0][1:4], 0xFF, 0xE0 | len(sps)]),
            *(struct.pack(">H", len(nal)) + nal for nal in sps),
            bytes([len(pps)]),
            *(struct.pack(">H", len(nal)) + nal for nal in pps),
        )
    )


def hevc_configuration(parameter_sets: Sequence[bytes]) -> bytes:
    """HEVCDecoderConfigurationRecord (ISO 14496-15 §8.3.3.1), 4:2:0. Raises MalformedError."""
    arrays = [(kind, _of(VideoCodec.H265, parameter_sets, kind)) for kind in (H265_VPS, H265_SPS, H265_PPS)]
    sps = arrays[1][1][0].replace(b"\0\0\3", b"\0\0")
    if len(sps) < 15:
        raise MalformedError("a sequence parameter set is cut off")
    layers = (sps[2] >> 1 & 7) + 1
    depth = 2 if sps[3] & 0x1F == 2 else 0
    nested = sps[2] & 1
    head = bytes([1]) + sps[3:15] + b"\xf0\0\xfc\xfd" + bytes([0xF8 | depth, 0xF8 | depth, 0, 0])
    head += bytes([layers << 3 | nested << 2 | 3, len(arrays)])
    for kind, nals in arrays:
        head += bytes([0x80 | kind]) + struct.pack(">H", len(nals))
        head += b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)
    return head


def _of(codec: VideoCodec, parameter_sets: Sequence[bytes], kind: int) -> list[bytes]:
    found = list(dict.fromkeys(nal for nal in parameter_sets if nal_type(codec, nal) == kind and len(nal) <= 0xFFFF))
    if not found:
        raise MalformedError(f"the camera sends no {codec} parameter set of type {kind}")
    return found[:16]
