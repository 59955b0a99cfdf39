"""`make smoke`: as `make run`, with temporary state; then checks reporting's result.

The result comes from reporting, and is then compared with the centres' own counters.
"""

import asyncio
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from local.apis.access import admin_token, approver_token
from local.apis.inventory import InventoryApi, Json, RefusedError
from local.apis.simulator import SimulatorApi
from local.commands.report_table import render
from local.commands.truth import PROVEN, ReportingApi, finding, wait_for
from local.demo import content
from local.demo.centres import LOOPBACK, PULLS, give_addresses
from local.demo.load import load_base, load_demo_cameras
from local.platform.leftovers import arguments_with, files_with, running_below, still_running
from local.platform.platform import Platform
from local.platform.ports import anywhere
from local.platform.process import ProcessEndedError, tail
from local.platform.progress import Progress
from local.platform.state import StateFolder, open_to_others
from local.platform.stopping import Stopping
from vonggac.embedded import ServerError
from vonggac.settings.passwords import read_password

TRUTH_WITHIN_S = 75.0
WATCHED_S = 3.0
"""Long enough for every stream to bring packets, whatever its rate."""
GONE_WITHIN_S = 5.0


@dataclass
class Outcome:
    """What a smoke run found."""

    document: Json | None = None
    seconds_to_ready: float | None = None
    seconds_to_both: float | None = None
    pulled: int = 0
    """Cameras of which a centre that pulls has a session."""
    problems: list[str] = field(default_factory=list)

    def json_line(self) -> str:
        """Format the last line of output."""
        found = finding(self.document) if self.document else None
        line: Json = {
            "cameras": found.cameras if found else 0,
            "delivered_both": found.delivered_both if found else 0,
            "faults": found.faults if found else {},
            "pulled": self.pulled,
            "seconds_to_ready": self.seconds_to_ready,
            "seconds_to_both": self.seconds_to_both,
        }
        return json.dumps(line | ({"problems": self.problems} if self.problems else {}), ensure_ascii=False)


async def smoke(*, allowed: tuple[str, ...], progress: Progress, stopping: Stopping) -> int:
    """Exit status 0 when everything holds, 1 otherwise; only then the state is kept."""
    folder = _new_folder()
    outcome, interrupted = Outcome(), True
    try:
        await _run(StateFolder(folder), outcome, allowed=allowed, progress=progress, stopping=stopping)
        interrupted = False
    except (ProcessEndedError, ServerError, RefusedError) as error:
        outcome.problems.append(str(error))
        interrupted = False
    finally:
        if interrupted or not outcome.problems:
            await asyncio.to_thread(shutil.rmtree, folder)
    if outcome.document is not None:
        progress.line("\n" + render(outcome.document) + "\n")
    for problem in outcome.problems:
        progress.line(f"does not hold: {problem}")
    if outcome.problems:
        progress.line(f"logs are kept in {folder / 'log'}")
    progress.line(outcome.json_line())
    return 1 if outcome.problems else 0


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vonggac-smoke-"))
    # Started by root, PostgreSQL runs as another user and must reach its own folder in here.
    folder.chmod(0o711)
    return folder


async def _run(
    state: StateFolder, outcome: Outcome, *, allowed: tuple[str, ...], progress: Progress, stopping: Stopping
) -> None:
    platform = Platform(state, anywhere(), allowed=allowed, progress=progress)
    stopping.kill = platform.kill
    with state.lock():
        try:
            await platform.start()
            outcome.seconds_to_ready = round(progress.elapsed_s, 1)
            progress.step("platform", "every part is ready")
            await platform.while_running(_find_the_truth(platform, outcome, progress))
        finally:
            started = running_below()
            secrets = content.passwords() | platform.passwords() | made_for_centres(state)
            outcome.problems += [f"process {one} shows a password" for one in arguments_with(secrets, started)]
            await platform.stop()
    left = await asyncio.to_thread(still_running, started, within_s=GONE_WITHIN_S)
    outcome.problems += [f"process {one.pid} is still running after the stop" for one in left]
    shown = await asyncio.to_thread(files_with, secrets, state.root)
    outcome.problems += [f"{path.relative_to(state.root)} contains a password" for path in shown]
    seen = await asyncio.to_thread(open_to_others, state.root)
    outcome.problems += [f"{path.relative_to(state.root)} is open to other users" for path in seen]


