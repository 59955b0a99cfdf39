"""Serving centres that pull: start, CPU, and what hostile pullers cost the centre that is pushed to.

    make bench-served [ARGS="--cameras 50 --seconds 10"]

Two forwarder processes on a real NATS: one holds the simulated cameras (1080p25 at 2 Mbit/s), the other one is in
front of it. Pullers, the pushed centre and the flood are processes of their own; `holder_waited_pct` is the part of the
flood's time in which the holder was ready and they had the processors. Prints each figure with its bound
and, as the last line, one JSON object; exit status 1 when a figure is beyond its bound. Ends within three minutes.
"""

import argparse
import json
import os
import signal
import sys
import time
from dataclasses import dataclass

from bench.relay.delay import added_and_lost, percentile
from bench.serving.floods import flood
from bench.serving.pullers import Address, PullersProcess, pullers
from bench.serving.stage import MORE_PER_CAMERA, Stage, Worker, stage

BOUNDS = {
    "first_keyframe_p99_ms": 300.0,
    "passed_p99_ms": 400.0,
    "viewer_ms": 0.35,
    "tls_ms": 0.6,
    "passage_ms": 0.6,
    "lost_at_other": 0.0,
    "other_p99_added_ms": 5.0,
    "rss_growth_mb": 64.0,
}
FLOODED = {"strangers_per_s": 50.0}
"""At least so many, or there was no flood to measure beside: the machine had no room for it."""
BEGAN_S = time.monotonic()
SETTLE_S = 3.0
GOP_S = 2.5
"""Until a keyframe is kept again of every camera whose centre has left."""
STARTS = 100
"""First keyframes that are timed, each way."""
WINDOWS = 3
UNREAD = 10
FLOOD_BEGINS_S = 3.0


@dataclass(frozen=True)
class Cost:
    """CPU of both forwarders in milliseconds a second."""

    holder: float
    front: float


