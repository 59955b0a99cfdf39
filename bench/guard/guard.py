"""What attacks cost the whole platform: `python -m bench.guard.guard`, or `make bench-guard`.

The demo runs with all its deliveries; each attack goes against each service for some seconds. A row per attack and
service: memory, and the longest wait for `/livez`: the service's own (`stall`), as it was (`silence`) and that of an
idle process asked at the same moments (`idle`), beside the same without an attack. Bombs (`bench.guard.bombs`) go
against the service that opens them; what its processes for them take has limits of its own and is counted apart
(`children_mb_max`). Then hostile cameras, against a prober and a forwarder with six healthy cameras each
(`bench.guard.cameras`): the same, the wrong verdicts and the lost packets of the healthy ones, and what the hostile one
is called. Last, one JSON line, with the packets that healthy deliveries lost, the shortfall of the demo's truth and the
wrong verdicts, and the passwords found in `var/`.
"""

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.e2e.platform import RunningPlatform, load

from bench.guard import cameras
from bench.guard.attacks import ATTACKS, Attack, Target
from bench.guard.bombs import BOMBS, attack_of
from bench.guard.bus import count_wrong_cells
from bench.guard.outages import count_missed
from bench.guard.watching import Watch, Watched
from local.commands.truth import finding
from local.demo import content
from local.platform.platform import Platform
from local.platform.ports import anywhere
from local.platform.progress import Progress
from local.platform.state import StateFolder

SERVICES = ("inventory", "prober", "forwarder", "reporting", "console")
LARGEST_OF_CONSOLE = "/static/console.css"
CENTRES = tuple(one.simulator_id for one in content.destinations())
ROW = "{:<28} {:<10} {:>12} {:>10} {:>12} {:>10} {:>12}"


CAMERA_ROW = "{:<33} {:>10} {:>10} {:>8} {:>8} {:>10} {:>10} {:>8} {:>8} {:>7} {:>6} {:>6}  {}"
HARM = ("probes", "wrong", "lost", "called")
CAMERA_SECONDS = 10.0
"""At least: some probes of each camera."""
BOUNDS = {
    "rss_growth_mb_max": 64,
    "children_mb_max": 640,
    "stall_ms_max": 100,
    "bus_cells_wrong": 0,
    "alerts_missed": 0,
}
"""Of the figures that were measured."""
type Measure = Callable[[str], Awaitable[dict[str, float]]]
MORE_FIGURES: tuple[Measure, ...] = (count_wrong_cells, count_missed)
"""Of other attacks, each given the words of `--only`: what it returns is in the JSON line."""


async def bench(seconds: float, only: str) -> list[str]:
    """Start the platform, attack it, print; then a prober and a forwarder with hostile cameras; return what is beyond a
    bound."""
    figures = await _attack_apis(seconds, only)
    await _attack_by_cameras(max(seconds, CAMERA_SECONDS), only, figures)
    for measure in MORE_FIGURES:
        figures |= await measure(only)
    print(json.dumps(figures | {"load": os.getloadavg()[0]}))
    return [
        f"{name} is {figures[name]:g}, at most {most}" for name, most in BOUNDS.items() if figures.get(name, 0) > most
    ]


