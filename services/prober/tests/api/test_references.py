"""Approving the present picture of a camera as its reference."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.testing import eventually

type Client = httpx.AsyncClient


async def test_the_last_probe_becomes_the_reference_and_can_be_forgotten(
    operator: Client, bus: Bus, simulate: Any, planner: Any, observed: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    camera = await planner.camera(gate.url(), probe_interval_s=600)
    await observed.observation(camera.id)
    path = f"/v1/cameras/{camera.id}/reference"

    async def approved() -> Any:
        answer = await operator.put(path)
        return answer if answer.status_code == 200 else None

    answer = await eventually(approved)
    assert answer.json()["approved_by"] == "test-operator"
    assert (await operator.get(path)).json() == answer.json()
    assert "thumbnail" not in answer.json()
    assert await Bucket(bus, topology.PICTURE_REFERENCES).get(str(camera.id))
    assert (await operator.delete(path)).status_code == 204
    assert (await operator.get(path)).json()["code"] == "no_reference"


async def test_without_a_picture_there_is_nothing_to_approve(operator: Client) -> None:
    answer = await operator.put(f"/v1/cameras/{uuid4()}/reference")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_picture")


async def test_a_reader_may_see_who_approved_and_not_approve(client: Client) -> None:
    path = f"/v1/cameras/{uuid4()}/reference"
    assert (await client.get(path)).status_code == 404
    assert (await client.put(path)).status_code == 403
    assert (await client.delete(path)).status_code == 403


@pytest.mark.parametrize("fault", ["black", "blurred"])
async def test_a_bad_picture_does_not_become_a_reference(
    operator: Client, bus: Bus, simulate: Any, planner: Any, observed: Any, fault: str
) -> None:
    gate = (await simulate({"id": "gate", "width": 640, "height": 360, "scene": "day"})).cameras["gate"]
    await gate.set_fault(fault)
    camera = await planner.camera(gate.url(), probe_interval_s=600, probe_timeout_s=15.0)
    probe = await observed.observation(camera.id)
    assert fault in (probe.cause, *probe.findings)
    path = f"/v1/cameras/{camera.id}/reference"

    async def kept() -> bool:
        buckets = (topology.THUMBNAILS, topology.CAMERA_STATUS)
        return all([await Bucket(bus, name).get(str(camera.id)) for name in buckets])

    await eventually(kept)
    answer = await operator.put(path)
    assert (answer.status_code, answer.json()["code"]) == (409, "picture_not_good")
    assert fault in answer.json()["detail"]
    assert (await operator.get(path)).status_code == 404
