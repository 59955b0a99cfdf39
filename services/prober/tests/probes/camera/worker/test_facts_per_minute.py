"""What a running prober stores of a good camera: how many facts, and how many bytes each has in OBSERVATIONS."""

from datetime import timedelta
from typing import Any

import pytest

from bench.figures import disk as figures
from prober.messaging import CameraStatuses
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.events import decode, subjects
from vonggac.events.prober import CameraObservedV1, ProbeKind

ENTRY_BYTES = 22
"""What the server's file has for each message besides."""
FACTS = 4


async def stored_probes(bus: Bus, camera_id: object) -> list[tuple[CameraObservedV1, int]]:
    """The probes of a camera in OBSERVATIONS, with the bytes of each as the bound of the stream counts."""
    found, state = [], (await bus.js.stream_info(topology.OBSERVATIONS)).state
    for sequence in range(max(state.first_seq, 1), state.last_seq + 1):
        message = await bus.js.get_msg(topology.OBSERVATIONS, sequence)
        if message.subject != subjects.camera_observation(str(camera_id)):
            continue
        fact = decode(message.data or b"").data
        assert isinstance(fact, CameraObservedV1)
        lines = [f"{name}: {value}\r\n" for name, value in (message.headers or {}).items()]
        headers = len("NATS/1.0\r\n\r\n" + "".join(lines))
        found.append((fact, len(message.data or b"") + len(message.subject) + headers + ENTRY_BYTES))
    return found


@pytest.mark.parametrize(("deep_interval_s", "kind"), [(0.0, ProbeKind.DEEP), (3600.0, ProbeKind.LIGHT)])
async def test_facts_per_minute_of_a_good_camera_are_one_a_probe_of_the_bytes_that_the_figures_say(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any, deep_interval_s: float, kind: ProbeKind
) -> None:
    sim = await simulate({"id": "gate", "width": 1920, "height": 1080})
    await start_prober(deep_interval_s=deep_interval_s)
    camera = await planner.camera(sim.cameras["gate"].url(), probe_interval_s=1.0)
    await observed.observation(camera.id, FACTS)
    whole = await CameraStatuses(bus).get(camera.id)
    assert whole is not None
    facts = await stored_probes(bus, camera.id)
    # Which the first one is depends on nothing: nobody judged the picture before.
    later = [(fact, size) for fact, size in facts[1:] if fact.kind is kind]
    assert len(later) >= FACTS - 2
    passed = later[-1][0].observed_at - later[0][0].observed_at
    assert passed / (len(later) - 1) > timedelta(seconds=0.9), "one fact a probe"
    assert max(size for _, size in later) <= figures.PROBE_BYTES * 1.03
    if kind is ProbeKind.DEEP:
        assert min(size for _, size in later) >= figures.PROBE_BYTES * 0.9
    # What is left out of the fact is in the bucket of statuses.
    assert whole.steps
    assert whole.not_checked
    assert whole.facility_id == camera.facility_id
