"""Ten minutes of random faults with a hundred cameras: memory and descriptors stay flat, all is verified at the end.

    make soak                                   (or: python -m bench.faults.soak --minutes 10 --cameras 100 --seed 1)

The whole platform runs, on loopback and with throw-away state: PostgreSQL, NATS, inventory, reporting, a prober, two
forwarders, simulated cameras (640x360, 10 pictures a second, 300 kbit/s) and two centres that play back what they get.

1. Until every camera is verified at both centres; then every fault once, and all verified again: the warm state.
2. A calm time in which memory and descriptors of every part are taken, then the faults (soak_faults.py), at random from
   the seed, several at a time; each is healed after some seconds.
3. When the last is healed: how long until every camera is verified at both centres again; then, when the forwarders
   have shared the cameras out anew and all stay verified, a calm time as before.

A service is flat when its resident memory (a process and its children) grew by no more than 6 MB from calm to calm,
and the descriptors that stay open through a calm time by no more than 4. Each forwarder is judged by itself; the second
one is begun anew now and then. PostgreSQL and NATS, which keep what was observed, and the simulator are shown and not
judged. Ctrl-C stops everything in order. Prints a line per fault, a table and, last, one JSON line; exit status 1 when
it failed.
"""

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.faults.soak_faults import Faults
from bench.faults.soak_stage import Stage, stage
from bench.faults.soak_usage import Calm, Series, Usage
from local.apis.inventory import RefusedError
from local.platform.process import ProcessEndedError
from local.platform.progress import Progress
from local.platform.stopping import KILLED, Stopping, run_stoppable
from vonggac.embedded import ServerError

FIRST_WITHIN_S = 180.0
VERIFIED_WITHIN_S = 180.0
POLL_S = 1.0
REPORT_EVERY_S = 30.0
CALM_S = 30.0
STAYED_S = 25.0
"""Longer than from read-back to read-back: what is verified at the end stays so for as long."""
SETTLED_S = 45.0
"""Longer than a forwarder that came back waits until it is given cameras (30 s), and until it has reported them."""
SETTLED_WITHIN_S = 300.0
NOT_JUDGED = frozenset({"NATS", "PostgreSQL", "simulator"})


@dataclass
class Result:
    """What a soak found."""

    cameras: int
    minutes: float
    faults: dict[str, int] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    verified: int = 0
    seconds_to_verified: float | None = None
    problems: list[str] = field(default_factory=list)

    def table(self) -> str:
        heading = ("part", "MB start", "MB half", "MB end", "MB spread", "fds start", "fds end", "fds spread")
        rows = [
            (
                one.part,
                one.rss_mb_start,
                one.rss_mb_half,
                one.rss_mb_end,
                one.rss_mb_spread,
                one.fds_start,
                one.fds_end,
                one.fds_spread,
            )
            for one in self.series
        ]
        return "\n".join("".join(f"{cell!s:>12}" for cell in row) for row in (heading, *rows))

    def json_line(self) -> str:
        line: dict[str, object] = {
            "cameras": self.cameras,
            "minutes": self.minutes,
            "faults": self.faults,
            "rss_mb_start": {one.part: one.rss_mb_start for one in self.series},
            "rss_mb_half": {one.part: one.rss_mb_half for one in self.series},
            "rss_mb_end": {one.part: one.rss_mb_end for one in self.series},
            "fds_start": {one.part: one.fds_start for one in self.series},
            "fds_end": {one.part: one.fds_end for one in self.series},
            "verified": self.verified,
            "seconds_to_verified": self.seconds_to_verified,
        }
        return json.dumps(line | ({"problems": self.problems} if self.problems else {}))


async def soak(arguments: argparse.Namespace, progress: Progress, stopping: Stopping) -> int:
    """Exit status 0 when all of it holds. The logs are kept when it does not."""
    folder = _new_folder()
    result, finished = Result(arguments.cameras, arguments.minutes), False
    try:
        async with stage(folder, arguments.cameras, progress, log_level=arguments.log_level) as made:
            stopping.kill = made.platform.kill
            await made.platform.while_running(_run(made, result, arguments, progress))
        finished = True
    except* (RefusedError, ProcessEndedError, ServerError) as errors:
        result.problems += [str(error) for error in errors.exceptions]
        finished = True
    finally:
        if not (finished and result.problems):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    progress.line("\n" + result.table() + "\n")
    for problem in result.problems:
        progress.line(f"does not hold: {problem}")
    if result.problems:
        progress.line(f"logs are kept in {folder / 'log'}")
    progress.line(result.json_line())
    return 1 if result.problems else 0


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vonggac-soak-"))
    # Started by root, PostgreSQL runs as another user and must reach its own folder in here.
    folder.chmod(0o755)
    return folder


