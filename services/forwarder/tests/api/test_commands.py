"""Stop, start and retry of one delivery: what they do, for whom, and how they say no."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from simulator import Simulator
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events.forwarder import DeliveryObservedV1
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually

REASON = {"reason": "thay máy ghi"}


async def state_of(client: httpx.AsyncClient, delivery_id: UUID) -> dict[str, Any]:
    return dict((await client.get(f"/v1/deliveries/{delivery_id}")).json())


async def becomes(client: httpx.AsyncClient, delivery_id: UUID, state: str) -> dict[str, Any]:
    async def reached() -> dict[str, Any]:
        item = await state_of(client, delivery_id)
        assert item["state"] == state, item
        return item

    return await eventually(reached, within_s=15)


async def test_a_stopped_delivery_ends_and_says_why_and_by_whom_and_the_other_goes_on(
    client: httpx.AsyncClient, operator: dict[str, str], camera: CameraV1, sim: Simulator
) -> None:
    stopped, other = camera.deliveries
    answer = await client.post(f"/v1/deliveries/{stopped.id}/stop", json=REASON, headers=operator)
    assert answer.status_code == httpx.codes.OK
    assert (answer.json()["by"], answer.json()["reason"]) == ("test-operator", REASON["reason"])
    item = await becomes(client, stopped.id, "stopped")
    assert (item["cause"], item["detail"]) == ("stopped", "stopped by test-operator: thay máy ghi")
    await eventually(lambda: not sim.centres[stopped.destination_code].streams["gate"].live)
    stream = sim.centres[other.destination_code].streams["gate"]
    assert (stream.live, stream.sessions, stream.lost) == (True, 1, 0)


async def test_stopped_again_it_publishes_the_new_reason(
    client: httpx.AsyncClient, operator: dict[str, str], camera: CameraV1, bus: Bus
) -> None:
    stopped = camera.deliveries[0]
    for reason in ("thay máy ghi", "chờ trung tâm"):
        answer = await client.post(f"/v1/deliveries/{stopped.id}/stop", json={"reason": reason}, headers=operator)
        assert answer.status_code == httpx.codes.OK
        await becomes(client, stopped.id, "stopped")

    async def stopped_detail() -> str | None:
        value = await Bucket(bus, topology.DELIVERY_STATUS).get(str(stopped.id))
        observed = DeliveryObservedV1.model_validate_json(value or b"")
        assert observed.detail == "stopped by test-operator: chờ trung tâm"
        return observed.detail

    await eventually(stopped_detail)


async def test_a_started_delivery_is_published_anew_and_its_order_is_gone(
    client: httpx.AsyncClient, operator: dict[str, str], camera: CameraV1, bus: Bus
) -> None:
    delivery = camera.deliveries[0]
    await client.post(f"/v1/deliveries/{delivery.id}/stop", json=REASON, headers=operator)
    await becomes(client, delivery.id, "stopped")
    answer = await client.post(f"/v1/deliveries/{delivery.id}/start", headers=operator)
    assert answer.status_code == httpx.codes.OK
    await becomes(client, delivery.id, "acknowledged")
    assert not await Bucket(bus, topology.DELIVERY_COMMANDS).get(str(delivery.id))
    again = await client.post(f"/v1/deliveries/{delivery.id}/start", headers=operator)
    assert (again.status_code, again.json()["code"]) == (httpx.codes.CONFLICT, "delivery_not_stopped")


async def test_retry_ends_the_rest_after_refused_credentials(
    client: httpx.AsyncClient, operator: dict[str, str], camera: CameraV1, sim: Simulator
) -> None:
    delivery = camera.deliveries[0]
    centre = sim.centres[delivery.destination_code]
    await centre.set_fault("auth")
    await becomes(client, delivery.id, "refused")
    await centre.clear_fault()
    answer = await client.post(f"/v1/deliveries/{delivery.id}/retry", headers=operator)
    assert answer.status_code == httpx.codes.ACCEPTED
    assert answer.json()["attempt"] == 1
    await becomes(client, delivery.id, "acknowledged")


async def test_retry_of_what_waits_for_nothing_is_a_conflict(
    client: httpx.AsyncClient, operator: dict[str, str], camera: CameraV1
) -> None:
    delivery = camera.deliveries[0]
    answer = await client.post(f"/v1/deliveries/{delivery.id}/retry", headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (httpx.codes.CONFLICT, "delivery_not_waiting")
    await client.post(f"/v1/deliveries/{delivery.id}/stop", json=REASON, headers=operator)
    await becomes(client, delivery.id, "stopped")
    answer = await client.post(f"/v1/deliveries/{delivery.id}/retry", headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (httpx.codes.CONFLICT, "delivery_stopped")


@pytest.mark.parametrize("order", ["stop", "start", "retry"])
async def test_an_order_on_an_unknown_delivery_is_a_clear_404(
    client: httpx.AsyncClient, operator: dict[str, str], order: str
) -> None:
    body = REASON if order == "stop" else None
    answer = await client.post(f"/v1/deliveries/{uuid4()}/{order}", json=body, headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (httpx.codes.NOT_FOUND, "delivery_unknown")


@pytest.mark.parametrize("order", ["stop", "start", "retry"])
async def test_a_reader_gives_no_orders(client: httpx.AsyncClient, camera: CameraV1, order: str) -> None:
    answer = await client.post(f"/v1/deliveries/{camera.deliveries[0].id}/{order}", json=REASON)
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert (await state_of(client, camera.deliveries[0].id))["state"] == "acknowledged"


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": " \t"}, {"reason": "x" * 301}, {"reason": "x", "until": "tomorrow"}]
)
async def test_a_bad_reason_names_its_field(
    client: httpx.AsyncClient, operator: dict[str, str], body: dict[str, str]
) -> None:
    answer = await client.post(f"/v1/deliveries/{uuid4()}/stop", json=body, headers=operator)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert answer.json()["errors"][0]["field"] in {"reason", "until"}