async def _find_the_truth(platform: Platform, outcome: Outcome, progress: Progress) -> None:
    token = admin_token(platform.state.keys)
    simulator = SimulatorApi(platform.addresses.simulator)
    approver = approver_token(platform.state.keys)
    async with InventoryApi(platform.addresses.inventory, token, approver=approver) as inventory:
        await load_base(inventory, simulator, pulled_from=LOOPBACK)
        await load_demo_cameras(inventory, simulator)
        given = await give_addresses(inventory, simulator)
    progress.step("demo", f"{given} addresses are given to the centre that pulls")
    progress.step("demo", f"{len(content.facility_codes())} facilities, {len(content.camera_codes())} cameras")
    reporting = ReportingApi(platform.addresses.reporting, token)

    def true(document: Json) -> bool:
        found = finding(document)
        if outcome.seconds_to_both is None and found.delivered_both >= content.EXPECTATION.delivered_both:
            outcome.seconds_to_both = round(progress.elapsed_s, 1)
            progress.step("reporting", f"{found.delivered_both} cameras are delivered to both centres")
        return not found.shortfall(content.EXPECTATION)

    try:
        outcome.document, holds, refusal = await wait_for(reporting, true, within_s=TRUTH_WITHIN_S)
    finally:
        await reporting.close()
    if outcome.document is None:
        log = tail(platform.children["reporting"].log)
        outcome.problems.append(f"reporting did not answer: {refusal}; the last lines of its log:\n{log}")
    elif not holds:
        outcome.problems += finding(outcome.document).shortfall(content.EXPECTATION)
    else:
        progress.step("reporting", "the report is as expected")
        outcome.problems += await centres_contradict(simulator, outcome.document)
        outcome.pulled, contradictions = await pulls_contradict(simulator, outcome.document)
        outcome.problems += contradictions


async def centres_contradict(simulator: SimulatorApi, document: Json) -> list[str]:
    """Where the centres' own counters do not fit the report."""
    ids = {one.code: one.simulator_id for one in content.destinations()}
    before = {code: await simulator.received(centre) for code, centre in ids.items()}
    await asyncio.sleep(WATCHED_S)
    problems = []
    for code, centre in ids.items():
        after = await simulator.received(centre)
        coming = {
            camera
            for camera, stream in after.items()
            if stream.live and camera in before[code] and stream.packets > before[code][camera].packets
        }
        reported = _proven_at(document, code)
        if coming != reported:
            problems.append(f"{code} receives {sorted(coming)}, the report says {sorted(reported)}")
        lost = {camera: stream.lost for camera, stream in after.items() if stream.lost}
        if lost:
            problems.append(f"{code} lost RTP packets: {lost}")
    return problems


async def pulls_contradict(simulator: SimulatorApi, document: Json) -> tuple[int, list[str]]:
    """How many cameras centres pull by a session of their own, and where those do not fit the report."""
    pulled, problems = 0, []
    for one in content.destinations():
        if one.mode != PULLS:
            continue
        playing = await simulator.pulled(one.simulator_id)
        pulled += len(playing)
        reported = _proven_at(document, one.code)
        if playing != reported:
            problems.append(f"{one.code} pulls {sorted(playing)}, the report says {sorted(reported)}")
    return pulled, problems


def made_for_centres(state: StateFolder) -> set[str]:
    """Read the passwords that the platform made for centres that pull, as the simulator keeps them."""
    return {read_password(file) for file in state.pulling.glob("*.password")}


def _proven_at(document: Json, code: str) -> set[str]:
    return {
        str(camera["code"])
        for camera in document["cameras"]
        for one in camera["deliveries"]
        if one["destination"]["code"] == code and one["state"] in PROVEN
    }
