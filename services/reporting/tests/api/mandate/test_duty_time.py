"""Duties of the past over HTTP: what held at the directive's day and at the deadline, as it was on record."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from services.reporting.tests.stage.letter import HANOI, Letter, may

from vonggac.events.inventory import FacilityStatus, ProposalStatus, SurveyVerdict

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

NOW = "2026-11-30T08:00:00+07:00"
NOVEMBER = datetime(2026, 11, 20, 9, tzinfo=HANOI)


async def read(client: Client, as_of: str = NOW) -> dict[str, dict[str, Any]]:
    answer = await client.get("/v1/obligations", params={"as_of": as_of})
    assert answer.status_code == 200, answer.text
    return {one["code"]: one for one in answer.json()["items"]}


def two(letter: Letter, **given: Any) -> dict[str, Any]:
    """The letter's two: of facilities with cameras, and of those without."""
    return {
        "obligation.a": letter.obligation("A", "survey_and_plan", with_cameras=True, **given),
        "obligation.c": letter.obligation("C", "proposal", with_cameras=False, **given),
    }


async def feed(ingest: Ingest, province: Province, letter: Letter, things: dict[str, Any]) -> None:
    stated = [letter.stated(noun.partition(".")[0], thing) for noun, thing in things.items()]
    await province.feed(ingest, *letter.base(), *stated)


@pytest.mark.parametrize("days", [None, 15])
async def test_duty_time_of_a_facility_of_november_2026_is_not_two_thousand_days_late(
    client: Client, ingest: Ingest, province: Province, days: int | None
) -> None:
    letter = Letter(province)
    facility = letter.facility("A", NOVEMBER, founded_on=NOVEMBER.date())
    camera = letter.camera(facility, "A-C01", NOVEMBER)
    await feed(ingest, province, letter, {"facility": facility, "camera": camera, **two(letter, due_after_days=days)})
    found = await read(client)
    assert list(found) == ["A"]
    item = found["A"]
    assert (item["state"], item["own_deadline"], item["late_s"]) == ("open", True, None)
    assert item["due_before"] == (None if days is None else "2026-12-06T00:00:00+07:00")
    assert item["since"][:10] == "2026-11-20"


