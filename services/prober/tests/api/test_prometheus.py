"""`/probe` in the manner of blackbox_exporter."""

from typing import Any
from uuid import uuid4

import httpx
from prometheus_client.parser import text_string_to_metric_families

from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1

type Client = httpx.AsyncClient


def samples(text: str) -> dict[str, dict[str, float]]:
    """Value by the label's value ("" without a label) by metric."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})["".join(sample.labels.values())] = sample.value
    return found


async def scraped(client: Client, camera_id: Any, **query: str) -> dict[str, dict[str, float]]:
    answer = await client.get("/probe", params={"target": str(camera_id), **query})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return samples(answer.text)


async def test_a_good_camera_has_success_and_phases_and_is_not_probed_for_it(
    client: Client, simulate: Any, planner: Any, observed: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    camera = await planner.camera(gate.url(), probe_interval_s=600)
    probe: CameraObservedV1 = await observed.observation(camera.id)
    found = await scraped(client, camera.id)
    assert found["probe_success"] == {"": 1.0}
    assert set(found["probe_duration_seconds"]) >= {"connect", "describe", "keyframe", "decode", "total"}
    assert found["probe_duration_seconds"]["total"] == probe.duration_ms / 1000
    assert found["probe_video_width_pixels"] == {"": 320.0}
    assert gate.sessions_total == 1


async def test_a_bad_camera_has_no_success_and_its_cause(
    operator: Client, simulate: Any, planner: Any, observed: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await gate.set_fault("refuse")
    camera = await planner.camera(gate.url(), probe_interval_s=600)
    await observed.observation(camera.id)
    found = await scraped(operator, camera.id)
    assert found["probe_success"] == {"": 0.0}
    assert found["probe_failure"] == {Cause.REFUSED.value: 1.0}


async def test_a_fresh_probe_is_made_for_an_operator(
    operator: Client, simulate: Any, planner: Any, observed: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    camera = await planner.camera(gate.url(), probe_interval_s=600)
    await observed.observation(camera.id)
    assert (await scraped(operator, camera.id, fresh="true"))["probe_success"] == {"": 1.0}
    assert gate.sessions_total == 2


async def test_a_fresh_probe_needs_the_right_to_operate(client: Client) -> None:
    assert (await client.get("/probe", params={"target": str(uuid4()), "fresh": "true"})).status_code == 403


async def test_an_unknown_target_is_a_404_and_a_stranger_is_published_nothing(client: Client) -> None:
    assert (await client.get("/probe", params={"target": str(uuid4())})).status_code == 404
    answer = await client.get("/probe", params={"target": str(uuid4())}, headers={"Authorization": ""})
    assert answer.status_code == 401
