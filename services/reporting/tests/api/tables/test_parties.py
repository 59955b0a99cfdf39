"""Time not connected, by party: day by day, and as much as the deliveries say."""

import csv
import io
import json
from datetime import timedelta

from services.reporting.tests.api.tables.test_tables import END, START, get
from services.reporting.tests.conftest import Client, Province

from reporting.ingest.handlers import Ingest
from reporting.tables import Format

PARTIES = ("by_us_ms", "by_centre_ms", "by_camera_ms", "by_line_ms", "by_unknown_ms")


async def test_the_parties_of_a_delivery_add_up_to_its_time_not_connected(
    client: Client, ingest: Ingest, province: Province
) -> None:
    province.now = END
    camera, asked = province.camera("CAM-01"), START + timedelta(hours=6)
    pulled, pushed = camera.deliveries
    changes = [
        province.change(pulled, camera, 1, START, "backing_off", cause="refused"),
        province.change(pulled, camera, 2, asked, "acknowledged"),
        province.change(pulled, camera, 3, asked + timedelta(hours=2), "waiting_for_camera", cause="route"),
        province.change(pulled, camera, 4, asked + timedelta(hours=3), "waiting_for_camera", cause="auth_failed"),
        province.change(pulled, camera, 5, asked + timedelta(hours=5), "stopped", cause="stopped"),
        province.change(pulled, camera, 6, asked + timedelta(hours=30), "acknowledged"),
        province.change(pushed, camera, 7, START, "acknowledged"),
    ]
    await province.feed(
        ingest,
        *province.base(),
        province.stated("camera", camera),
        *province.watched(END),
        *province.probes(camera, START, END, every_s=600),
        *changes,
    )
    rows = json.loads(await get(client, "not_connected_by_party", Format.JSON))
    assert {row["delivery_id"] for row in rows} == {str(pulled.id)}
    assert all(sum(row[name] for name in PARTIES) == row["not_connected_ms"] > 0 for row in rows)
    whole = {name: sum(row[name] for row in rows) for name in (*PARTIES, "not_connected_ms")}
    deliveries = json.loads(await get(client, "deliveries", Format.JSON))
    (of_delivery,) = [row for row in deliveries if row["delivery_id"] == str(pulled.id)]
    assert whole["not_connected_ms"] == of_delivery["not_connected_ms"]
    hour = 3_600_000
    assert [whole[name] for name in PARTIES] == [25 * hour, 0, 2 * hour, hour, 6 * hour]
    found = (await get(client, "not_connected_by_party", Format.CSV)).decode()
    assert [row["by_us_ms"] for row in csv.DictReader(io.StringIO(found))] == [str(row["by_us_ms"]) for row in rows]
