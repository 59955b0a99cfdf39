"""An hour of faults in ten minutes: reporting's seconds against the simulator's record of what was sent and received.

    make bench-truth                            (or: python -m bench.truth.truth --seconds 600 --cameras 9 --seed 1)

The whole platform runs, on loopback and with throw-away state: PostgreSQL, NATS, inventory, reporting, a prober, two
forwarders, simulated cameras and two centres. Each kind of fault of faults.py comes once, in an order and with lengths
from the seed, then again until the time is over; between two of them all media flows. The truth is what the simulator
dates itself (record.py). Then each camera and delivery is read from reporting, interval by interval, and compared
(comparison.py): outages of 5 s and more must be found, and dated to 1.5 s.

While nobody can make a read-back, and while a centre refuses each, the report's seconds connected, not connected and
unknown are held against what the centre received (evidence.py).

Prints a row per kind of fault and, last, one JSON line; exit status 1 when a figure of it is out of its bound
(judgement.py), with a line that says which.
"""

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bench.faults.soak_stage import PICTURE, Stage, stage
from bench.truth.comparison import (
    ATTRIBUTED_S,
    LEAST_S,
    Stretch,
    beside,
    compare,
    outages_in,
    overlap_s,
    union,
    untrue_connected_s,
    within,
)
from bench.truth.evidence import VERIFY_INTERVAL_S, Counted, within_window
from bench.truth.faults import KINDS, Scene
from bench.truth.record import CENTRES, LONGEST_GAP_S, Gap, Record, Thing
from bench.truth.result import Result
from local.apis.inventory import RefusedError, call
from local.platform.process import ProcessEndedError
from local.platform.progress import Progress
from local.platform.stopping import KILLED, Stopping, run_stoppable
from vonggac.embedded import ServerError

FIRST_WITHIN_S = 120.0
FLOWING_WITHIN_S = 60.0
FLOWING_FOR_S = 5.0
LAST_FACTS_S = 25.0
"""After the last fault: longer than a worker is presumed alive, so that no second of the period still changes."""
LEAST_FAULT_S, MOST_FAULT_S = 8.0, 25.0
LOOP_S = 211
"""Of the cameras' clips, longer than from one judged picture to the next, also while probers and NATS fail in turn: two
would meet the same picture, as of no real camera, which is frozen."""
CLOCK_S = 0.01
"""Workers date to the millisecond, by the server's clock, which they know to some milliseconds."""
GOOD = frozenset({"acknowledged", "verified"})
WELL = {"up": "good", "down": "bad"}


async def run(made: Stage, result: Result, arguments: argparse.Namespace, progress: Progress) -> None:
    """Everything, from the first media to the comparison. Raises RefusedError."""
    record = Record(made.platform.addresses.simulator)
    reading = asyncio.create_task(record.run())
    try:
        await _flowing(made, record, within_s=FIRST_WITHIN_S)
        scene = Scene(made, record, random.Random(arguments.seed), await _sites(made))
        began = time.time()
        await _faults(scene, result, arguments, progress)
        ended = time.time()
        await asyncio.sleep(LAST_FACTS_S)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        for line in record.lines.values():
            line.end(ended)
        result.figures |= scene.figures | {"record_blind_s": sum(gap.length for gap in record.blind)}
        await _compare(made, record, result, (began, ended))
        await _count_seconds(made, record, result)
        result.figures |= await _lost(made)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await record.close()


async def _faults(scene: Scene, result: Result, arguments: argparse.Namespace, progress: Progress) -> None:
    deadline = time.time() + arguments.seconds
    kinds = [kind for kind in KINDS if not arguments.kinds or kind in arguments.kinds]
    slot_s = arguments.seconds / len(kinds)
    order: list[str] = []
    done = 0
    while time.time() < deadline or done < len(kinds):
        if not order:
            order = scene.chance.sample(kinds, len(kinds))
        kind = order.pop()
        seconds = min(MOST_FAULT_S, max(LEAST_FAULT_S, slot_s * scene.chance.uniform(0.25, 0.6)))
        window = await KINDS[kind](scene, seconds)
        result.windows.append(window)
        done += 1
        settled_s = await _flowing(scene.stage, scene.record, within_s=FLOWING_WITHIN_S)
        progress.step("fault", f"{kind} for {window.end - window.start:.1f} s; all media flows {settled_s:.1f} s later")


