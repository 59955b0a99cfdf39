"""The time of day in a looped clip: each keyframe is encoded anew with it, so that none comes twice.

The pictures between keyframes stay as they are: the clip has an empty box where the clock is, and they keep what a
keyframe shows there. Blocking: call it in a thread.
"""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
from av.video.frame import PictureType

from simulator.clips.encoded import AccessUnit, VideoClip
from simulator.clips.encoder import open_video_encoder, split_picture
from simulator.clips.lettering import write_time
from simulator.clips.spec import VideoSpec
from simulator.config import VideoCodec

_DECODERS: dict[VideoCodec, str] = {"h264": "h264", "h265": "hevc"}
_START_CODE = b"\x00\x00\x00\x01"


class ClockWriter:
    """Writes the time into keyframes of one clip. Not for two threads at a time."""

    def __init__(self, clip: VideoClip, spec: VideoSpec) -> None:
        """`clip`: what `spec` is encoded to."""
        keyframes = {index: unit for index, unit in enumerate(clip.units) if unit.keyframe}
        octets = sum(len(nal) for unit in keyframes.values() for nal in unit.nals) // len(keyframes)
        self._clip = replace(clip, units=())
        self._keyframes = keyframes
        # Keyframes alone: each gets about as many bits as those of the clip have.
        kbps = max(16, octets * 8 * spec.fps // 1000)
        self._spec = replace(spec, bitrate_kbps=kbps, pictures_per_s=0)
        self._encoder: av.VideoCodecContext | None = None
        self._written = 0

    def write(self, index: int, text: str) -> AccessUnit:
        """Encode keyframe `index` of the clip with `text`, as `HH:MM:SS`, in the clock's box."""
        if self._encoder is None:
            self._encoder = open_video_encoder(self._spec)
        picture = self._decode(self._keyframes[index])
        height, width = self._spec.height, self._spec.width
        flat = picture.reshape(-1)
        luma = flat[: height * width].reshape(height, width)
        write_time(luma, flat[height * width :].reshape(2, height // 2, width // 2), text)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pict_type = PictureType.I
        frame.pts, frame.time_base = self._written, Fraction(1, self._spec.fps)
        self._written += 1
        (packet,) = self._encoder.encode(frame)
        return split_picture(self._clip.codec, bytes(packet))[1]

    def _decode(self, unit: AccessUnit) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        decoder = av.CodecContext.create(_DECODERS[self._clip.codec], "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.thread_count = 1
        data = b"".join(_START_CODE + nal for nal in (*self._clip.parameter_sets, *unit.nals))
        (frame,) = (*decoder.decode(av.Packet(data)), *decoder.decode(None))
        return frame.to_ndarray(format="yuv420p").astype(np.uint8, copy=False)
