"""The content of a clip and its encoding: the key under which it is encoded once and shared."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Literal

from simulator.config import CameraConfig, Packing, Scene, VideoCodec

type View = Literal[
    "live",
    "frozen",
    "still",
    "black",
    "dark",
    "covered_brown",
    "covered_grey",
    "blurred",
    "shifted",
    "rotated",
    "no_signal_blue",
    "no_signal_grey",
]
"""The camera's picture of its scene: `live` is right, the others are its faults.

`frozen` repeats one coded GOP; `still` encodes one picture repeatedly; `dark` is the picture under a lens cap: noise
and the camera's text.
"""

FORMAT_VERSION = 3
"""Grows with each change of painter, encoder settings or file format, so that no old clip is used."""
_STAND_IN_GOPS = 4
_REPEATED: frozenset[View] = frozenset(("frozen", "black"))
_WITHOUT_TIME: frozenset[View] = frozenset(("frozen", "still", "black", "no_signal_blue", "no_signal_grey"))


@dataclass(frozen=True, slots=True)
class VideoSpec:
    """One looped clip of a `scene` in a `view`.

    `fps` is what the stream declares; `pictures_per_s` are sent, fewer for a camera that does not keep up.
    """

    codec: VideoCodec
    width: int
    height: int
    fps: int
    bitrate_kbps: int
    gop_frames: int
    gops: int
    scene: Scene
    number: int
    view: View = "live"
    pictures_per_s: int = 0
    """0 stands for `fps`."""
    packing: Packing = "aggregated"
    clock: bool = False
    """Whether room for the time of day is left in each picture, which `ClockWriter` writes into the keyframes."""

    @property
    def rate(self) -> int:
        """Pictures a second that are sent."""
        return self.pictures_per_s or self.fps

    @property
    def frames(self) -> int:
        """Length of the loop; a stand-in needs a few GOPs only, one where all are alike."""
        if self.view == "live":
            return self.gop_frames * self.gops
        return self.gop_frames * (1 if self.view in _REPEATED else min(self.gops, _STAND_IN_GOPS))

    @property
    def key(self) -> str:
        """Stable name of the clip's file in the cache."""
        encoded = {name: value for name, value in asdict(self).items() if name != "packing"}
        text = json.dumps([FORMAT_VERSION, encoded], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def spec_of(camera: CameraConfig, number: int, view: View = "live") -> VideoSpec:
    """Describe the clip that `camera` shows; `number` is drawn into the picture."""
    gop_frames = max(1, round(camera.fps * camera.gop_s))
    return VideoSpec(
        codec=camera.codec,
        width=camera.width,
        height=camera.height,
        fps=camera.fps,
        bitrate_kbps=camera.bitrate_kbps,
        gop_frames=gop_frames,
        gops=max(1, math.ceil(camera.loop_s * camera.fps / gop_frames)),
        scene=camera.scene,
        number=number,
        view=view,
        packing=camera.packing,
        clock=camera.clock and camera.scene != "static_no_clock" and view not in _WITHOUT_TIME,
    )
