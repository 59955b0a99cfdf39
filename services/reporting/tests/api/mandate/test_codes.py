"""A code names what had it at the instant or in the period that is asked about, whoever has it today."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from services.reporting.tests.stage.letter import Letter, may

from vonggac.events.inventory import CameraV1, FacilityV1, RemovedV1

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

THEN, BETWEEN, LATER = "2021-05-09T23:30:00+07:00", "2021-05-13T00:00:00+07:00", "2021-05-20T00:00:00+07:00"


@dataclass
class Passed:
    """The code QT-01: of `first` until 12/5, when it was renamed or removed, and of `second` from 15/5 on."""

    first: FacilityV1
    second: FacilityV1
    camera: CameraV1


@pytest_asyncio.fixture(params=["renamed", "removed"])
async def passed(request: pytest.FixtureRequest, province: Province, ingest: Ingest, client: Client) -> Passed:
    assert client
    letter = Letter(province)
    first = letter.facility("QT-01")
    second = letter.facility("QT-01", may(15), name="Cơ sở mới")
    camera = letter.camera(first, "QT-01-C01")
    gone = RemovedV1(id=first.id, noun="facility", revision=2, removed_at=may(12))
    changed: Any = gone if request.param == "removed" else letter.later(first, may(12), code="QT-99")
    things: list[tuple[str, Any]] = [("facility", first), ("camera", camera), ("facility", changed)]
    things += [("facility", second), ("obligation", letter.obligation("NV-1742-B", "connection"))]
    facts = letter.connected(camera, may(9, 22), may(10, 12))
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things), *facts)
    return Passed(first, second, camera)


async def get(client: Client, path: str, **asked: str) -> Any:
    answer = await client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer


async def test_a_facility_is_found_by_the_code_that_it_had_then(client: Client, passed: Passed) -> None:
    for at, expected in ((THEN, passed.first), (LATER, passed.second)):
        detail = (await get(client, "/v1/progress/facilities/QT-01", as_of=at)).json()
        assert detail["facility"]["id"] == str(expected.id), at
    there = (await get(client, "/v1/progress/facilities/QT-01", as_of=THEN)).json()
    assert [one["id"] for one in there["camera_rows"]] == [str(passed.camera.id)]


async def test_between_two_holders_a_code_is_the_one_of_the_last(client: Client, passed: Passed) -> None:
    """A renamed one is still found by its last name; of a removed one nothing is there."""
    answer = await client.get("/v1/progress/facilities/QT-01", params={"as_of": BETWEEN})
    if answer.status_code == 404:
        assert "no facility QT-01 of 2021-05-13" in answer.json()["detail"]
    else:
        assert answer.json()["facility"] | {"code": "QT-99", "id": str(passed.first.id)} == answer.json()["facility"]


LISTS = ("/v1/progress/facilities", "/v1/obligations", "/v1/inspections-due")


@pytest.mark.parametrize("path", LISTS)
async def test_the_filters_of_an_instant_mean_the_codes_of_the_instant(
    client: Client, passed: Passed, path: str
) -> None:
    for at, expected in ((THEN, passed.first), (LATER, passed.second)):
        rows = (await get(client, path, facility="QT-01", as_of=at)).json()["items"]
        assert {row["facility"]["id"] for row in rows} == {str(expected.id)}, at
        file = await get(client, path, facility="QT-01", as_of=at, format="csv")
        rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
        found = {row.get("facility_id") or row["item_id"].partition("/")[2] for row in rows}
        assert found == {str(expected.id)}, at


async def test_what_changed_is_of_the_facility_that_has_the_code_at_the_later_instant(
    client: Client, passed: Passed
) -> None:
    asked = {"facility": "QT-01", "since": THEN}
    changes = (await get(client, "/v1/progress/changes", **asked, as_of=LATER)).json()["items"]
    assert {one["facility"]["id"] for one in changes} == {str(passed.second.id)}
    board = (await get(client, "/v1/progress", **asked, as_of=LATER)).json()
    assert (board["totals_since"]["facilities"], board["totals"]["facilities"]) == (0, 1)


async def test_the_filters_of_a_period_mean_the_codes_of_its_end(client: Client, passed: Passed) -> None:
    asked = {"facility": "QT-01", "from": "2021-05-09", "to": "2021-05-10"}
    found = {
        "availability": [
            one["id"] for one in (await get(client, "/v1/availability", **asked, by="facility")).json()["items"]
        ],
        "compliance": [one["id"] for one in (await get(client, "/v1/compliance", **asked)).json()["by_facility"]],
        "national": [one["id"] for one in (await get(client, "/v1/national", **asked)).json()["items"]],
        "facts": sorted({one["facility_id"] for one in (await get(client, "/v1/facts", **asked)).json()}),
    }
    assert found == {name: [str(passed.first.id)] for name in found}


@pytest.mark.parametrize("noun", ["unit", "agency", "facility"])
async def test_a_code_with_a_nul_in_a_body_is_one_that_nothing_has(client: Client, noun: str) -> None:
    """A database cannot be asked about it."""
    period = {"from": "2021-05-08T00:00:00+07:00", "to": "2021-05-09T00:00:00+07:00"}
    for path, body in (("/v1/calendar-feeds", {"name": "Lịch"}), ("/v1/reports", period)):
        refused = await client.post(path, json=body | {noun: "A\0B"})
        assert refused.status_code == 422, refused.text
        assert [error["field"] for error in refused.json()["errors"]] == [noun], refused.text
