"""The sums where they are read: blocks of docs/operations/scaling.md, and what the chart computes its refusals from."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.figures.disk import camera_minute_bytes
from bench.figures.measured import Range, latest
from bench.figures.sums import Defaults, Sums, defaults, update_steps

ROOT = Path(__file__).parents[2]
SCALING = ROOT / "docs/operations/scaling.md"
CHART = ROOT / "deploy/k8s/vonggac/files/figures.yaml"
INSTALLATIONS = (1_000, 5_000, 20_000)
SURGE_PERCENT = 25
"""`maxSurge` of the chart."""
_BLOCK = "<!-- figures: {name}; `make generate` computes them -->\n{text}\n<!-- end of figures -->"
_BLOCKS = re.compile(r"<!-- figures: (\w+); .*? -->\n.*?<!-- end of figures -->", re.DOTALL)


def documents() -> Iterator[tuple[Path, str]]:
    """Every file with computed figures, with its content. Raises NoFigureError, and ValueError for an unknown block."""
    known = blocks()

    def filled(found: re.Match[str]) -> str:
        if found[1] not in known:
            msg = f"{SCALING}: no figures are called {found[1]}"
            raise ValueError(msg)
        return _BLOCK.format(name=found[1], text=known[found[1]])

    yield SCALING, _BLOCKS.sub(filled, SCALING.read_text("utf-8"))
    yield CHART, chart_figures()


def stale() -> list[Path]:
    """The files that are not as they should be."""
    return [path for path, text in documents() if not path.exists() or path.read_text("utf-8") != text]


def blocks() -> Mapping[str, str]:
    """The computed parts of pages, by name."""
    measured, usual = latest(), defaults()
    sums = [Sums(measured, usual, cameras) for cameras in INSTALLATIONS]
    return {
        "second": _camera_second(Sums(measured, usual, 1_000)),
        "installations": _installations(sums),
        "limits": _limits(sums[-1], usual),
    }


def chart_figures() -> str:
    """What the templates refuse values by."""
    measured, usual = latest(), defaults()
    return "\n".join(
        (
            "# Written by `python -m bench.figures` (`make generate`): docs/benchmarks.md, and the settings' defaults.",
            f"relayMicroseconds: {round(measured.relay_ms.most * 1000)}",
            f"proofMilliseconds: {round(measured.proof_s.most * 1000)}",
            f"probedMicroseconds: {round(Sums(measured, usual, 1_000).probing_and_proving_cores.most * 1000)}",
            f"verifications: {usual.verifications}",
            f"verifyIntervalSeconds: {usual.verify_interval_s:g}",
            f"probes: {usual.probes}",
            f"silentPercent: {round(usual.silent_share * 100)}",
            f"deepIntervalSeconds: {usual.deep_interval_s:g}",
            f"windowMilliseconds: {round(usual.window_s * 1000)}",
            f"cameraMinuteBytes: {round(camera_minute_bytes())}",
            "",
        )
    )


def _camera_second(of: Sums) -> str:
    """Of 1,000 cameras, whose cores are milliseconds a camera-second."""
    m, d = of.measured, of.defaults
    whole = of.all_cores.most
    followers = f"{_span(m.renewals_follower_cores, 2)} at each other node"
    parts = (
        (
            "forwarder: one pull, two deliveries, states, proof, metrics",
            f"{_span(m.relay_ms, 3)} ms a stream-second",
            of.forwarding_cores,
        ),
        (
            f"prober: deep probe, once in {d.deep_interval_s:g} s",
            f"{_span(m.deep_probe_ms, 1)} ms each",
            of.probing_cores,
        ),
        (
            f"prober: read-back of two deliveries, once in {d.verify_interval_s:g} s",
            f"{_span(m.read_back_ms, 1)} ms each",
            of.proving_cores,
        ),
        (
            "NATS, three nodes: three renewals in 3 s",
            f"20,000 cameras: {_span(m.renewals_leader_cores, 2)} of a core at the leader, {followers}",
            of.renewing_nats_cores,
        ),
        (
            "forwarder: the same renewals, its side",
            f"20,000 cameras: {_span(m.renewals_forwarder_cores, 2)} of a core",
            of.renewing_forwarder_cores,
        ),
        (
            f"reporting: ingest of one observation in {d.deep_interval_s:g} s",
            f"{_span(m.ingest_per_s, 0)}/s on one core",
            of.ingesting_cores,
        ),
    )
    rows = ["| part | measured | ms a camera-second | share |", "|---|---|---|---|"]
    rows += [
        f"| {part} | {measured} | {_span(cores, 3)} | {_span(cores.times(100 / whole), 1)} % |"
        for part, measured, cores in parts
    ]
    a_core = Range(1000 / of.all_cores.most, 1000 / of.all_cores.least)
    return "\n".join([*rows, f"| **together** | | **{_span(of.all_cores, 2)}** | {_span(a_core, 0)} cameras a core |"])


def _installations(of: list[Sums]) -> str:
    d = of[0].defaults
    rows = [
        ["cameras", *(f"{each.cameras:,}" for each in of)],
        [
            f"forwarders, {d.max_cameras} cameras each (`forwarder.maxCameras`): the least",
            *(f"{each.forwarders_full}" for each in of),
        ],
        [
            f"forwarders, {d.cameras_per_forwarder} each (`camerasPerReplica`): with room for those that fail",
            *(f"{each.forwarders}" for each in of),
        ],
        ["their CPU, cores", *(_span(each.forwarding_cores, 1) for each in of)],
        [
            "their memory: the processes without a camera (of the least number)",
            *(f"{_span(each.base_gb, 1)} GB" for each in of),
        ],
        ["and the cameras held", *(f"{_span(each.cameras_gb, 1)} GB" for each in of)],
        ["and under TLS to both centres", *(f"{_span(each.cameras_tls_gb, 1)} GB" for each in of)],
        [
            f"probers that read every delivery back in {d.verify_interval_s:g} s: the least",
            *(f"{each.probers_of_proof}" for each in of),
        ],
        [
            f"probers, {d.proven_per_prober} proven cameras each (`provenPerReplica`): with room for those that fail",
            *(f"{each.probers}" for each in of),
        ],
        [
            "their CPU, cores: deep probes, read-backs",
            *(f"{_span(each.probing_cores, 1)}, {_span(each.proving_cores, 1)}" for each in of),
        ],
        ["reporting, ingest, cores", *(_span(each.ingesting_cores, 3) for each in of)],
        ["NATS, three nodes, held cameras, cores", *(_span(each.renewing_nats_cores, 2) for each in of)],
    ]
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|---|" + "---|" * len(of), *body])


def _limits(of: Sums, d: Defaults) -> str:
    aim = d.forwarder_cpu_m * d.cpu_percent // 100
    at_a_time = "`VONGGAC_PROBER_MAX_CONCURRENT_VERIFICATIONS`"
    return f"""\
