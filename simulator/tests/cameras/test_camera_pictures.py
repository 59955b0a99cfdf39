"""Faults of the picture and the scenes they are judged on, seen by a client that decodes what it plays."""

from collections.abc import Awaitable, Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from simulator import CameraConfig, Simulator
from simulator.cameras.camera import Camera
from simulator.config import Scene
from vonggac.testing.media import MediaRecorder

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]
type Picture = npt.NDArray[np.uint8]
type DecodeKeyframes = Callable[..., Awaitable[list[Picture]]]
type Field = npt.NDArray[np.float64]


@pytest.fixture
async def camera(simulate: Simulate, make_camera: MakeCamera) -> Camera:
    return (await simulate(cameras=[make_camera(scene="day")])).cameras["cam"]


def grey(picture: Picture) -> Field:
    return picture.mean(axis=2)


def below_text(picture: Picture) -> Field:
    """Without the upper quarter, where number and clock stand."""
    return grey(picture)[picture.shape[0] // 4 :]


def sharpness(field: Field) -> float:
    return float(np.abs(np.diff(field, axis=1)).mean())


def difference(one: Picture, other: Picture) -> float:
    return float(np.abs(below_text(one) - below_text(other)).mean())


def likeness(one: Picture, other: Picture) -> float:
    return float(np.corrcoef(below_text(one).ravel(), below_text(other).ravel())[0, 1])


async def seen(camera: Camera, decode_keyframes: DecodeKeyframes, fault: str, kind: str | None = None) -> Picture:
    if kind is None:
        await camera.set_fault(fault)
    else:
        await camera.set_fault(fault, kind=kind)
    (picture,) = await decode_keyframes(camera)
    return picture


@pytest.mark.parametrize(("kind", "luma", "red_over_blue"), [("brown", 42, 20), ("grey", 48, 0)])
async def test_a_covered_lens_shows_next_to_nothing(
    camera: Camera, decode_keyframes: DecodeKeyframes, kind: str, luma: float, red_over_blue: float
) -> None:
    picture = await seen(camera, decode_keyframes, "covered", kind)
    field = below_text(picture)
    assert field.mean() == pytest.approx(luma, abs=12)
    assert 0 < field.std() < 6
    tint = picture[..., 0].astype(float) - picture[..., 2]
    assert np.median(tint) == pytest.approx(red_over_blue, abs=25)
    assert grey(picture).max() > 200


async def test_a_blurred_picture_has_lost_its_edges_and_not_its_light(
    camera: Camera, decode_keyframes: DecodeKeyframes
) -> None:
    (sharp,) = await decode_keyframes(camera)
    blurred = await seen(camera, decode_keyframes, "blurred")
    assert sharpness(below_text(blurred)) < sharpness(below_text(sharp)) / 2.5
    assert below_text(blurred).mean() == pytest.approx(below_text(sharp).mean(), abs=6)
    assert likeness(sharp, blurred) > 0.7


@pytest.mark.parametrize(("kind", "colour"), [("blue", (0, 0, 200)), ("grey", (42, 42, 42))])
async def test_a_card_of_no_signal_is_one_colour_with_white_letters(
    camera: Camera, decode_keyframes: DecodeKeyframes, kind: str, colour: tuple[int, int, int]
) -> None:
    picture = await seen(camera, decode_keyframes, "no_signal_card", kind)
    assert np.median(picture, axis=(0, 1)) == pytest.approx(colour, abs=40)
    letters = grey(picture) > 200
    assert 0.03 < letters.mean() < 0.3
    assert letters[:30].sum() == 0


@pytest.mark.parametrize("kind", ["shifted", "rotated"])
async def test_a_turned_camera_sees_another_part_of_its_scene(
    camera: Camera, decode_keyframes: DecodeKeyframes, kind: str
) -> None:
    one, other = await decode_keyframes(camera, 2)
    assert likeness(one, other) > 0.85
    turned = await seen(camera, decode_keyframes, "scene_changed", kind)
    assert likeness(one, turned) < 0.6
    assert below_text(turned).mean() == pytest.approx(below_text(one).mean(), abs=25)


async def test_black_with_noise_keeps_the_text_of_the_camera(camera: Camera, decode_keyframes: DecodeKeyframes) -> None:
    picture = await seen(camera, decode_keyframes, "black", "noise")
    assert below_text(picture).mean() < 8
    assert grey(picture)[: picture.shape[0] // 4].max() > 200


async def test_a_picture_that_is_encoded_again_and_again_has_tiny_inter_frames(
    camera: Camera, decode_keyframes: DecodeKeyframes
) -> None:
    await camera.set_fault("freeze", kind="encoder")
    recorder = await MediaRecorder.play(camera.url())
    await recorder.until(lambda seen: len(seen.units) >= 25)
    await recorder.close()
    sizes = [sum(map(len, unit.nals)) for unit in recorder.units if not unit.keyframe]
    assert max(sizes) < 60
    keyframes = [unit.nals for unit in recorder.units if unit.keyframe]
    assert keyframes[0] != keyframes[1]
    one, other = await decode_keyframes(camera, 2)
    assert difference(one, other) < 1
    assert (grey(one)[:20] - grey(other)[:20]).max() < 40


@pytest.mark.parametrize("scene", ["day", "night", "noisy", "static", "static_no_clock", "fog"])
async def test_a_scene_that_is_well_never_shows_the_same_picture_in_two_probes(
    simulate: Simulate, make_camera: MakeCamera, decode_keyframes: DecodeKeyframes, scene: Scene
) -> None:
    camera = (await simulate(cameras=[make_camera(scene=scene, width=640, height=360, bitrate_kbps=600)])).cameras[
        "cam"
    ]
    pictures = [(await decode_keyframes(camera))[0] for _ in range(4)]
    assert min(difference(one, other) for one, other in pairwise(pictures)) > 1


async def test_low_fps_sends_few_pictures_and_keeps_the_clock_of_the_stream(camera: Camera) -> None:
    recorder = await MediaRecorder.play(camera.url())
    await recorder.until(lambda seen: len(seen.units) >= 3)
    await camera.set_fault("low_fps", fps=4)
    recorder.drop_received()
    await recorder.until(lambda seen: len(seen.units) >= 5)
    await recorder.close()
    ticks = [unit.rtp_timestamp for unit in recorder.units[1:]]
    assert {(later - earlier) % 2**32 for earlier, later in pairwise(ticks)} == {90_000 // 4}
    assert b"a=framerate:20" in recorder.player.sdp.encode()


async def test_low_fps_that_is_not_low_is_refused(camera: Camera) -> None:
    with pytest.raises(ValueError, match="30 is not low for cam, it has 20"):
        await camera.set_fault("low_fps", fps=30)
    assert camera.fault is None


async def test_low_bitrate_is_low(camera: Camera) -> None:
    await camera.set_fault("low_bitrate", bitrate_kbps=30)
    recorder = await MediaRecorder.play(camera.url())
    await recorder.until(lambda seen: len(seen.units) >= 40)
    await recorder.close()
    octets = sum(len(packet) for packet in recorder.packets[0])
    assert octets * 8 / (len(recorder.units) / 20) < 60_000


async def test_pictures_are_well_again_when_the_fault_is_cleared(
    camera: Camera, decode_keyframes: DecodeKeyframes
) -> None:
    (before,) = await decode_keyframes(camera)
    await camera.set_fault("covered")
    await camera.clear_fault()
    (after,) = await decode_keyframes(camera)
    assert likeness(before, after) > 0.85


@pytest.mark.parametrize(
    ("fault", "kind", "right"), [("covered", "paint", "brown, grey"), ("stall", "brown", "must be left out")]
)
async def test_an_unknown_kind_of_fault_is_refused(camera: Camera, fault: str, kind: str, right: str) -> None:
    with pytest.raises(ValueError, match=right):
        await camera.set_fault(fault, kind=kind)