async def test_duty_time_of_a_facility_that_was_entered_after_the_fact_is_that_of_its_founding(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("A", NOVEMBER, founded_on=date(2020, 3, 29))
    await feed(ingest, province, letter, {"facility": facility, **two(letter)})
    found = await read(client)
    assert {code: one["state"] for code, one in found.items()} == {"C": "overdue"}
    assert found["C"]["due_before"] == "2021-05-10T00:00:00+07:00"


async def test_duty_time_follows_the_founding_day_as_it_was_on_record(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """Entered with the year of another decision, and corrected on the next day."""
    letter = Letter(province)
    wrong = letter.facility("A", NOVEMBER, founded_on=date(2020, 3, 29))
    right = letter.later(wrong, datetime(2026, 11, 21, 9, tzinfo=HANOI), founded_on=date(2026, 11, 1))
    await feed(ingest, province, letter, {"facility.1": wrong, "facility.2": right, **two(letter, due_after_days=40)})
    before, after = await read(client, "2026-11-21T08:00:00+07:00"), await read(client)
    assert (before["C"]["state"], before["C"]["own_deadline"]) == ("overdue", False)
    assert (after["C"]["state"], after["C"]["own_deadline"]) == ("open", True)
    assert after["C"]["due_before"] == "2026-12-12T00:00:00+07:00"


@pytest.mark.parametrize(
    ("cameras_on", "owed"),
    [
        (date(2021, 5, 6), {"A"}),
        (date(2021, 5, 7), {"A"}),
        (date(2021, 5, 8), {"A"}),
        (date(2021, 5, 9), {"A"}),
        (date(2021, 5, 10), {"A", "C"}),
        (date(2021, 5, 11), {"A", "C"}),
    ],
)
async def test_duty_time_of_cameras_installed_a_day_before_or_after(
    client: Client, ingest: Ingest, province: Province, cameras_on: date, owed: set[str]
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    camera = letter.camera(facility, "A-C01", may(25), installed_on=cameras_on)
    await feed(ingest, province, letter, {"facility": facility, "camera": camera, **two(letter, due_after_days=2000)})
    found = await read(client, "2021-06-15T08:00:00+07:00")
    assert set(found) == owed
    assert found["A"]["own_deadline"] is (cameras_on > date(2021, 5, 7))
    assert found["A"]["state"] == ("overdue" if cameras_on <= date(2021, 5, 7) else "open")
    as_it_was = await read(client, "2021-05-20T08:00:00+07:00")
    assert {code: one["state"] for code, one in as_it_was.items()} == {"C": "overdue"}, "the camera came on 25/5"


async def test_duty_time_keeps_a_fulfilled_proposal_when_the_cameras_come(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    submitted = letter.proposal(facility, may(9), "submitted")
    carried_out: dict[str, Any] = {"status": ProposalStatus.INSTALLED, "status_since": may(30)}
    installed = letter.later(submitted, may(30), installed_on=date(2021, 5, 28), **carried_out)
    things = {"facility": facility, "installation_proposal.1": submitted, "installation_proposal.2": installed}
    things["camera"] = letter.camera(facility, "A-C01", may(31))
    await feed(ingest, province, letter, {**things, **two(letter, due_after_days=10)})
    found = await read(client, "2021-06-04T08:00:00+07:00")
    assert (found["C"]["state"], found["C"]["done_at"][:10]) == ("done", "2021-05-09")
    assert (found["A"]["state"], found["A"]["own_deadline"]) == ("open", True)
    assert found["A"]["since"][:10] == "2021-05-28"
    assert found["A"]["due_before"] == "2021-06-08T00:00:00+07:00"


async def test_duty_time_of_a_survey_that_found_cameras_is_older_than_their_entry(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    known: dict[str, Any] = {"surveyed_on": date(2021, 5, 8), "verdict": SurveyVerdict.CONNECTABLE}
    things = {"facility": facility, "survey": letter.survey(facility, may(8, 12), **known)}
    things["camera"] = letter.camera(facility, "A-C01", may(25))
    await feed(ingest, province, letter, {**things, **two(letter)})
    found = await read(client, "2021-06-01T08:00:00+07:00")
    assert set(found) == {"A"}
    assert found["A"]["own_deadline"] is False


async def test_duty_time_of_a_closed_facility_returns_with_what_was_fulfilled(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    done, owing = letter.facility("A"), letter.facility("B")
    things: dict[str, Any] = {"installation_proposal": letter.proposal(done, may(9), "submitted")}
    for one in (done, owing):
        closed = letter.later(one, may(20), status=FacilityStatus.CLOSED)
        things |= {f"facility.{one.code}1": one, f"facility.{one.code}2": closed}
        things[f"facility.{one.code}3"] = letter.later(closed, NOVEMBER, status=FacilityStatus.ACTIVE)
    things["obligation"] = letter.obligation("C", "proposal", with_cameras=False)
    await feed(ingest, province, letter, things)
    answer = await client.get("/v1/obligations", params={"as_of": NOW})
    assert {one["facility"]["code"]: one["state"] for one in answer.json()["items"]} == {"A": "done", "B": "overdue"}
    assert (await read(client, "2021-05-25T08:00:00+07:00")) == {}


async def test_duty_time_of_a_frozen_report_is_that_of_its_cut_off(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """What was owed at an instant is the same whether it is asked then, or when the facility has become another one."""
    letter = Letter(province)
    facility = letter.facility("A")
    things: dict[str, Any] = {"facility": facility, **two(letter)}
    await feed(ingest, province, letter, things)
    asked = "2021-05-12T08:00:00+07:00"
    before = await read(client, asked)
    moved = letter.later(facility, NOVEMBER, type="hotel", founded_on=date(2026, 11, 1))
    camera = letter.camera(facility, "A-C01", NOVEMBER, installed_on=date(2020, 1, 1))
    await province.feed(ingest, letter.stated("facility", moved), letter.stated("camera", camera))
    assert await read(client, asked) == before
