"""Every kind of fault in half an hour: reporting's seconds against what was sent and received.

    make bench-truth                            (or: python -m bench.truth.truth --seconds 0 --cameras 9 --seed 1)

The whole platform runs, on loopback and with throw-away state: PostgreSQL, NATS, inventory, reporting, a prober, two
forwarders, simulated cameras and two centres. First nothing goes wrong for a while (`--hours`); then each kind of fault
of kinds.py comes once, in an order and with lengths from the seed, and again for so long as is wanted. Before each, all
media flows and all of it is proven.

The truth is what the simulated centre's application received, what it shows of it, and what the simulated camera
showed, as the simulator dates it (record.py, windows.py). No proof has a validity. Reporting's account is read second
by second (account.py) and compared (comparison.py): nothing is called connected or up that was not, nothing down that
was good, next to nothing unknown that nothing disturbed, and for at most one interval of read-backs before a break.

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
from dataclasses import replace
from pathlib import Path

from bench.faults.soak_stage import PICTURE, Stage, stage
from bench.truth.account import Account
from bench.truth.kinds import KINDS, rounds
from bench.truth.record import Gap, Record
from bench.truth.result import Line, Result
from bench.truth.scene import Scene
from bench.truth.windows import LOOP_S, MAX_DELAY_S, VERIFY_INTERVAL_S
from local.apis.inventory import RefusedError
from local.platform.process import ProcessEndedError
from local.platform.progress import Progress
from local.platform.stopping import KILLED, Stopping, run_stoppable
from vonggac.embedded import ServerError
from vonggac.testing.bus_clock import UnshiftableError

LAST_FACTS_S = 45.0
"""After the last fault: longer than a worker is presumed alive, and than four read-backs, of which one is a fact; so no
second of the period still changes."""
LIVE = {"gop_s": 1, "loop_s": LOOP_S, "clock": True}
"""No keyframe comes twice, as from a real camera, but in a recording: that repeats itself within a fault."""
KEPT_S = 70
"""Of media, at the centres: what they replay and show late."""


async def run(made: Stage, result: Result, arguments: argparse.Namespace, progress: Progress) -> None:
    """Everything, from the first media to the comparison. Raises RefusedError or UnshiftableError."""
    record = Record(made.platform.addresses.simulator)
    reading = asyncio.create_task(record.run())
    try:
        scene = Scene(made, record, random.Random(arguments.seed))
        await scene.settled()
        scene.sites = await _sites(made)
        began = time.time()
        progress.step("calm", f"nothing goes wrong for {arguments.hours * 3600:.0f} s")
        await asyncio.sleep(arguments.hours * 3600)
        await _faults(scene, result, arguments, progress)
        ended = time.time()
        await asyncio.sleep(LAST_FACTS_S)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        for line in record.lines.values():
            line.end(ended)
        result.figures |= scene.figures | {"record_blind_s": sum(gap.length for gap in record.blind)}
        progress.step("account", "is read second by second")
        await _compare(made, record, result, Gap(began, ended))
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await record.close()


async def _faults(scene: Scene, result: Result, arguments: argparse.Namespace, progress: Progress) -> None:
    kinds = [kind for kind in KINDS if not arguments.kinds or kind in arguments.kinds]
    deadline, missing = time.time() + arguments.seconds, set(kinds)
    for group in rounds(kinds, scene.chance):
        if time.time() > deadline and not missing:
            return
        shares = scene.shares(len(group))
        lengths = [KINDS[name].seconds(scene.chance) for name in group]
        parts = list(zip(group, shares, lengths, strict=True))
        progress.step("fault", ", ".join(f"{name} ({seconds:.0f} s)" for name, _, seconds in parts))
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(KINDS[name].fault(scene, share, seconds)) for name, share, seconds in parts]
        windows = [window for task in running for window in task.result()]
        ended = max(window.end for window in windows)
        await asyncio.sleep(max(0.0, ended - time.time()))
        settled = await scene.settled(max(KINDS[name].settles_s for name in group))
        await scene.proven_anew(ended)
        result.windows += [replace(window, settled=settled) for window in windows]
        missing -= set(group)
        lasted_s = ended - min(window.start for window in windows)
        names = ", ".join(dict.fromkeys(window.kind for window in windows))
        left = f"; {len(missing)} kinds are still to come" if missing else ""
        progress.step("well", f"{names} lasted {lasted_s:.0f} s; all is proven {settled - ended:.1f} s later{left}")
        await asyncio.sleep(max(KINDS[name].calm_s for name in group))


async def _sites(made: Stage) -> dict[str, list[str]]:
    """Cameras by facility, as reporting knows them: once all is proven it knows all of them."""
    document = await made.reporting.compliance()
    sites: dict[str, list[str]] = {}
    for camera in document["cameras"]:
        sites.setdefault(camera["facility"]["code"], []).append(camera["code"])
    return sites


async def _compare(made: Stage, record: Record, result: Result, period: Gap) -> None:
    async with Account(made.platform.addresses.reporting, made.token) as account:
        words = await account.words(period)
        for thing, reported in (await account.lines(period)).items():
            result.add(Line(thing, record.lines[thing].gaps, reported, words[thing]), period, record.blind)
        unproven = [one for one in result.windows if one.kind == "prober stopped"]
        if unproven:
            seconds = [await account.non_compliant_s(Gap(one.start, one.end)) for one in unproven]
            result.figures["non_compliant_when_unproven_s"] = sum(seconds)
        result.figures["amnesia_lost"] = float(await account.lost_facts())
    document = await made.reporting.compliance()
    idle = sum(camera["state"] == "unknown" for camera in document["cameras"])
    idle += sum(one["state"] == "unknown" for camera in document["cameras"] for one in camera["deliveries"])
    result.figures["jobs_lost"] = float(idle)


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vonggac-truth-"))
    # Started by root, PostgreSQL runs as another user and must reach its own folder in here.
    folder.chmod(0o755)
    return folder


async def measure(arguments: argparse.Namespace, progress: Progress, stopping: Stopping) -> int:
    """Exit status 0 when all of it holds. The logs are kept when it does not."""
    folder, picture = _new_folder(), PICTURE | LIVE
    result, problems = Result(), list[str]()
    try:
        async with stage(
            folder,
            arguments.cameras,
            progress,
            log_level="warning",
            picture=picture,
            verify_interval_s=VERIFY_INTERVAL_S,
            kept_s=KEPT_S,
            # Another camera's picture is another one.
            clips=arguments.cameras,
            own={"VONGGAC_PROBER_MAX_DELAY_S": str(MAX_DELAY_S)},
        ) as made:
            stopping.kill = made.platform.kill
            await made.platform.while_running(run(made, result, arguments, progress))
    except* (RefusedError, ProcessEndedError, ServerError, UnshiftableError) as errors:
        problems += [str(error) for error in _leaves(errors)]
    finally:
        if not problems and not result.misses:
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
    if result.misses:
        progress.line(f"logs are kept in {folder / 'log'}")
    progress.line(json.dumps(result.line()))
    return 1 if result.misses else 0


def _leaves(errors: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in errors.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.0, help="go on so long (default: until each kind came once)")
    parser.add_argument("--hours", type=float, default=1 / 60, help="before the first fault (default: a minute)")
    parser.add_argument("--cameras", type=int, default=9, help="(default: 9)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults (default: 1)")
    parser.add_argument("--kinds", nargs="*", default=[], choices=list(KINDS), help="only these (default: all)")
    parser.add_argument("--details", action="store_true", help="print every outage")
    arguments = parser.parse_args()
    if arguments.seconds < 0 or arguments.cameras < 3 or arguments.hours < 0:
        parser.error("--seconds and --hours must be at least 0, and --cameras at least 3")
    progress = Progress()
    stopping = Stopping(progress.line)
    return run_stoppable(measure(arguments, progress, stopping), stopping, stopped_status=KILLED)


if __name__ == "__main__":
    sys.exit(main())