async def _flowing(made: Stage, record: Record, *, within_s: float) -> float:
    """Wait until media of every camera has come to both centres for a while; seconds until it began to."""
    began, since = time.time(), None
    wanted = [(camera, centre) for camera in made.cameras for centre in CENTRES]
    while time.time() - began < within_s:
        now = time.time()
        lines = [record.lines.get(one) for one in wanted]
        flows = all(line is not None and line.last is not None and now - line.last < LONGEST_GAP_S for line in lines)
        since = (since or now) if flows else None
        if since is not None and now - since >= FLOWING_FOR_S:
            return since - began
        await asyncio.sleep(0.2)
    return within_s


async def _sites(made: Stage) -> dict[str, list[str]]:
    document = await made.reporting.compliance()
    sites: dict[str, list[str]] = {}
    for camera in document["cameras"]:
        sites.setdefault(camera["facility"]["code"], []).append(camera["code"])
    return sites


async def _compare(made: Stage, record: Record, result: Result, period: tuple[float, float]) -> None:
    for thing, reported in (await _reported(made, period)).items():
        truth = [gap for gap in record.lines[thing].gaps if gap.end > period[0] and gap.start < period[1]]
        _outages(result, thing, truth, reported, record.blind)
        if thing[1] != "camera":
            for gap in record.lines[thing].gaps:
                if not period[0] <= gap.start < period[1]:
                    continue
                kind = next((one.kind for one in result.windows if within(gap, one)), "between faults")
                result.untrue[kind] = result.untrue.get(kind, 0.0) + untrue_connected_s([gap], reported)
        for window in result.windows:
            if window.kind.endswith("asleep") and thing in window.things:
                unknown, of = result.blind.get(window.kind, (0.0, 0.0))
                start, end = window.start + CLOCK_S, window.end - CLOCK_S
                found = overlap_s(reported, "unknown", start, end)
                result.blind[window.kind] = unknown + found, of + end - start
                for one in reported:
                    known = Gap(max(one.start, start), min(one.end, end))
                    if one.verdict != "unknown" and known.length > 0:
                        result.known_blind.append((window, thing, known, one.words))


async def _count_seconds(made: Stage, record: Record, result: Result) -> None:
    """What the report of each window says of each delivery that the fault is of."""
    address, headers = made.platform.addresses.reporting, {"Authorization": f"Bearer {made.token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60, trust_env=False) as client:
        for window in result.windows:
            asked = {"from": _shown(window.start), "to": _shown(window.end)}
            document = await call(client, "GET", "/v1/compliance", params=asked)
            if window.kind == "prober stopped":
                result.non_compliant_s += sum(one["seconds"]["non_compliant"] for one in document["cameras"])
            for camera in document["cameras"]:
                for delivery in camera["deliveries"]:
                    thing = camera["code"], delivery["destination"]["role"]
                    if thing in window.things:
                        gaps, seconds = record.lines[thing].gaps, delivery["seconds"]
                        counts = [float(seconds[name]) for name in ("connected", "not_connected", "unknown")]
                        missing = within_window(gaps, window.start, window.end)
                        result.counted.append(Counted(window.kind, thing, *missing, *counts))


def _outages(
    result: Result, thing: Thing, truth: Sequence[Gap], reported: Sequence[Stretch], blind: Sequence[Gap]
) -> None:
    known: list[Gap] = []
    for window in result.windows:
        if thing not in window.things:
            continue
        if window.proven_again is not None:
            # No outage of media: the seconds of these windows are counted by themselves.
            known.append(Gap(window.start, window.proven_again))
            continue
        frozen = [Gap(window.start, window.end)] if window.kind == "picture frozen" else None
        gaps = frozen or outages_in(window, thing, truth)
        known += gaps
        if not window.blind:
            result.found += [
                compare(window.kind, thing, gap, beside(reported, gap, truth), blind=False, gaps=frozen or truth)
                for gap in gaps
            ]
    for span in union(one for one in reported if one.verdict == "bad"):
        if span.length >= LEAST_S and not any(
            gap.start - ATTRIBUTED_S < span.end and span.start < gap.end + ATTRIBUTED_S
            for gap in (*known, *truth, *blind)
        ):
            kind = next((one.kind for one in result.windows if within(span, one)), "between faults")
            result.false_s[kind] = result.false_s.get(kind, 0.0) + span.length
            words = {one.words for one in reported if one.verdict == "bad" and span.start <= one.start < span.end}
            result.false.append((kind, thing, span, words))


async def _reported(made: Stage, period: tuple[float, float]) -> dict[Thing, list[Stretch]]:
    """Every camera and delivery as reporting has it."""
    shown = {"from": _shown(period[0]), "to": _shown(period[1])}
    address, headers = made.platform.addresses.reporting, {"Authorization": f"Bearer {made.token}"}
    document = await made.reporting.compliance()
    found: dict[Thing, list[Stretch]] = {}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60, trust_env=False) as client:
        for camera in document["cameras"]:
            path = f"/v1/cameras/{camera['id']}/intervals"
            answer = await call(client, "GET", path, params=shown)
            found[camera["code"], "camera"] = [
                _stretch(one, WELL.get(one["state"], "unknown")) for one in answer["intervals"]
            ]
            for delivery in camera["deliveries"]:
                answer = await call(client, "GET", f"/v1/deliveries/{delivery['id']}/intervals", params=shown)
                found[camera["code"], delivery["destination"]["role"]] = [
                    _stretch(one, _verdict(one["state"])) for one in answer["intervals"]
                ]
    return found


