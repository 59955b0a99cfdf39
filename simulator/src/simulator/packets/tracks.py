"""A clip's tracks, ready to send: packets, timing, and their part of the SDP."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, Protocol

from simulator.clips.encoded import AccessUnit, AudioClip, VideoClip
from simulator.config import Packing, VideoCodec
from simulator.packets.payloads import aac_payload, h264_payloads, h265_payloads
from simulator.packets.template import FrameTemplate, make_template

VIDEO_CLOCK_HZ = 90_000
VIDEO_PAYLOAD_TYPE = 96
AAC_PAYLOAD_TYPE = 97
_AAC_HBR = "profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3"
_DELIMITERS: dict[VideoCodec, bytes] = {"h264": b"\x09\xf0", "h265": bytes([35 << 1, 1, 0x50])}
"""Access unit delimiters: a picture of any kind follows (H.264 table 7-5, H.265 table 7-2)."""
_G711 = {"pcmu": (0, "PCMU"), "pcma": (8, "PCMA")}


@dataclass(frozen=True, slots=True, weakref_slot=True)
class PreparedTrack:
    """One track as a loop of frames. Frame n is due n / `frames_per_s` after the first."""

    media: Literal["video", "audio"]
    codec: str
    payload_type: int
    clock_rate_hz: int
    frames_per_s: Fraction
    frames: tuple[FrameTemplate, ...]
    keyframes: tuple[int, ...]
    """Indexes of the frames with which a player can begin, in ascending order."""
    sdp_lines: tuple[str, ...]
    """Media section without its `m=` line and without `a=control`."""
    live: "LiveKeyframes | None" = None
    """Its keyframes with the time of day; None where the clip is sent as it is."""


class LiveKeyframes(Protocol):
    """Makes keyframes that are about to be sent."""

    def prepare(self, index: int, at: float) -> asyncio.Future[FrameTemplate]:
        """Begin with frame `index`, which is sent at `at` (seconds since 1970); the same again for who comes second."""
        ...


def prepare_video(
    clip: VideoClip, pictures_per_s: int, packing: Packing = "aggregated", live: LiveKeyframes | None = None
) -> PreparedTrack:
    """Packets on channel 0, parameter sets in front of every keyframe."""
    frames = tuple(pack_picture(clip, unit, packing) for unit in clip.units)
    return PreparedTrack(
        media="video",
        codec=clip.codec,
        payload_type=VIDEO_PAYLOAD_TYPE,
        clock_rate_hz=VIDEO_CLOCK_HZ,
        frames_per_s=Fraction(pictures_per_s),
        frames=frames,
        keyframes=_keyframes(frames),
        sdp_lines=_video_sdp(clip),
        live=live,
    )


def pack_picture(clip: VideoClip, unit: AccessUnit, packing: Packing) -> FrameTemplate:
    """One picture of the clip, or one in its place."""
    payloads = _payloads(clip, unit, packing)
    return make_template(payloads, VIDEO_PAYLOAD_TYPE, channel=0, marker=True, keyframe=unit.keyframe)


def replace_pictures(track: PreparedTrack, other: PreparedTrack) -> PreparedTrack:
    """Replace the track's pictures by the other's, as of a covered camera: the SDP stays."""
    return replace(
        track, frames=other.frames, keyframes=other.keyframes, frames_per_s=other.frames_per_s, live=other.live
    )


def prepare_audio(clip: AudioClip) -> PreparedTrack:
    """Packets on channel 2, one audio frame each."""
    if clip.codec == "aac":
        payload_type = AAC_PAYLOAD_TYPE
        payloads = [aac_payload(frame) for frame in clip.frames]
        sdp_lines: tuple[str, ...] = (
            f"a=rtpmap:{payload_type} MPEG4-GENERIC/{clip.clock_rate_hz}/1",
            f"a=fmtp:{payload_type} {_AAC_HBR};config={clip.config.hex().upper()}",
        )
    else:
        payload_type, name = _G711[clip.codec]
        payloads = list(clip.frames)
        sdp_lines = (f"a=rtpmap:{payload_type} {name}/{clip.clock_rate_hz}",)
    frames = tuple(
        make_template([payload], payload_type, channel=2, marker=clip.codec == "aac", keyframe=True)
        for payload in payloads
    )
    return PreparedTrack(
        media="audio",
        codec=clip.codec,
        payload_type=payload_type,
        clock_rate_hz=clip.clock_rate_hz,
        frames_per_s=Fraction(clip.clock_rate_hz, clip.frame_samples),
        frames=frames,
        keyframes=tuple(range(len(frames))),
        sdp_lines=sdp_lines,
    )


def _payloads(clip: VideoClip, unit: AccessUnit, packing: Packing) -> list[bytes]:
    pack = h264_payloads if clip.codec == "h264" else h265_payloads
    parameter_sets = clip.parameter_sets if unit.keyframe else ()
    if packing == "single":
        return pack((), [_DELIMITERS[clip.codec], *parameter_sets, *unit.nals])
    return pack(parameter_sets, unit.nals)


def _keyframes(frames: Sequence[FrameTemplate]) -> tuple[int, ...]:
    return tuple(index for index, frame in enumerate(frames) if frame.keyframe)


def _video_sdp(clip: VideoClip) -> tuple[str, ...]:
    encoded = [base64.b64encode(nal).decode() for nal in clip.parameter_sets]
    if clip.codec == "h264":
        profile = clip.parameter_sets[0][1:4].hex().upper()
        name, parameters = (
            "H264",
            (f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(encoded)}"),
        )
    else:
        vps, sps, pps = encoded
        name, parameters = "H265", f"sprop-vps={vps};sprop-sps={sps};sprop-pps={pps}"
    return (
        f"a=rtpmap:{VIDEO_PAYLOAD_TYPE} {name}/{VIDEO_CLOCK_HZ}",
        f"a=fmtp:{VIDEO_PAYLOAD_TYPE} {parameters}",
        f"a=framerate:{clip.fps}",
    )
