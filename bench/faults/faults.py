"""What a fault at one destination costs the other, and whether the states are true: `make bench-faults`.

Real processes: NATS, a forwarder (two at the hand-over), simulated cameras of 1080p25 at 2 Mbit/s and two centres that
count RTP by sequence number. Every 0.1 s the forwarder's states are compared with what the centres counted meanwhile.

- `lost`: RTP packets missing at the healthy centre; a session that was broken off there counts as a packet too.
- `lies`: times that a delivery was called sending, acknowledged or verified while its centre had counted nothing for
  longer than LIE_S: `stall_s` (5 s), and what a kernel takes in, and rightly acknowledges, for a centre that hangs.
  `stale s` is the longest time that such a word stood beside a count that stood.
- `detect s`: until the state of every delivery concerned is no good one (slow reader: until media is left out).
- `recover s`: from the centre's (camera's) being well again until every delivery concerned is counted anew and its
  state is good; a slow reader is hardly ever without either. The median is of refused, dead address, black hole and
  killed; a wrong password is tried again after a setting (`refused_retry_s`, 5 s here).
- killed and stopped forwarder: `recover s` is the longest gap at a centre; the JSON line has the median gap, too.

A delivery's waiting times start anew after `good_session_s` of good work: a minute by default, 2 s here, so that one
fault does not lengthen the next; `--good-session-s 60` shows faults that follow each other within the minute.

Prints a row per fault and, last, one JSON line.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.faults.fault_stage import GOOD, GOOD_SESSION_S, HEALTHY, SAMPLE_S, SUFFERING, Place, Stage, Stream, stage

LIE_S = 5.0 + 3.0
RECOVER_WITHIN_S = 60.0
SETTLE_S = 4.0
COMES_BACK = ("refused", "dead address", "black hole", "killed and restarted")


@dataclass
class Row:
    fault: str
    lost: int = 0
    lies: int = 0
    stale_s: float = 0.0
    detect_s: float | None = None
    recover_s: float | None = None
    gap_p50_s: float | None = None
    keyframe_first: bool | None = None


@dataclass
class Watch:
    """Samples states and counts until it is stopped; keeps what the row needs."""

    stage: Stage
    row: Row
    states: dict[str, str] = field(default_factory=dict)
    left_out: int = 0
    streams: dict[Place, Stream] = field(default_factory=dict)
    _counted_at: dict[Place, float] = field(default_factory=dict)
    _good_since: dict[str, float] = field(default_factory=dict)

    def until(self, reached: Callable[[], bool], within_s: float) -> bool:
        """Sample until `reached`; False after `within_s`."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            due = time.monotonic() + SAMPLE_S
            self.sample()
            if reached():
                return True
            time.sleep(max(0.0, due - time.monotonic()))
        return False

    def sample(self) -> None:
        statuses = self.stage.states()
        self.states = {key: item["state"] for key, item in statuses.items()}
        self.left_out = sum(item["groups_dropped"] for item in statuses.values())
        now, before = time.monotonic(), self.streams
        self.streams = {**before, **self.stage.streams()}
        for place, stream in self.streams.items():
            packets, earlier = stream["packets"], before[place]["packets"] if place in before else 0
            if packets > 0 and packets != earlier:
                self._counted_at[place] = now
        for key, place in self.stage.places.items():
            if self.states.get(key) not in GOOD:
                self._good_since.pop(key, None)
                continue
            stale_s = now - max(self._good_since.setdefault(key, now), self._counted_at.get(place, 0.0))
            self.row.stale_s = max(self.row.stale_s, stale_s)
            self.row.lies += stale_s > LIE_S

    def all_good(self, deliveries: dict[str, Place], since: dict[Place, int]) -> bool:
        """Every delivery has a good state, and its centre counted something that was not in `since`."""
        return all(
            self.states.get(key) in GOOD
            and place in self.streams
            and self.streams[place]["packets"] not in (0, since.get(place, 0))
            for key, place in deliveries.items()
        )

    def packets(self) -> dict[Place, int]:
        return {place: stream["packets"] for place, stream in self.streams.items()}


@dataclass(frozen=True)
class Fault:
    """How it begins and ends, how long it lasts, and whom it concerns."""

    name: str
    begin: Callable[[Stage], None]
    end: Callable[[Stage], None]
    hold_s: float
    concerned: Callable[[Place], bool]
    leaves_out: bool = False


def _at_centre(name: str, fault: str, hold_s: float, **parameters: float) -> Fault:
    def begin(scene: Stage) -> None:
        scene.set_fault(scene.centre, f"centres/{SUFFERING}", {"fault": fault, **parameters})

    def end(scene: Stage) -> None:
        scene.set_fault(scene.centre, f"centres/{SUFFERING}", None)

    return Fault(name, begin, end, hold_s, lambda place: place[0] == SUFFERING, leaves_out=fault == "slow_reader")


def faults() -> list[Fault]:
    camera = "cameras/cam-0000"
    return [
        # Before the black hole, after which media is still left out for a while: that would pass for a detection.
        _at_centre("slow reader", "slow_reader", 20, bytes_per_s=20_000),
        _at_centre("refused", "refuse", 6),
        _at_centre("dead address", "off", 20),
        _at_centre("black hole", "black_hole", 12),
        _at_centre("wrong password", "auth", 6),
        Fault(
            "killed and restarted",
            lambda scene: scene.centre.end(kill=True),
            lambda scene: scene.restart_centre(),
            6,
            lambda place: place[0] == SUFFERING,
        ),
        Fault(
            "camera reboot",
            lambda scene: scene.set_fault(scene.cameras, camera, {"fault": "refuse"}),
            lambda scene: scene.set_fault(scene.cameras, camera, None),
            6,
            lambda place: place[1] == "0",
        ),
    ]


