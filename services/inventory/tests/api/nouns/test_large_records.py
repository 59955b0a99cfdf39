"""What no message can carry is refused by name: the other services would never hear of such a record."""

from typing import Any

from vonggac.events.envelope import MAX_EVENT_BYTES
from vonggac.testing.certificates import Authority


def plan(facility: dict[str, Any], cameras: int) -> dict[str, Any]:
    connection = {"address": "10.20.1.5:554", "bandwidth_kbps": 2048, "destination_codes": ["TT-QG"]}
    return {
        "facility_id": facility["id"],
        "connections": [connection | {"camera_code": f"QT-KCL-01-C{number:04d}"} for number in range(cameras)],
    }


async def test_a_plan_whose_message_would_be_too_large_is_refused_and_nothing_is_stored(province: Any) -> None:
    await province.destination(code="TT-QG")
    facility = await province.facility()
    refused = await province.client.post("/v1/connection-plans", json=plan(facility, 900))
    assert (refused.status_code, refused.json()["code"]) == (422, "too_large"), refused.text
    assert str(MAX_EVENT_BYTES) in refused.json()["detail"]
    assert (await province.client.get("/v1/connection-plans")).json()["items"] == []
    assert (await province.client.post("/v1/connection-plans", json=plan(facility, 100))).status_code == 201


async def test_a_destination_that_makes_the_messages_of_its_cameras_too_large_is_refused(province: Any) -> None:
    """Each camera's message carries the authorities of all its destinations."""
    pem = Authority().pem.strip()
    bundle = "\n".join([pem] * (40_000 // len(pem)))
    tls = {"tls": {"ca_pem": bundle}}
    first = await province.destination(code="TT-QG", url_template="rtsps://10.9.0.1/{camera_code}", **tls)
    second = await province.destination(code="IOC", url_template="rtsps://10.9.0.2/{camera_code}")
    facility = await province.facility()
    await province.camera(facility_id=facility["id"], code="CAM-1")
    refused = await province.change(f"/v1/destinations/{second['id']}", json=tls)
    assert (refused.status_code, refused.json()["code"]) == (422, "too_large"), refused.text
    assert "CAM-1" in refused.json()["detail"]
    assert (await province.client.get(f"/v1/destinations/{second['id']}")).json()["tls"] is None
    assert (await province.client.get(f"/v1/destinations/{first['id']}")).json()["tls"] is not None
