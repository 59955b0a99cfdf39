"""From events on the bus to the report at the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.reporting.tests.conftest import Client, Province

from reporting.api.compliance_schemas import ComplianceReport
from vonggac.bus import Bus
from vonggac.testing import eventually


async def report(client: Client, **parameters: str) -> dict[str, Any]:
    answer = await client.get("/v1/compliance", params=parameters)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    ComplianceReport.model_validate(document)
    return document


async def test_a_camera_with_both_deliveries_acknowledged_is_reported_connected(
    client: Client, bus: Bus, province: Province
) -> None:
    camera, now = province.camera(), datetime.now(UTC)
    start = now - timedelta(minutes=10)
    await province.publish(bus, *province.base(), province.stated("camera", camera))
    await province.publish(bus, *province.looks(camera, start, now))
    for planned in camera.deliveries:
        await province.publish(bus, province.says(planned, camera, 1, start, "acknowledged"))
    await province.publish(bus, province.alive(now))

    async def both() -> bool:
        return bool((await report(client))["totals"]["cameras"]["both"] == 1)

    await eventually(both)
    document = await report(client)
    line = document["cameras"][0]
    assert (line["state"], line["compliant"]) == ("up", True)
    assert [one["state"] for one in line["deliveries"]] == ["acknowledged", "acknowledged"]
