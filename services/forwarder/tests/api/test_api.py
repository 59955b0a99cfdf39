"""The HTTP API: what it shows, to whom, and how it says no."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually


async def test_deliveries_are_shown_with_their_live_counters(client: httpx.AsyncClient, camera: CameraV1) -> None:
    page = (await client.get("/v1/deliveries")).json()
    assert page["total"] == 2
    assert page["next_offset"] is None
    item = page["items"][0]
    assert item["camera_id"] == str(camera.id)
    assert item["live"]
    assert item["cause"] is None
    assert item["bytes_acknowledged"] > 0
    assert item["since"].endswith("+07:00")
    one = (await client.get(f"/v1/deliveries/{item['delivery_id']}")).json()
    assert one["delivery_id"] == item["delivery_id"]
    assert one["bytes_acknowledged"] >= item["bytes_acknowledged"]
    of_camera = (await client.get(f"/v1/cameras/{camera.id}/deliveries")).json()["items"]
    assert {entry["delivery_id"] for entry in of_camera} == {str(delivery.id) for delivery in camera.deliveries}


async def test_deliveries_are_filtered_and_paged(client: httpx.AsyncClient, camera: CameraV1) -> None:
    async def asked(**query: Any) -> dict[str, Any]:
        answer = await client.get("/v1/deliveries", params=query)
        assert answer.status_code == httpx.codes.OK
        return dict(answer.json())

    destination = str(camera.deliveries[0].destination_id)
    assert [item["destination_id"] for item in (await asked(destination_id=destination))["items"]] == [destination]
    assert (await asked(state="refused"))["items"] == []
    assert (await asked(camera_id=camera.id, facility_id=camera.facility_id))["total"] == 2
    assert (await asked(camera_id=uuid4()))["total"] == 0
    assert (await asked(facility_id=uuid4()))["total"] == 0
    assert (await asked(worker_id="forwarder-nobody"))["total"] == 0
    first = await asked(limit=1)
    assert (len(first["items"]), first["total"], first["next_offset"]) == (1, 2, 1)
    second = await asked(limit=1, offset=1)
    assert second["next_offset"] is None
    assert second["items"][0]["delivery_id"] != first["items"][0]["delivery_id"]


async def test_the_worker_is_shown_alive(client: httpx.AsyncClient) -> None:
    async def alive() -> list[dict[str, Any]]:
        return list((await client.get("/v1/workers")).json()["items"])

    [worker] = await eventually(alive)
    assert worker["worker_id"].startswith("forwarder-")
    assert worker["cameras_held"] == 0


@pytest.mark.parametrize("path", ["/v1/deliveries/{}", "/v1/cameras/{}/deliveries"])
async def test_what_nobody_reported_is_a_clear_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path.format(uuid4()))
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.headers["content-type"] == "application/problem+json"
    assert "inventory" in answer.json()["detail"]


async def test_a_bad_filter_names_its_field(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/deliveries", params={"state": "fine"})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert answer.json()["errors"][0]["field"] == "state"


@pytest.mark.parametrize("path", ["/v1/deliveries", "/v1/workers", "/v1/cameras/{}/deliveries"])
async def test_without_a_token_nothing_is_shown(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"Authorization": ""})
    assert answer.status_code == httpx.codes.UNAUTHORIZED


async def test_metrics_have_stable_labels_and_the_state_as_a_gauge_of_its_own(
    client: httpx.AsyncClient, camera: CameraV1
) -> None:
    text = (await client.get("/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    states = families["vonggac_forwarder_delivery_state"].samples
    assert {sample.labels["state"] for sample in states} == {"acknowledged"}
    assert {sample.labels["destination_id"] for sample in states} == {
        str(delivery.destination_id) for delivery in camera.deliveries
    }
    for name in ("bytes_written", "bytes_acknowledged", "packets", "packets_dropped", "groups_dropped", "sessions"):
        for sample in families[f"vonggac_forwarder_delivery_{name}"].samples:
            assert set(sample.labels) - {"reason"} == {"camera_id", "destination_id"}
            assert sample.labels.get("reason", "buffer_full") in {"buffer_full", "too_late"}
    assert families["vonggac_forwarder_cameras_held"].samples[0].value == 1
    assert families["vonggac_forwarder_camera_live"].samples[0].value == 1


async def test_openapi_describes_every_route(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["description"], path
