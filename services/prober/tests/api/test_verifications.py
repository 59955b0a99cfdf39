"""The latest read-backs, and a read-back now."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict

NATIONAL, PROVINCIAL = uuid4(), uuid4()


async def put(bus: Bus, number: int, **changes: Any) -> DeliveryVerifiedV1:
    values: dict[str, Any] = {
        "delivery_id": UUID(int=number),
        "camera_id": UUID(int=100 + number // 2),
        "destination_id": PROVINCIAL if number % 2 else NATIONAL,
        "camera_revision": 1,
        "worker_id": "prober-1",
        "observed_at": datetime.now(UTC),
        "verdict": VerificationVerdict.VERIFIED,
        "captured_at": datetime.now(UTC),
        "delay_s": 0.4,
        "interval_s": 60.0,
        "duration_ms": 1200.0,
    }
    fact = DeliveryVerifiedV1.model_validate(values | changes)
    await Bucket(bus, topology.VERIFICATIONS).put(str(fact.delivery_id), fact.model_dump_json().encode())
    return fact


def planned(**changes: Any) -> PlannedDelivery:
    url = "rtsp://127.0.0.1:9/key"
    values = {"id": uuid4(), "destination_id": uuid4(), "destination_code": "D", "url": url, "read_back_url": url}
    return PlannedDelivery.model_validate(values | changes)


async def test_read_backs_are_listed_filtered_and_paged(bus: Bus, client: httpx.AsyncClient) -> None:
    for number in range(4):
        await put(bus, number)
    await put(bus, 4, verdict="mismatch", cause="mismatch", captured_at=None, delay_s=None, detail="another picture")
    page = (await client.get("/v1/verifications", params={"limit": 2, "total": True})).json()
    assert ([UUID(item["delivery_id"]).int for item in page["items"]], page["total"]) == ([0, 1], 5)
    page = (await client.get("/v1/verifications", params={"limit": 9, "cursor": page["next"]})).json()
    assert ([UUID(item["delivery_id"]).int for item in page["items"]], page["next"]) == ([2, 3, 4], None)
    (wrong,) = (await client.get("/v1/verifications", params={"verdict": "mismatch"})).json()["items"]
    assert (wrong["cause"], wrong["detail"], wrong["delay_s"]) == ("mismatch", "another picture", None)
    assert wrong["advice"]["vi"]
    assert wrong["observed_at"].endswith("+07:00")
    found = (await client.get("/v1/verifications", params={"destination_id": str(PROVINCIAL), "total": True})).json()
    assert found["total"] == 2
    found = (await client.get("/v1/verifications", params={"camera_id": str(UUID(int=101)), "total": True})).json()
    assert found["total"] == 2


async def test_a_read_back_that_nobody_made_again_is_overdue(bus: Bus, client: httpx.AsyncClient) -> None:
    await put(bus, 1, observed_at=datetime(2026, 11, 25, tzinfo=UTC), interval_s=60.0)
    (item,) = (await client.get("/v1/verifications")).json()["items"]
    assert item["overdue"] is True


async def test_a_read_back_is_made_now_and_published_like_any_other(
    bus: Bus, operator: httpx.AsyncClient, planner: Any
) -> None:
    delivery, blind = planned(), planned(read_back_url=None)
    camera = await planner.camera("rtsp://127.0.0.1:9/live", deliveries=(delivery, blind), probe_interval_s=600.0)
    answer = await operator.post("/v1/verifications", json={"camera_id": str(camera.id)})
    assert answer.status_code == 200, answer.text
    items = {item["delivery_id"]: item for item in answer.json()["items"]}
    assert items[str(delivery.id)]["detail"] == "no forwarder holds the camera"
    assert items[str(blind.id)]["detail"] == "no read-back address is planned for this delivery"
    assert {item["verdict"] for item in items.values()} == {"not_checkable"}
    again = await operator.post("/v1/verifications", json={"camera_id": str(camera.id)})
    assert (again.status_code, again.json()["code"]) == (429, "on_demand_limit")


async def test_one_delivery_is_found_by_its_last_read_back(bus: Bus, operator: httpx.AsyncClient, planner: Any) -> None:
    delivery, other = planned(), planned()
    camera = await planner.camera("rtsp://127.0.0.1:9/live", deliveries=(delivery, other), probe_interval_s=600.0)
    await put(bus, delivery.id.int, camera_id=camera.id)
    answer = await operator.post("/v1/verifications", json={"delivery_id": str(delivery.id)})
    assert [item["delivery_id"] for item in answer.json()["items"]] == [str(delivery.id)]


async def test_what_cannot_be_read_back_gets_a_clear_answer(operator: httpx.AsyncClient, planner: Any) -> None:
    async def refused(**body: str) -> tuple[int, str]:
        answer = await operator.post("/v1/verifications", json=body)
        return answer.status_code, answer.json()["code"]

    assert await refused(camera_id=str(uuid4())) == (404, "camera_not_found")
    assert await refused(delivery_id=str(uuid4())) == (404, "delivery_not_found")
    assert (await refused())[0] == 422
    assert (await refused(camera_id=str(uuid4()), delivery_id=str(uuid4())))[0] == 422
    disabled = await planner.camera("rtsp://127.0.0.1:9/live", deliveries=(planned(enabled=False),))
    assert await refused(camera_id=str(disabled.id)) == (409, "delivery_disabled")


async def test_readers_may_read_and_not_probe(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/verifications")).json()["items"] == []
    assert (await client.post("/v1/verifications", json={"camera_id": str(uuid4())})).status_code == 403