def main() -> None:
    """Exit status 1 when a figure is beyond its bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement (default: 10)")
    parser.add_argument("--within", type=int, default=175, help="seconds for all of it (default: 175)")
    arguments = parser.parse_args()
    _end_within(arguments.within)
    with stage(arguments.cameras) as running, pullers() as centres:
        _show_step("first keyframes")
        figures = measure_starts(running, centres)
        _show_step("CPU of one session more")
        figures |= measure_cpu(running, centres, arguments.seconds)
        _show_step("a flood beside the centre that is pushed to")
        figures |= measure_isolation(running, centres, arguments.seconds)
    beyond = [name for name, bound in BOUNDS.items() if figures[name] > bound]
    beyond += [name for name, least in FLOODED.items() if figures[name] < least]
    for name, value in figures.items():
        bound = f"≤ {BOUNDS[name]:g}" if name in BOUNDS else f"≥ {FLOODED[name]:g}" if name in FLOODED else ""
        print(f"{name:>26}  {value:<10g}{bound}{'  BEYOND' if name in beyond else ''}")
    print(json.dumps(figures))
    if beyond:
        raise SystemExit(1)


def measure_starts(running: Stage, centres: PullersProcess) -> dict[str, float]:
    """The first session of a camera: from before connecting to the whole first keyframe."""
    figures: dict[str, float] = {}
    for name, worker in (("first_keyframe", running.holder), ("passed", running.front)):
        times: list[float] = []
        while len(times) < STARTS:
            running.wait_for("waiting_for_centre", len(running.paths))
            time.sleep(GOP_S)
            times += centres.time_first_keyframes([Address(worker.port, path) for path in running.paths])
        times.sort()
        figures |= {f"{name}_{word}_ms": round(percentile(times, of), 1) for word, of in (("p50", 0.5), ("p99", 0.99))}
    return figures


def measure_cpu(running: Stage, centres: PullersProcess, seconds: float) -> dict[str, float]:
    """CPU of one more session, in milliseconds a second: each camera has one beside those that are counted."""
    holder, front = running.holder, running.front
    centres.open_all([Address(holder.port, path) for path in running.paths])
    base = _measure_cost(running, seconds)
    costs = {}
    for name, worker, fingerprint in (
        ("plain", holder, None),
        ("tls", holder, running.fingerprint),
        ("passed", front, None),
    ):
        costs[name] = _measure_more(running, _addresses(running, worker, fingerprint), seconds)
    viewers = MORE_PER_CAMERA * len(running.paths)
    lost = centres.close_all()
    if lost:
        raise SystemExit(f"{lost} sessions that read all were ended by the server")
    return {
        "viewers": viewers,
        "viewer_ms": round((costs["plain"].holder - base.holder) / viewers, 3),
        "tls_ms": round((costs["tls"].holder - base.holder) / viewers, 3),
        "passage_ms": round((costs["passed"].front - base.front) / viewers, 3),
        "passed_at_holder_ms": round((costs["passed"].holder - base.holder) / viewers, 3),
    }


def measure_isolation(running: Stage, centres: PullersProcess, seconds: float) -> dict[str, float]:
    """What the centre that is pushed to notices of a flood at the ports of the holder and of the front."""
    holder, front = running.holder, running.front
    centres.open_all([Address(holder.port, path) for path in running.paths])
    time.sleep(SETTLE_S)
    quiet, lost_before = added_and_lost(running.other, seconds)
    before = [worker.rss_mb() for worker in (holder, front)]
    ports = tuple(port for worker in (holder, front) for port in (worker.port, worker.tls_port))
    unread = [Address((holder, front)[number % 2].port, path) for number, path in enumerate(running.paths[:UNREAD])]
    with flood(ports, unread) as counted:
        time.sleep(FLOOD_BEGINS_S)
        connections, guesses = counted.connections.value, counted.guesses.value
        cpu_s, waited_s = holder.cpu_s(), holder.waited_s()
        busy, lost = added_and_lost(running.other, 2 * seconds)
        connections, guesses = counted.connections.value - connections, counted.guesses.value - guesses
        cpu_s, waited_s = holder.cpu_s() - cpu_s, holder.waited_s() - waited_s
        growth = [worker.rss_mb() - mb for worker, mb in zip((holder, front), before, strict=True)]
    lost_sessions = centres.close_all()
    quiet_p99, busy_p99 = percentile(quiet, 0.99), percentile(busy, 0.99)
    return {
        "lost_at_other": lost + lost_before,
        "other_p99_ms": round(busy_p99, 2),
        "other_p99_quiet_ms": round(quiet_p99, 2),
        "other_p99_added_ms": round(busy_p99 - quiet_p99, 2),
        "strangers_per_s": round(connections / 2 / seconds),
        "guesses_per_s": round(guesses / 2 / seconds),
        "holder_busy_pct": round(100 * cpu_s / 2 / seconds),
        "holder_waited_pct": round(100 * waited_s / 2 / seconds),
        "good_sessions_ended": lost_sessions,
        "rss_growth_mb": round(max(growth), 1),
    }


def _show_step(what: str) -> None:
    load, _, _ = os.getloadavg()
    print(f"{time.monotonic() - BEGAN_S:5.0f} s, load {load:.1f}: {what}", file=sys.stderr, flush=True)


def _measure_more(running: Stage, addresses: list[Address], seconds: float) -> Cost:
    with pullers() as more:
        more.open_all(addresses)
        cost = _measure_cost(running, seconds)
        if lost := more.close_all():
            raise SystemExit(f"{lost} sessions that read all were ended by the server")
    return cost


def _measure_cost(running: Stage, seconds: float) -> Cost:
    """The least of some windows: whatever else the machine does makes the same work dearer, never cheaper."""
    time.sleep(SETTLE_S)
    workers = running.holder, running.front
    costs = []
    for _ in range(WINDOWS):
        before, began = [worker.cpu_s() for worker in workers], time.monotonic()
        time.sleep(seconds / WINDOWS)
        after, took = [worker.cpu_s() for worker in workers], time.monotonic() - began
        costs.append([1000 * (end - begin) / took for begin, end in zip(before, after, strict=True)])
    holder, front = zip(*costs, strict=True)
    return Cost(min(holder), min(front))


def _addresses(running: Stage, worker: Worker, fingerprint: str | None) -> list[Address]:
    port = worker.tls_port if fingerprint else worker.port
    return [Address(port, path, fingerprint) for path in running.paths for _ in range(MORE_PER_CAMERA)]


def _end_within(seconds: int) -> None:
    """End in order, with all that was started, when it takes too long or is stopped."""

    def end(number: int, _: object) -> None:
        raise SystemExit(f"not through within {seconds} s" if number == signal.SIGALRM else "stopped")

    signal.signal(signal.SIGALRM, end)
    signal.signal(signal.SIGTERM, end)
    signal.alarm(seconds)


if __name__ == "__main__":
    main()
