"""The HTTP API: what it shows, to whom, and how it says no."""

from __future__ import annotations

import asyncio
import gc
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from forwarder.api.delivery_status import AT_ONCE
from forwarder.relay.assignment.membership import GONE_AFTER_S
from forwarder.relay.service import Process
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events.envelope import worker_key
from vonggac.events.forwarder import DeliveryObservedV1, ForwarderAliveV1
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.api.conftest import AskService, StartService


async def test_deliveries_are_shown_with_their_live_counters(client: httpx.AsyncClient, camera: CameraV1) -> None:
    page = (await client.get("/v1/deliveries?total=true")).json()
    assert page["total"] == 2
    assert page["next"] is None
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
        answer = await client.get("/v1/deliveries", params={"total": True, **query})
        assert answer.status_code == httpx.codes.OK
        return dict(answer.json())

    destination = str(camera.deliveries[0].destination_id)
    assert [item["destination_id"] for item in (await asked(destination_id=destination))["items"]] == [destination]
    assert (await asked(state="refused"))["items"] == []
    assert (await asked(state=["refused", "acknowledged"]))["total"] == 2
    assert (await asked(camera_id=camera.id, facility_id=camera.facility_id))["total"] == 2
    assert (await asked(camera_id=uuid4()))["total"] == 0
    assert (await asked(facility_id=uuid4()))["total"] == 0
    assert (await asked(worker_id="forwarder-nobody"))["total"] == 0
    first = await asked(limit=1)
    assert (len(first["items"]), first["total"]) == (1, 2)
    second = await asked(limit=1, cursor=first["next"])
    assert second["next"] is None
    assert second["items"][0]["delivery_id"] != first["items"][0]["delivery_id"]


async def test_the_worker_is_shown_alive(client: httpx.AsyncClient) -> None:
    async def alive() -> list[dict[str, Any]]:
        return list((await client.get("/v1/workers")).json()["items"])

    [worker] = await eventually(alive)
    assert worker["worker_id"].startswith("forwarder-")
    assert (worker["cameras_held"], worker["capacity"], worker["stopping"]) == (0, 200, False)


@pytest.mark.parametrize("path", ["/v1/deliveries/{}", "/v1/cameras/{}/deliveries"])
async def test_what_nobody_reported_is_a_clear_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path.format(uuid4()))
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.headers["content-type"] == "application/problem+json"
    assert "inventory" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "fine"),
        ("camera_id", "QT-01"),
        ("limit", "0"),
        ("limit", "1001"),
        ("offset", "1"),
        ("cursor", "x"),
        ("camera", "x"),
    ],
)
async def test_a_bad_filter_names_its_field(client: httpx.AsyncClient, field: str, value: str) -> None:
    """Also one that does not exist: passed over, it would show everything to somebody who asked for one thing."""
    answer = await client.get("/v1/deliveries", params={field: value})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    [error] = answer.json()["errors"]
    assert error["field"].partition(".")[0] == field


async def test_what_a_worker_said_holds_only_as_long_as_it_gives_signs_of_life(
    client: httpx.AsyncClient, camera: CameraV1, bus: Bus
) -> None:
    began = datetime.now(UTC)
    [one, _] = (await client.get("/v1/deliveries", params={"camera_id": str(camera.id)})).json()["items"]
    elsewhere = {key: one[key] for key in one if key not in {"live", "as_of", "since", "delivery_id", "camera_id"}}
    elsewhere |= {"worker_id": "forwarder-elsewhere", "state": "verified", "observed_at": one["since"], "sequence": 1}
    report = DeliveryObservedV1.model_validate({**elsewhere, "delivery_id": uuid4(), "camera_id": uuid4()})
    states, workers = Bucket(bus, topology.DELIVERY_STATUS), Bucket(bus, topology.WORKERS)
    alive = ForwarderAliveV1(worker_id=report.worker_id, started_at=began, alive_at=began, cameras_held=1)
    await workers.put(worker_key(report.worker_id), alive.model_dump_json().encode())
    await states.put(str(report.delivery_id), report.model_dump_json().encode())

    async def shown(state: str) -> dict[str, Any]:
        item = (await client.get(f"/v1/deliveries/{report.delivery_id}")).json()
        assert item.get("state") == state, item
        return dict(item)

    item = await eventually(lambda: shown("verified"), within_s=5)
    assert (item["live"], datetime.fromisoformat(item["as_of"])) == (False, began)
    item = await eventually(lambda: shown("released"), within_s=3 * GONE_AFTER_S)
    assert datetime.fromisoformat(item["since"]) == datetime.fromisoformat(item["as_of"]) == began
    assert item["detail"] == "forwarder-elsewhere sends no heartbeat; it was verified before"
    assert (await client.get("/v1/deliveries", params={"state": "verified"})).json()["items"] == []
    [held, _] = (await client.get("/v1/deliveries", params={"camera_id": str(camera.id)})).json()["items"]
    assert (held["state"], held["live"]) == ("acknowledged", True)


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
    written = ("bytes_written", "bytes_acknowledged", "packets", "frames")
    for name in (*written, "packets_dropped", "groups_dropped", "sessions"):
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