def try_fault(scene: Stage, fault: Fault) -> Row:
    """One fault from a state in which all is well until all is well again."""
    row = Row(fault.name)
    watch, everything = Watch(scene, row), scene.places
    concerned = {key: place for key, place in everything.items() if fault.concerned(place)}
    _all_well(watch)
    before, left_out = watch.streams, watch.left_out
    fault.begin(scene)
    began = time.monotonic()

    def detected() -> bool:
        if fault.leaves_out:
            return watch.left_out > left_out
        return all(watch.states.get(key) not in GOOD for key in concerned)

    if watch.until(detected, fault.hold_s):
        row.detect_s = time.monotonic() - began
    watch.until(lambda: time.monotonic() - began >= fault.hold_s, fault.hold_s)
    counted = watch.packets()
    fault.end(scene)
    ended = time.monotonic()
    if watch.until(lambda: watch.all_good(concerned, counted), RECOVER_WITHIN_S):
        row.recover_s = time.monotonic() - ended
    _all_well(watch)
    begins = [session for place in concerned.values() for session in [watch.streams[place]["current"]] if session]
    row.keyframe_first = all(session["first_packet_is_keyframe"] for session in begins)
    for place, stream in watch.streams.items():
        if place[0] == HEALTHY or (not fault.concerned(place)):
            row.lost += stream["lost"] - before[place]["lost"]
            if not fault.concerned(place):
                row.lost += stream["sessions"] - before[place]["sessions"]
    return row


def take_over(scene: Stage, name: str, *, kill: bool) -> Row:
    """End the forwarder that holds all cameras while another one is ready; `recover_s` is the longest gap."""
    row = Row(name)
    watch = Watch(scene, row)
    _all_well(watch)
    holder = scene.forwarders[-1]
    scene.start_forwarder()
    watch = Watch(scene, row)
    _all_well(watch)
    before = watch.streams
    holder.end(kill=kill)
    counted, began = watch.packets(), time.monotonic()

    def anew() -> bool:
        sessions = sum(watch.streams[place]["sessions"] > before[place]["sessions"] for place in before)
        return sessions == len(before) and watch.all_good(scene.places, counted)

    if not watch.until(anew, RECOVER_WITHIN_S):
        # A worker that joined may have been given some of the cameras before: these have no gap.
        print(f"{name}: not every stream began a new session")
    row.detect_s = time.monotonic() - began
    streams = [(place, stream) for place, stream in watch.streams.items()]
    gaps = [s["current"]["gap_s"] for place, s in streams if s["sessions"] > before[place]["sessions"] and s["current"]]
    known = [gap for gap in gaps if gap is not None]
    row.recover_s, row.gap_p50_s = max(known), statistics.median(known)
    row.keyframe_first = all(s["current"]["first_packet_is_keyframe"] for _, s in streams if s["current"])
    row.lost = sum(stream["lost"] - before[place]["lost"] for place, stream in streams)
    return row


def _all_well(watch: Watch) -> None:
    """Raises SystemExit when it does not come to that. Some seconds in good order come before every fault."""
    watch.sample()
    counted = watch.packets()
    if not watch.until(lambda: watch.all_good(watch.stage.places, counted), RECOVER_WITHIN_S):
        raise SystemExit(f"{watch.row.fault}: not every delivery is well; states: {sorted(watch.states.values())}")
    began = time.monotonic()
    watch.until(lambda: time.monotonic() - began > SETTLE_S, 2 * SETTLE_S)


def _show(row: Row) -> None:
    cells = [
        row.lost,
        row.lies,
        *(None if s is None else round(s, 2) for s in (row.stale_s, row.detect_s, row.recover_s)),
    ]
    print(f"{row.fault:22}", "".join(f"{'-' if cell is None else cell!s:>10}" for cell in cells), end="")
    print(f"{'yes' if row.keyframe_first else 'NO':>16}", flush=True)


def main() -> None:
    """Exit status 1 when a packet was lost at a healthy centre, a state lied, or something never recovered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2, help="times each fault is tried")
    parser.add_argument("--good-session-s", type=float, default=GOOD_SESSION_S)
    parser.add_argument("--only", help="faults whose name contains this")
    arguments = parser.parse_args()
    columns = ("lost", "lies", "stale s", "detect s", "recover s")
    print(f"{'fault':22}", "".join(f"{name:>10}" for name in columns), f"{'keyframe first':>15}", flush=True)
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="vonggac-bench-") as folder,
        stage(Path(folder), arguments.cameras, arguments.good_session_s) as scene,
    ):
        for fault in faults() * arguments.rounds:
            if arguments.only is None or arguments.only in fault.name:
                rows.append(try_fault(scene, fault))
                _show(rows[-1])
        taken = [take_over(scene, "forwarder killed", kill=True), take_over(scene, "forwarder stopped", kill=False)]
        for row in taken:
            _show(row)
    returns = [row.recover_s for row in rows if row.fault in COMES_BACK and row.recover_s is not None]
    result = {
        "lost_at_healthy": sum(row.lost for row in [*rows, *taken]),
        "lies": sum(row.lies for row in [*rows, *taken]),
        "recover_p50_s": round(statistics.median(returns), 2) if returns else None,
        "takeover_s": round(taken[0].recover_s or 0.0, 2),
        "handover_gap_s": round(taken[1].recover_s or 0.0, 2),
        "handover_gap_p50_s": round(taken[1].gap_p50_s or 0.0, 3),
        "unrecovered": sum(row.recover_s is None for row in rows),
    }
    print(json.dumps(result))
    raise SystemExit(1 if result["lost_at_healthy"] or result["lies"] or result["unrecovered"] else 0)


if __name__ == "__main__":
    main()
