"""Memory of the forwarder, the kernel's socket buffers included, while one of two centres reads nothing, or 8 kB/s.

    uv run python -m bench.faults.black_hole [--cameras 200] [--seconds 60] [--bitrate-kbps 4000]

The whole product is measured: `python -m forwarder` on a real NATS; cameras and centres are simulators of their own.
Resident bytes are the process's own, socket buffers are those of its TCP connections (`ss -tmp`, of iproute2): what a
pod pays for. Prints a row per fault and, as the last line, one JSON object.
"""

import argparse
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from bench.faults.fault_stage import GOOD, HEALTHY, SUFFERING, Stage, stage

FAULTS: Mapping[str, dict[str, object]] = {
    "black_hole": {"fault": "black_hole"},
    "slow_reader": {"fault": "slow_reader", "bytes_per_s": 8_000},
}
ALL_WELL_WITHIN_S = 180.0
SETTLE_S = 10.0
SAMPLE_S = 0.5
MEGABYTE = 1e6
_MEMORY = re.compile(r"skmem:\(r(\d+),rb\d+,t\d+,tb\d+,f(\d+),w(\d+)")


@dataclass(frozen=True, slots=True)
class Row:
    """Of one fault. Growth: the most of any sample, above what was before the fault."""

    fault: str
    rss_growth_mb: float
    kernel_growth_mb: float
    growth_mb: float
    healthy_lost: int
    healthy_dropped: int
    groups_dropped: int


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each fault")
    parser.add_argument("--bitrate-kbps", type=int, default=4000)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        stage(Path(folder), asked.cameras, good_session_s=60.0, bitrate_kbps=asked.bitrate_kbps) as made,
    ):
        rows = [_measure(made, name, asked.seconds) for name in FAULTS]
    print(json.dumps({row.fault: asdict(row) for row in rows} | {"cameras": asked.cameras}))


def _measure(made: Stage, fault: str, seconds: float) -> Row:
    _wait_until_all_is_well(made)
    time.sleep(SETTLE_S)
    program = made.forwarders[-1].process
    assert program is not None
    process = psutil.Process(program.pid)
    rss, kernel = process.memory_info().rss, _socket_buffers(process.pid)
    lost, dropped = _lost(made), _dropped(made, HEALTHY)
    made.set_fault(made.centre, f"centres/{SUFFERING}", dict(FAULTS[fault]))
    rss_most, kernel_most, most = rss, kernel, rss + kernel
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s:
        now_rss, now_kernel = process.memory_info().rss, _socket_buffers(process.pid)
        rss_most, kernel_most = max(rss_most, now_rss), max(kernel_most, now_kernel)
        most = max(most, now_rss + now_kernel)
        time.sleep(SAMPLE_S)
    row = Row(
        fault=fault,
        rss_growth_mb=round((rss_most - rss) / MEGABYTE, 1),
        kernel_growth_mb=round((kernel_most - kernel) / MEGABYTE, 1),
        growth_mb=round((most - rss - kernel) / MEGABYTE, 1),
        healthy_lost=_lost(made) - lost,
        healthy_dropped=_dropped(made, HEALTHY) - dropped,
        groups_dropped=sum(item["groups_dropped"] for item in _of(made, SUFFERING)),
    )
    made.set_fault(made.centre, f"centres/{SUFFERING}", None)
    print(
        f"{row.fault:12} memory +{row.rss_growth_mb} MB, kernel +{row.kernel_growth_mb} MB, "
        f"together +{row.growth_mb} MB; healthy centre: {row.healthy_lost} lost, {row.healthy_dropped} left out",
        flush=True,
    )
    return row


def _wait_until_all_is_well(made: Stage) -> None:
    deadline = time.monotonic() + ALL_WELL_WITHIN_S
    while time.monotonic() < deadline:
        states = [item["state"] for item in made.states().values()]
        if len(states) == 2 * made.count and GOOD.issuperset(states):
            return
        time.sleep(SAMPLE_S)
    raise SystemExit(f"not every delivery was received within {ALL_WELL_WITHIN_S:.0f} s")


def _of(made: Stage, centre: str) -> list[dict[str, int]]:
    return [item for key, item in made.states().items() if made.places[key][0] == centre]


def _dropped(made: Stage, centre: str) -> int:
    return sum(item["packets_dropped"] for item in _of(made, centre))


def _lost(made: Stage) -> int:
    """What the healthy centre missed, by the sequence numbers that it got."""
    return sum(stream["lost"] for (centre, _), stream in made.streams().items() if centre == HEALTHY)


def _socket_buffers(pid: int) -> int:
    """Bytes that the kernel holds for the TCP connections of a process. Raises CalledProcessError."""
    listed = subprocess.run(["ss", "-tmnpHO"], capture_output=True, text=True, check=True).stdout
    mine = (line for line in listed.splitlines() if f"pid={pid}," in line)
    found = (match for line in mine if (match := _MEMORY.search(line)) is not None)
    return sum(int(part) for match in found for part in match.groups())


if __name__ == "__main__":
    main()