def _verdict(state: str) -> str:
    return "good" if state in GOOD else "unknown" if state == "unknown" else "bad"


def _stretch(interval: dict[str, Any], verdict: str) -> Stretch:
    start, end = (datetime.fromisoformat(interval[name]).timestamp() for name in ("start", "end"))
    return Stretch(start, end, verdict, f"{interval['state']} {interval.get('cause') or ''}".strip())


async def _lost(made: Stage) -> dict[str, float]:
    """Facts that never came, and cameras and deliveries that nobody works on any more."""
    address, headers = made.platform.addresses.reporting, {"Authorization": f"Bearer {made.token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60, trust_env=False) as client:
        answer = await call(client, "GET", "/v1/lost-facts", params={"limit": 200})
    document = await made.reporting.compliance()
    idle = sum(camera["state"] == "unknown" for camera in document["cameras"])
    idle += sum(one["state"] == "unknown" for camera in document["cameras"] for one in camera["deliveries"])
    return {
        "amnesia_lost": float(sum(gap["last"] - gap["first"] + 1 for gap in answer["items"])),
        "jobs_lost": float(idle),
    }


def _shown(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat()


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vonggac-truth-"))
    # Started by root, PostgreSQL runs as another user and must reach its own folder in here.
    folder.chmod(0o755)
    return folder


async def measure(arguments: argparse.Namespace, progress: Progress, stopping: Stopping) -> int:
    """Exit status 0 when all of it holds. The logs are kept when it does not."""
    folder, picture = _new_folder(), PICTURE | {"gop_s": 1, "loop_s": LOOP_S}
    result, problems, often = Result(), list[str](), {"verify_interval_s": VERIFY_INTERVAL_S}
    try:
        async with stage(folder, arguments.cameras, progress, log_level="warning", picture=picture, **often) as made:
            stopping.kill = made.platform.kill
            await made.platform.while_running(run(made, result, arguments, progress))
    except* (RefusedError, ProcessEndedError, ServerError) as errors:
        problems += [str(error) for error in errors.exceptions]
    finally:
        if not problems:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    for problem in problems:
        progress.line(f"does not hold: {problem}; logs are kept in {folder / 'log'}")
    if problems:
        return 1
    progress.line("\n" + "\n".join(result.rows()) + "\n")
    if arguments.details:
        for one in result.found:
            progress.line(str(one))
    for missed in result.misses:
        progress.line(f"does not hold: {missed}")
    progress.line(json.dumps(result.line()))
    return 1 if result.misses else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0, help="each kind comes at least once (default: 600)")
    parser.add_argument("--cameras", type=int, default=9, help="(default: 9)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults (default: 1)")
    parser.add_argument("--kinds", nargs="*", default=[], choices=list(KINDS), help="only these (default: all)")
    parser.add_argument("--details", action="store_true", help="print every outage")
    arguments = parser.parse_args()
    if arguments.seconds <= 0 or arguments.cameras < 1:
        parser.error("--seconds and --cameras must be greater than 0")
    progress = Progress()
    stopping = Stopping(progress.line)
    return run_stoppable(measure(arguments, progress, stopping), stopping, stopped_status=KILLED)


if __name__ == "__main__":
    sys.exit(main())
