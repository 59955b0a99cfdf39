"""What this process published last is known before the next probe without the bus, if nobody else can have probed."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from prober.messaging import CameraStatuses
from prober.probes.camera.recent_observations import Handout, RecentObservations
from vonggac.events.prober import CameraObservedV1, Verdict


def observation_of(camera_id: UUID) -> CameraObservedV1:
    return CameraObservedV1(
        camera_id=camera_id,
        camera_revision=1,
        worker_id="a",
        observed_at=datetime.now(UTC),
        verdict=Verdict.UP,
        interval_s=1.0,
        duration_ms=0,
    )


def test_the_very_next_handout_of_the_job_knows_the_probe() -> None:
    recent, fact = RecentObservations(), observation_of(uuid4())
    recent.keep(Handout(7, 3), fact)
    assert recent.before(Handout(7, 4), fact.camera_id) is fact


@pytest.mark.parametrize("handout", [Handout(7, 3), Handout(7, 5), Handout(8, 4), Handout(8, 1)])
def test_any_other_handout_asks_the_bus(handout: Handout) -> None:
    recent, fact = RecentObservations(), observation_of(uuid4())
    recent.keep(Handout(7, 3), fact)
    assert recent.before(handout, fact.camera_id) is None


def test_what_is_kept_is_bounded() -> None:
    recent, facts = RecentObservations(most=2), [observation_of(uuid4()) for _ in range(3)]
    for fact in facts:
        recent.keep(Handout(1, 1), fact)
    assert [recent.before(Handout(1, 2), fact.camera_id) for fact in facts] == [None, *facts[1:]]


async def test_only_the_first_of_a_probers_probes_asks_the_bus_for_the_one_before(
    monkeypatch: pytest.MonkeyPatch, simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    asked: list[UUID] = []
    read = CameraStatuses.last

    async def last(statuses: CameraStatuses, camera_id: UUID) -> CameraObservedV1 | None:
        asked.append(camera_id)
        return await read(statuses, camera_id)

    monkeypatch.setattr(CameraStatuses, "last", last)
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    camera = await planner.camera(gate.url(), probe_interval_s=1.0)
    await start_prober()
    probes = [await observed.observation(camera.id, number) for number in (1, 2, 3)]
    assert asked == [camera.id]
    assert len({probe.since for probe in probes}) == 1