async def test_whichever_forwarder_is_asked_it_answers_how_a_delivery_stands_at_this_moment(
    client: httpx.AsyncClient, camera: CameraV1, start_service: StartService, ask_service: AskService
) -> None:
    other = await ask_service(await start_service())
    delivery = camera.deliveries[0]

    async def answer_of(path: str) -> dict[str, Any]:
        answer = await other.get(path)
        assert answer.status_code == httpx.codes.OK, answer.text
        return dict(answer.json())

    async def newer(than: int) -> int:
        shown = await answer_of(f"/v1/deliveries/{delivery.id}")
        assert (shown["live"], shown["state"]) == (True, "acknowledged")
        return int(shown["bytes_acknowledged"]) if shown["bytes_acknowledged"] > than else 0

    await eventually(lambda: answer_of(f"/v1/deliveries/{delivery.id}"))
    first = await newer(0)
    assert await eventually(lambda: newer(first)) > first
    assert [item["live"] for item in (await answer_of(f"/v1/cameras/{camera.id}/deliveries"))["items"]] == [True, True]
    [listed, _] = (await answer_of("/v1/deliveries"))["items"]
    assert not listed["live"], "lists are made of reports: nobody asks a thousand holders"


async def test_tens_of_thousands_of_deliveries_hold_up_no_media(
    client: httpx.AsyncClient, camera: CameraV1, process: Process
) -> None:
    """The API shares its event loop with the relay: while it reads everything, the loop goes on."""
    [one, _] = await process.live()
    assert process.board is not None
    others = [one.model_copy(update={"delivery_id": uuid4(), "camera_id": uuid4()}) for _ in range(20_000)]
    process.board.deliveries.update({other.delivery_id: other for other in others})
    turns, longest_s = [0], [0.0]

    async def turning() -> None:
        """Counts the iterations of the loop and times the longest, without waiting for a busy machine."""
        before = time.thread_time()
        while True:
            turns[0] += 1
            await asyncio.sleep(0)
            now = time.thread_time()
            longest_s[0], before = max(longest_s[0], now - before), now

    async def asked(path: str, **query: Any) -> tuple[dict[str, Any], int]:
        before = turns[0]
        answer = await client.get(path, params=query)
        assert answer.status_code == httpx.codes.OK
        # In a thread: the client parses the page in this loop, which the product does not, for 5 ms.
        return dict(await asyncio.to_thread(answer.json)), turns[0] - before

    # What a run of tests keeps in memory is not the product's to search.
    gc.disable()
    beside = asyncio.create_task(turning())
    try:
        page, turned = await asked("/v1/deliveries", limit=10, total=True)
        assert (page["total"], len(page["items"])) == (20_002, 10)
        assert turned >= 20_000 // AT_ONCE
        ids = [(UUID(item["camera_id"]).int, UUID(item["delivery_id"]).int) for item in page["items"]]
        assert ids == sorted(ids)
        longest_s[0] = 0.0
        full, _ = await asked("/v1/deliveries", limit=1000, total=True, sort="-since")
        assert len(full["items"]) == 1000
        assert longest_s[0] < 0.020
        filtered, _ = await asked("/v1/deliveries", camera_id=str(others[7].camera_id))
        assert [item["delivery_id"] for item in filtered["items"]] == [str(others[7].delivery_id)]
        shown, _ = await asked(f"/v1/deliveries/{others[7].delivery_id}")
        assert not shown["live"]
    finally:
        gc.enable()
        beside.cancel()
