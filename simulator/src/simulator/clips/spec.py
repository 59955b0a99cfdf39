"""What a clip shows and how it is encoded: the key under which it is encoded once and shared."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Literal

from simulator.config import CameraConfig, Pattern, VideoCodec

type Scene = Literal["live", "frozen", "black"]

FORMAT_VERSION = 1
"""Raised whenever the painter, the encoder settings or the file format change, so that no old clip is used."""


@dataclass(frozen=True, slots=True)
class VideoSpec:
    """One looped clip. `scene` tells the moving picture from its stand-ins for the faults freeze and black."""

    codec: VideoCodec
    width: int
    height: int
    fps: int
    bitrate_kbps: int
    gop_frames: int
    gops: int
    pattern: Pattern
    number: int
    scene: Scene = "live"

    @property
    def frames(self) -> int:
        """Length of the loop; a stand-in needs one GOP only."""
        return self.gop_frames * (self.gops if self.scene == "live" else 1)

    @property
    def key(self) -> str:
        """Stable name of the clip's file in the cache."""
        text = json.dumps([FORMAT_VERSION, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def spec_of(camera: CameraConfig, number: int, scene: Scene = "live") -> VideoSpec:
    """The clip that `camera` shows; `number` is drawn into the picture."""
    gop_frames = max(1, round(camera.fps * camera.gop_s))
    return VideoSpec(
        codec=camera.codec,
        width=camera.width,
        height=camera.height,
        fps=camera.fps,
        bitrate_kbps=camera.bitrate_kbps,
        gop_frames=gop_frames,
        gops=max(1, math.ceil(camera.loop_s * camera.fps / gop_frames)),
        pattern=camera.pattern,
        number=number,
        scene=scene,
    )