async def _attack_apis(seconds: float, only: str) -> dict[str, float]:
    """The figures; none when no attack fits `only`."""
    if not any(only in name for name in (*ATTACKS, *(name for bombs in BOMBS.values() for name in bombs))):
        return {}
    with tempfile.TemporaryDirectory(prefix="vonggac-guard-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - PostgreSQL may run as another user
        platform = Platform(
            StateFolder(Path(folder)), anywhere(), allowed=("127.0.0.0/8",), progress=Progress(), durable=True
        )
        try:
            await platform.start()
            running = await load(platform)
            await running.truth(within_s=120)
            for centre in CENTRES:
                await running.reset(centre)
            return await _attack_all(running, seconds, only)
        finally:
            await platform.stop()


async def _attack_all(running: RunningPlatform, seconds: float, only: str) -> dict[str, float]:
    print(ROW.format("attack", "service", "memory MiB", "stall ms", "silence ms", "idle ms", "unanswered"))
    quiet = {service: await _measure(running, service, None, seconds) for service in SERVICES}
    for service, seen in quiet.items():
        _print("none", service, seen)
    seen_all: list[Watched] = []
    for name in ATTACKS:
        for service in SERVICES:
            if only in name:
                seen_all.append(await _measure(running, service, ATTACKS[name], seconds))
                _print(name, service, seen_all[-1])
    children_mb = 0.0
    for service, bombs in BOMBS.items():
        for name, bomb in bombs.items():
            if only in name:
                seen_all.append(await _measure(running, service, attack_of(bomb), seconds))
                children_mb = max(children_mb, seen_all[-1].children_mb)
                _print(name, service, seen_all[-1])
    lost = 0
    for centre in CENTRES:
        lost += sum(stream.lost for stream in (await running.streams(centre)).values() if stream.live)
    wrong = finding(await running.compliance()).shortfall(content.EXPECTATION)
    return {
        "attacks": len(seen_all),
        "rss_growth_mb_max": round(max(seen.growth_mb for seen in seen_all), 1),
        "children_mb_max": round(children_mb, 1),
        "stall_ms_max": round(max(seen.stall_ms for seen in seen_all), 1),
        "silence_ms_max": round(max(seen.silence_ms for seen in seen_all), 1),
        "idle_ms_max": round(max(seen.idle_ms for seen in seen_all), 1),
        "stall_ms_max_without": round(max(seen.stall_ms for seen in quiet.values()), 1),
        "packets_lost_healthy": lost,
        "wrong_verdicts": len(wrong),
        "passwords_recovered": await asyncio.to_thread(_passwords_in, running.platform.state.root),
    }


async def _attack_by_cameras(seconds: float, only: str, figures: dict[str, float]) -> None:
    """Print a row each, and add to the figures."""
    if not any(only in name for name in cameras.ATTACKS):
        return
    heads = [f"{service} {head}" for service in ("pr.", "fw.") for head in ("MiB", "stall ms", "silence", "idle")]
    print(CAMERA_ROW.format("by a camera", *heads, *HARM))
    async for name, harmed in cameras.attack_all(seconds, only):
        prober, forwarder = harmed.prober, harmed.forwarder
        measured = [(one.growth_mb, one.stall_ms, one.silence_ms, one.idle_ms) for one in (prober, forwarder)]
        shown = [f"{figure:.1f}" for figures_of_one in measured for figure in figures_of_one]
        words = ", ".join(sorted(harmed.causes)) + "".join(f"; {word}" for word in sorted(set(harmed.wrong)))
        print(CAMERA_ROW.format(name, *shown, harmed.probes, len(harmed.wrong), harmed.lost, words), flush=True)
        stall_ms = round(max(prober.stall_ms, forwarder.stall_ms), 1)
        if name == "none":
            figures["stall_ms_max_without"] = max(stall_ms, figures.get("stall_ms_max_without", 0))
            continue
        growth_mb = round(max(prober.growth_mb, forwarder.growth_mb), 1)
        figures["attacks"] = figures.get("attacks", 0) + 1
        figures["rss_growth_mb_max"] = max(growth_mb, figures.get("rss_growth_mb_max", 0))
        figures["stall_ms_max"] = max(stall_ms, figures.get("stall_ms_max", 0))
        for which in ("silence_ms", "idle_ms"):
            longest = round(max(getattr(one, which) for one in (prober, forwarder)), 1)
            figures[f"{which}_max"] = max(longest, figures.get(f"{which}_max", 0))
        figures["packets_lost_healthy"] = figures.get("packets_lost_healthy", 0) + harmed.lost
        figures["wrong_verdicts"] = figures.get("wrong_verdicts", 0) + len(harmed.wrong)


async def _measure(running: RunningPlatform, service: str, attack: Attack | None, seconds: float) -> Watched:
    address = getattr(running.platform.addresses, service)
    target = Target.of(address, running.token)
    if service == "console":
        target = Target.of(address, running.token, largest=LARGEST_OF_CONSOLE)
    child = next(child for name, child in running.platform.children.items() if name.startswith(service))
    assert child.process is not None
    watching = await Watch.begin(target, child.process.pid, seconds + 1)
    if attack is not None:
        await attack(target, seconds)
    return await watching.end()


def _passwords_in(folder: Path) -> int:
    secrets = [password.encode() for password in content.passwords()]
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "password"]
    return sum(any(one in path.read_bytes() for one in secrets) for path in files)


def _print(attack: str, service: str, seen: Watched) -> None:
    figures = [f"{figure:.1f}" for figure in (seen.growth_mb, seen.stall_ms, seen.silence_ms, seen.idle_ms)]
    print(ROW.format(attack, service, *figures, seen.unanswered), flush=True)


def main() -> None:
    """Exit status 1 when a figure is beyond its bound."""
    parser = argparse.ArgumentParser(prog="python -m bench.guard.guard", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each attack on each service (default: 3)")
    parser.add_argument("--only", default="", help="attacks whose name holds this")
    arguments = parser.parse_args()
    beyond = asyncio.run(bench(arguments.seconds, arguments.only))
    if beyond:
        raise SystemExit("\n".join(beyond))


if __name__ == "__main__":
    main()
