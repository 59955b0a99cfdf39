"""Clips: distinct pictures per camera, one encoding per clip, a cache that repairs itself."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator.clips import VideoClip, VideoSpec
from simulator.clips.encoder import EncodingCancelledError, encode_video
from simulator.clips.library import ClipLibrary
from simulator.clips.painter import Painter
from simulator.clips.spec import spec_of
from simulator.config import CameraConfig

SPEC = VideoSpec(
    codec="h264",
    width=160,
    height=90,
    fps=10,
    bitrate_kbps=100,
    gop_frames=5,
    gops=2,
    scene="shapes",
    number=1,
)


def test_cameras_show_different_pictures() -> None:
    pictures = [Painter(replace(SPEC, number=number)).picture(0).astype(int) for number in range(1, 9)]
    differences = [np.abs(one - other).mean() for index, one in enumerate(pictures) for other in pictures[:index]]
    assert min(differences) > 3


def test_shapes_move_and_a_static_scene_only_has_noise() -> None:
    moving, still = Painter(SPEC), Painter(replace(SPEC, scene="static"))
    first, later = moving.picture(0).astype(int), moving.picture(3).astype(int)
    assert np.abs(first - later).max() > 40
    first, later = still.picture(0).astype(int), still.picture(3).astype(int)
    assert 0 < np.abs(first - later).max() <= 20
    assert np.abs(first - later)[:90].mean() < 3


@pytest.mark.parametrize(("scene", "low", "high"), [("shapes", 80, 160), ("night", 20, 70), ("noisy", 80, 170)])
def test_scenes_have_their_brightness(scene: str, low: int, high: int) -> None:
    painter = Painter(spec_of(CameraConfig.model_validate({"id": "c", "scene": scene}), 3))
    luma = painter.picture(0)[:360]
    assert low < luma.mean() < high


def test_black_is_black_and_frozen_repeats() -> None:
    black = Painter(replace(SPEC, view="black")).picture(4)
    assert set(np.unique(black[:90])) == {16}
    frozen = Painter(replace(SPEC, view="frozen"))
    assert (frozen.picture(0) == frozen.picture(4)).all()
    assert replace(SPEC, view="frozen").frames == SPEC.gop_frames


def test_every_group_of_pictures_begins_with_a_keyframe() -> None:
    clip = encode_video(SPEC, threading.Event())
    assert [unit.keyframe for unit in clip.units] == [True, *[False] * 4] * 2
    assert len(clip.parameter_sets) == 2


def test_a_clip_survives_its_file() -> None:
    clip = encode_video(replace(SPEC, codec="h265"), threading.Event())
    assert VideoClip.from_bytes(clip.to_bytes()) == clip


@pytest.mark.parametrize("damage", [b"", b"VGCLIP1\n", b"VGCLIP1\n{}\n", b"VGCLIP1\nnonsense\n"])
def test_a_damaged_file_is_a_value_error(damage: bytes) -> None:
    with pytest.raises(ValueError):
        VideoClip.from_bytes(damage)
    with pytest.raises(ValueError, match="cut short"):
        VideoClip.from_bytes(encode_video(SPEC, threading.Event()).to_bytes()[:-1])


async def test_the_same_clip_is_prepared_once(tmp_path: Path) -> None:
    library = ClipLibrary(tmp_path)
    assert await library.video(SPEC) is await library.video(replace(SPEC))
    await library.close()
    assert (tmp_path / f"{SPEC.key}.clip").exists()


async def test_a_clip_that_nobody_shows_any_more_is_let_go(tmp_path: Path) -> None:
    library = ClipLibrary(tmp_path)
    shown = weakref.ref(await library.video(SPEC))
    # The event loop holds what it has just handed over until its next turn.
    await asyncio.sleep(0)
    gc.collect()
    assert shown() is None
    await library.close()


async def test_a_damaged_cache_file_is_encoded_again(tmp_path: Path) -> None:
    path = tmp_path / f"{SPEC.key}.clip"
    path.write_bytes(b"nonsense")
    library = ClipLibrary(tmp_path)
    track = await library.video(SPEC)
    await library.close()
    assert len(track.frames) == SPEC.frames
    assert len(VideoClip.from_bytes(path.read_bytes()).units) == SPEC.frames


def test_encoding_can_be_cancelled() -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(EncodingCancelledError):
        encode_video(SPEC, cancelled)


@pytest.mark.server
def test_a_simulator_has_no_threads_of_openblas() -> None:
    program = "import os, simulator, numpy; print(len(os.listdir('/proc/self/task')))"
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    command = [sys.executable, "-c", program]
    threads = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert int(threads) == 1
