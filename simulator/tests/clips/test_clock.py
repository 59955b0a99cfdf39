"""The time of day in a clip: no keyframe comes twice, and the clip's other pictures go with the new ones."""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import av
import numpy as np
import numpy.typing as npt
import pytest

from simulator.clips import VideoClip, VideoSpec
from simulator.clips.clock import ClockWriter
from simulator.clips.encoded import AccessUnit
from simulator.clips.encoder import encode_video
from simulator.clips.library import ClipLibrary
from simulator.clips.spec import View, spec_of
from simulator.config import CameraConfig, Scene, VideoCodec
from vonggac.media.h26x import VideoCodec as Codec
from vonggac.media.h26x import keyframe_hash

START = b"\x00\x00\x00\x01"


def spec(codec: VideoCodec = "h264", scene: Scene = "shapes", view: View = "live") -> VideoSpec:
    config = CameraConfig(id="c", codec=codec, width=320, height=180, fps=10, scene=scene, clock=True, loop_s=2)
    return spec_of(config, 3, view)


def decode(clip: VideoClip, units: Sequence[AccessUnit]) -> list[npt.NDArray[np.int16]]:
    decoder = av.CodecContext.create({"h264": "h264", "h265": "hevc"}[clip.codec], "r")
    assert isinstance(decoder, av.VideoCodecContext)
    frames = []
    for unit in units:
        sets = clip.parameter_sets if unit.keyframe else ()
        frames += decoder.decode(av.Packet(b"".join(START + nal for nal in (*sets, *unit.nals))))
    frames += decoder.decode(None)
    return [frame.to_ndarray(format="yuv420p")[:180].astype(np.int16) for frame in frames]


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_keyframe_with_the_time_fits_the_pictures_that_follow_it(codec: VideoCodec) -> None:
    clip = encode_video(spec(codec), threading.Event())
    writer = ClockWriter(clip, spec(codec))
    later = [writer.write(0, f"15:04:{second:02}") for second in range(5)]
    kind = {"h264": Codec.H264, "h265": Codec.H265}[codec]
    assert len({keyframe_hash(kind, unit.nals) for unit in (*later, clip.units[0])}) == 6
    plain, clocked = decode(clip, clip.units[:10]), decode(clip, [later[-1], *clip.units[1:10]])
    assert len(clocked) == len(plain) == 10
    changes = [np.abs(one - other) for one, other in zip(plain, clocked, strict=True)]
    # The clock is seen in each of them, and the rest is the scene.
    assert all((change[:40, 160:] > 100).sum() > 100 for change in changes)
    assert all(change[45:].mean() < 4 for change in changes)


@pytest.mark.parametrize(
    ("scene", "view", "clock"),
    [("day", "live", True), ("shapes", "covered_grey", True), ("static_no_clock", "live", False)]
    + [("day", view, False) for view in ("still", "frozen", "black", "no_signal_blue")],
)
def test_the_time_is_written_where_the_camera_writes_text(scene: str, view: str, clock: bool) -> None:
    assert spec(scene=cast("Scene", scene), view=cast("View", view)).clock is clock


async def test_cameras_that_show_a_clip_share_its_keyframes() -> None:
    track = await ClipLibrary().video(spec())
    live = track.live
    assert live is not None
    now = time.time()
    first, same = live.prepare(0, now), live.prepare(0, now)
    later = live.prepare(0, now + 1)
    assert first is same
    assert (await first).data != (await later).data != track.frames[0].data
    assert (await ClipLibrary().video(replace(spec(), clock=False))).live is None
    await asyncio.gather(*(live.prepare(10, now + second) for second in range(100)))
    assert live.prepare(0, now) is not first
