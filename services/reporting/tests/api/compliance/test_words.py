"""`q` and `open` of lists: words in any order and without accents; what goes on, and what ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from services.reporting.tests.stage.freezing import DAY, NEXT, frozen
from services.reporting.tests.stage.letter import Letter

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

PERIOD = {"from": DAY.isoformat(), "to": NEXT.isoformat()}


async def read(client: Client, path: str, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def one_that_lasts_and_one_that_ended(ingest: Ingest, province: Province, now: datetime) -> None:
    lasting, ended = province.camera("CAM-01"), province.camera("CAM-02")
    begin = now - timedelta(hours=3)
    middle = begin + timedelta(hours=1)
    facts = [
        *province.probes(lasting, begin, now, "down", cause="timeout", every_s=300),
        *province.probes(ended, begin, middle, "down", cause="timeout", every_s=300),
        *province.probes(ended, middle, now, every_s=300),
        *province.watched(now),
    ]
    await province.feed(ingest, *province.base(), *(province.stated("camera", one) for one in (lasting, ended)), *facts)


async def test_outages_that_go_on_are_asked_for_apart(client: Client, ingest: Ingest, province: Province) -> None:
    await one_that_lasts_and_one_that_ended(ingest, province, province.now)
    assert [one["camera_code"] for one in await read(client, "/v1/outages", open="true")] == ["CAM-01"]
    assert [one["camera_code"] for one in await read(client, "/v1/outages", open="false")] == ["CAM-02"]
    assert len(await read(client, "/v1/outages")) == 2
    counted = (await client.get("/v1/outages", params={"open": "true"})).json()
    assert counted["count"] == 1


async def test_outages_are_found_by_words_of_camera_and_facility(client: Client, fed: Province) -> None:
    assert len(await read(client, "/v1/outages", **PERIOD, q="cam-01")) == 1
    assert len(await read(client, "/v1/outages", **PERIOD, q="CAM-01 kcl-01")) == 1
    assert await read(client, "/v1/outages", **PERIOD, q="cam-02") == []


async def test_obligations_are_found_without_accents(client: Client, ingest: Ingest, province: Province) -> None:
    letter = Letter(province)
    things = [("facility", letter.facility("A")), ("obligation", letter.obligation("NV-1742-B", "connection"))]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    asked = {"as_of": "2021-05-10T08:00:00+07:00"}
    (item,) = await read(client, "/v1/obligations", **asked, q="1742 nv-1742-b")
    words = item["facility"]["name"].split()
    assert len(await read(client, "/v1/obligations", **asked, q=" ".join(reversed(words)).lower())) == 1
    assert await read(client, "/v1/obligations", **asked, q="nv-1742-c") == []
    facilities = await read(client, "/v1/progress/facilities", **asked, q=words[-1])
    assert [one["facility"]["code"] for one in facilities] == ["A"]
    assert await read(client, "/v1/progress/facilities", **asked, q="khong-co") == []


async def test_reports_are_found_by_their_days_and_people(client: Client, fed: Province) -> None:
    report = await frozen(client)
    assert [one["id"] for one in await read(client, "/v1/reports", q="21/11/2026 province_lead")] == [report["id"]]
    assert await read(client, "/v1/reports", q="2019") == []
    none = (await client.get("/v1/reports", params={"q": "2019", "total": True})).json()
    assert none["total"] == 0


@pytest.mark.parametrize(
    ("path", "name"),
    [("/v1/outages", "open"), ("/v1/outages", "q"), ("/v1/site-faults", "q"), ("/v1/obligations", "q"),
     ("/v1/inspections-due", "q"), ("/v1/deviations", "q"), ("/v1/camera-security", "q"), ("/v1/urges", "q"),
     ("/v1/urges", "facility"), ("/v1/progress/facilities", "q")],
)  # fmt: skip
async def test_a_file_has_all_rows_and_says_so(client: Client, path: str, name: str) -> None:
    refused = await client.get(path, params={"format": "csv", name: "true"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, name)
    assert "leave it out" in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "path",
    ["/v1/site-faults", "/v1/inspections-due", "/v1/deviations", "/v1/camera-security", "/v1/issued-papers",
     "/v1/urges"],
)  # fmt: skip
async def test_every_list_of_officials_takes_words(client: Client, path: str) -> None:
    assert await read(client, path, q="khong co gi nhu vay") == []
