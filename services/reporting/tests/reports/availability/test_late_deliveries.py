"""Late evidence of a delivery changes figures also where it changes none of its camera: it is noted all the same."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from services.reporting.tests.api.compliance.test_compliance import DAY

from reporting.domain.instants import millis
from reporting.reports.availability.bookkeeping import Bookkeeper

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events.inventory import CameraV1

HOUR = timedelta(hours=1)
HORIZON_MS = 6 * 3_600_000
WEEK = {"from": "2026-11-19", "to": "2026-11-24"}


async def dark(ingest: Ingest, province: Province) -> CameraV1:
    """Down, so that it never complies; nobody knows what its national centre has, and the provincial one stalls."""
    camera = province.camera()
    facts = province.probes(camera, DAY, DAY + 24 * HOUR, "down", cause="timeout", every_s=300)
    facts.append(province.change(camera.deliveries[1], camera, 1, DAY, "stalled", cause="stalled"))
    await province.feed(ingest, *province.base(), province.stated("camera", camera), *facts)
    await province.feed(ingest, *province.watched(DAY + 24 * HOUR))
    return camera


async def figures(client: Client) -> dict[str, dict[str, Any]]:
    """Of each delivery."""
    lines = (await client.get("/v1/availability", params={**WEEK, "by": "delivery"})).json()["items"]
    return {
        line["id"]: {
            "change_ms": line["delivery_milliseconds"],
            "not_connected_by_cause_change_ms": line["not_connected_by_cause_ms"],
        }
        for line in lines
    }


@pytest.mark.parametrize("state", ["acknowledged", "waiting_for_camera"])
async def test_what_comes_late_of_a_delivery_alone_is_noted(
    client: Client, ingest: Ingest, province: Province, database: Database, state: str
) -> None:
    camera = await dark(ingest, province)
    keeper = Bookkeeper(database, HORIZON_MS, 15_000)
    await keeper.keep(millis(datetime.now(UTC)))
    before, provincial = await figures(client), camera.deliveries[1]
    since, until = DAY + 3 * HOUR, DAY + 4 * HOUR
    await province.feed(
        ingest,
        province.change(provincial, camera, 2, since, state, held_since=DAY),
        province.change(provincial, camera, 3, until, "stalled", held_since=DAY, cause="stalled"),
    )
    assert await keeper.correct(millis(datetime.now(UTC))) == 1
    (noted,) = (await client.get("/v1/late-evidence", params=WEEK)).json()["items"]
    assert (noted["camera_id"], noted["what"], noted["change_ms"]) == (str(camera.id), "claim", {})
    (found,) = noted["deliveries"]
    assert found["delivery_id"] == str(provincial.id)
    after = await figures(client)
    for name, new in after[found["delivery_id"]].items():
        old = before[found["delivery_id"]][name]
        gained = {key: new.get(key, 0) - old.get(key, 0) for key in {*old, *new}}
        assert found[name] == {key: value for key, value in gained.items() if value}, name
    file = await client.get("/v1/tables/late_evidence_of_deliveries", params={**WEEK, "format": "csv"})
    (row,) = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline=""))
    assert (row["change_id"], row["delivery_id"]) == (str(noted["id"]), found["delivery_id"])
    assert int(row["connected_change_ms"]) == found["change_ms"].get("connected", 0)
    assert "stalled=-3600000" in row["not_connected_by_cause_change"].split()


async def test_a_late_probe_that_changes_only_a_cause_is_noted_and_one_that_changes_nothing_is_not(
    client: Client, ingest: Ingest, province: Province, database: Database
) -> None:
    """Between two probes of one outage; the ledger has no causes of cameras, and the outages have."""
    camera = await dark(ingest, province)
    keeper = Bookkeeper(database, HORIZON_MS, 15_000)
    await keeper.keep(millis(datetime.now(UTC)))
    alike = province.probe(camera, DAY + 20 * HOUR + timedelta(minutes=2), "down", cause="timeout", every_s=300)
    await province.feed(ingest, alike)
    assert await keeper.correct(millis(datetime.now(UTC))) == 0
    other = province.probe(camera, DAY + 21 * HOUR + timedelta(minutes=2), "down", cause="refused", every_s=300)
    await province.feed(ingest, other)
    assert await keeper.correct(millis(datetime.now(UTC))) == 1
    (noted,) = (await client.get("/v1/late-evidence", params=WEEK)).json()["items"]
    assert (noted["camera_id"], noted["what"]) == (str(camera.id), "cause")
    assert (noted["change_ms"], noted["deliveries"]) == ({}, [])
    assert await keeper.correct(millis(datetime.now(UTC))) == 0
    file = await client.get("/v1/tables/late_evidence", params={**WEEK, "format": "csv"})
    (row,) = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline=""))
    assert (row["what"], row["down_change_ms"]) == ("cause", "0")