- **A forwarder is full by cameras, not by CPU.** {d.max_cameras} cameras of 2 Mbit/s take {of.full_forwarder_m}m; an
  autoscaler that aims at {d.cpu_percent} % of the {d.forwarder_cpu_m}m requested acts at {aim}m, which it never sees.
  So the chart's scale by the cameras held.
- **A prober proves {of.proven_at_most:,} cameras in {d.verify_interval_s:g} s**: {d.verifications} at a time
  ({at_a_time}), {of.measured.proof_s.most:g} s each. It probes {of.probed_at_most:,} deep in
  {d.deep_interval_s:g} s: {d.probes} at a time, {d.silent_share * 100:g} % of them kept for cameras that do not answer,
  {d.window_s:g} s each. {of.cameras:,} cameras need {of.probers_of_proof} probers for the proof, though all of them
  take {_span(of.probing_and_proving_cores, 1)} cores of CPU: what is short is time.
- **An update of {of.forwarders} forwarders** takes {update_steps(of.forwarders, SURGE_PERCENT)} steps with `maxSurge`
  {SURGE_PERCENT} %, and would take {of.forwarders} one by one."""


def _span(value: Range, digits: int) -> str:
    """`0.17–0.20`; one number where both round to the same."""
    least, most = (f"{each:,.{digits}f}" for each in (value.least, value.most))
    return least if least == most else f"{least}–{most}"