async def _run(made: Stage, result: Result, arguments: argparse.Namespace, progress: Progress) -> None:
    usage = Usage(made.processes)
    watching = asyncio.create_task(usage.watch())
    faults = Faults(made, random.Random(arguments.seed), lambda text: progress.step("fault", text), arguments.nats)
    try:
        took_s = await _all_verified(made, progress, within_s=FIRST_WITHIN_S)
        progress.step("cameras", f"{len(made.cameras)} verified at both centres after {took_s} s")
        await faults.once_each()
        await _all_verified(made, progress, within_s=VERIFIED_WITHIN_S)
        before = await _calm(made, usage, progress, "warm; calm before the faults")
        faults.counted.clear()
        printing = asyncio.create_task(_print_progress(made, usage, progress))
        try:
            await faults.run(arguments.minutes * 60)
        finally:
            printing.cancel()
            await asyncio.gather(printing, return_exceptions=True)
        result.faults = dict(sorted(faults.counted.items()))
        progress.step("faults", f"{faults.counted.total()} are healed")
        result.seconds_to_verified = await _all_verified(made, progress, within_s=VERIFIED_WITHIN_S)
        progress.step("cameras", f"all verified at both centres {result.seconds_to_verified} s after the last fault")
        after = await _calm(made, usage, progress, "calm after the faults")
        await _all_verified(made, progress, within_s=STAYED_S)
        result.verified = len(made.cameras)
    except NotVerifiedError as error:
        result.verified = await made.verified()
        result.problems += error.missing
        return
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    result.series = usage.series(before, after)
    result.problems += [grown for one in result.series if one.part not in NOT_JUDGED for grown in one.grown]


class NotVerifiedError(Exception):
    """Not every camera was verified in time; `missing` says in words what is missing."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"{len(missing)} cameras are not verified")
        self.missing = missing


async def _all_verified(made: Stage, progress: Progress, *, within_s: float) -> float:
    """Seconds until every camera is verified at both centres. Raises NotVerifiedError."""
    began = reported = time.monotonic()
    while (verified := await made.verified()) < len(made.cameras):
        now = time.monotonic()
        if now - began > within_s:
            raise NotVerifiedError(await made.not_verified())
        if now - reported > REPORT_EVERY_S / 3:
            progress.step("cameras", f"{verified} of {len(made.cameras)} verified at both centres")
            reported = now
        await asyncio.sleep(POLL_S)
    return round(time.monotonic() - began, 1)


async def _calm(made: Stage, usage: Usage, progress: Progress, what: str) -> Calm:
    """Wait until cameras stay where they are and verified, then let a calm time pass.

    Forwarders that came back are given cameras by and by. Raises NotVerifiedError, RefusedError.
    """
    deadline, since, held = time.monotonic() + SETTLED_WITHIN_S, time.monotonic(), await made.cameras_by_forwarder()
    while time.monotonic() - since < SETTLED_S:
        before, held = held, await made.cameras_by_forwarder()
        if held != before or await made.verified() < len(made.cameras):
            since = time.monotonic()
            if since > deadline:
                moving = f"cameras go on changing their forwarder: {sorted(held.values())} held"
                raise NotVerifiedError(await made.not_verified() or [moving])
        await asyncio.sleep(POLL_S)
    progress.step("calm", what)
    usage.begin_calm()
    await asyncio.sleep(CALM_S)
    return usage.end_calm()


async def _print_progress(made: Stage, usage: Usage, progress: Progress) -> None:
    while True:
        await asyncio.sleep(REPORT_EVERY_S)
        rss = ", ".join(f"{part} {samples[-1].rss_mb:.0f}" for part, samples in usage.samples.items())
        progress.step("platform", f"{await made.verified()} of {len(made.cameras)} verified at both; MB: {rss}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="of random faults (default: 10)")
    parser.add_argument("--cameras", type=int, default=100, help="(default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults (default: 1)")
    parser.add_argument("--nats", action="store_true", help="restart NATS now and then, too")
    parser.add_argument("--log-level", default="warning", choices=["debug", "info", "warning", "error"])
    arguments = parser.parse_args()
    if arguments.minutes <= 0 or arguments.cameras < 1:
        parser.error("--minutes and --cameras must be greater than 0")
    progress = Progress()
    stopping = Stopping(progress.line)
    return run_stoppable(soak(arguments, progress, stopping), stopping, stopped_status=KILLED)


if __name__ == "__main__":
    sys.exit(main())
