"""What forwarding costs, beside the usual ways: `make bench-forward`, or `python -m bench.relay.forward --help`.

Same cameras (1080p25 at 2 Mbit/s, simulated), same machine, one after the other within some minutes, each to two
destinations and in the steady state; what starting a stream costs is shown apart. Ours is the whole product: see
`relay.py`. Peers: `ffmpeg -c copy -f tee`, nginx-rtmp's `push`, a PyAV remux, and a bare C loop as the limit.
Then what repacking for RTMP destinations costs beside PyAV (`remux.py`), and the delay that the forwarder adds
(`delay.py`).

Prints a table and, last, one JSON line. `ratio_…`: the peer's cost over ours, null where it is not installed.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from bench.relay.delay import added_ms, measuring, percentile
from bench.relay.peers import Cost, ffmpeg_tee, nginx_push, pyav_remux
from bench.relay.relay import DESTINATIONS, SETTLE_S, planned, publish, rig, steady, wait_acknowledged
from bench.relay.relay_limit import ms_per_stream_second
from bench.relay.remux import compare as compare_remux
from vonggac.embedded import free_port


def compare(streams: int, peer_streams: int, seconds: float, clips: Path) -> tuple[dict[str, object], dict[str, Cost]]:
    """Our figures, and those of each peer that is installed."""
    peers: dict[str, Cost | None] = {}
    with rig(streams, clips=clips) as one:
        ours = steady(one, seconds)
        one.forwarder.terminate()
        one.forwarder.wait()
        limit = ms_per_stream_second(one.urls, one.ports, seconds)
        peers["c_loop"] = None if limit is None else Cost(round(limit, 3), None, 0.0, streams)
        few = one.urls[:peer_streams]
        peers["ffmpeg_tee"] = ffmpeg_tee(few, one.ports, seconds)
        peers["nginx_rtmp"] = nginx_push(few, seconds)
        peers["pyav_remux"] = pyav_remux(few, one.ports, seconds)
    return ours, {name: cost for name, cost in peers.items() if cost is not None}


def delays(streams: int, timed: int, seconds: float, clips: Path) -> list[float]:
    """Added delays in ms, sorted, of `timed` cameras while `streams` are forwarded."""
    with rig(streams, clips=clips) as one:
        ports = [free_port() for _ in range(DESTINATIONS)]
        chosen = {number: one.urls[number] for number in range(0, streams, max(1, streams // timed))}
        with measuring(chosen, ports) as connection:
            plans = [planned(url, ports if n in chosen else one.ports, n) for n, url in enumerate(one.urls)]
            asyncio.run(publish(one.nats_url, plans))
            wait_acknowledged(one.api, streams * DESTINATIONS)
            time.sleep(SETTLE_S)
            measured = added_ms(connection, seconds)
    if not measured:
        raise SystemExit("no packet came both directly and relayed")
    return measured


def show_costs(ours: dict[str, object], peers: dict[str, Cost]) -> None:
    print(f"{'':14}{'streams':>8}{'ms/stream-s':>13}{'start ms':>10}{'MB/stream':>11}{'cost over ours':>16}")
    cost = float(str(ours["ms_per_stream_second"]))
    rows = {
        "vong gac": (ours["streams"], cost, ours["start_ms_per_stream"], ours["mb_per_stream"]),
        **{name: (peer.streams, peer.ms, peer.start_ms, peer.mb) for name, peer in peers.items()},
    }
    for name, (streams, ms, start_ms, mb) in rows.items():
        start = "-" if start_ms is None else start_ms
        print(f"{name:14}{streams!s:>8}{ms:>13}{start!s:>10}{mb!s:>11}{ms / cost:>16.2f}")
    unusual = ("acknowledged", "groups_dropped", "mbit_s_per_delivery", "machine_busy_percent")
    print("  ".join(f"{name} {ours[name]}" for name in unusual), flush=True)


def show_delays(measured: list[float]) -> None:
    print(f"added delay of {len(measured)} packets, ms:", end="")
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)):
        print(f"  {name} {percentile(measured, share):.2f}", end="")
    print(f"  max {measured[-1]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=150)
    parser.add_argument("--peer-streams", type=int, default=20, help="streams of ffmpeg, nginx and PyAV")
    parser.add_argument("--delay-streams", type=int, default=100)
    parser.add_argument("--delay-timed", type=int, default=10, help="of these, cameras whose packets are timed")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips = Path(folder)
        ours, peers = compare(arguments.streams, arguments.peer_streams, arguments.seconds, clips)
        show_costs(ours, peers)
        remux = compare_remux(arguments.peer_streams, arguments.seconds)
        measured = delays(arguments.delay_streams, arguments.delay_timed, arguments.seconds, clips)
    show_delays(measured)
    cost = float(str(ours["ms_per_stream_second"]))
    ratios = {
        f"ratio_{name}": round(peers[name].ms / cost, 2) if name in peers else None
        for name in ("ffmpeg_tee", "nginx_rtmp", "c_loop")
    }
    result = {"ms_per_stream_second": cost, **ratios, "mb_per_stream": ours["mb_per_stream"]}
    result |= {"added_ms_p99": round(percentile(measured, 0.99), 2), "streams": ours["streams"]}
    result |= {"remux_ms": remux["remux_ms"], "ratio_pyav_remux": remux["ratio_pyav"]}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
