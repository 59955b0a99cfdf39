"""What is due by what held at the directive's day and at the deadline: the same rule as that of the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.conftest import Letter

BEFORE = {"decision_number": "12/QĐ-UBND", "decision_date": "2020-03-29"}
OF_NOVEMBER = {"decision_number": "2150/QĐ-UBND", "decision_date": "2026-11-20"}


async def of_facility(letter: Letter, facility: dict[str, Any], **query: Any) -> dict[str, dict[str, Any]]:
    """How each obligation stands for this facility, by code."""
    answer = await letter.client.get("/v1/due-obligations", params={"facility_id": facility["id"], **query})
    assert answer.status_code == 200, answer.text
    return {one["code"]: {**one["facilities"][0], "of_all": one["due_state"]} for one in answer.json()["items"]}


async def two(letter: Letter, **given: Any) -> None:
    await letter.obligation(code="A", kind="survey_and_plan", with_cameras=True, **given)
    await letter.obligation(code="C", kind="proposal", with_cameras=False, **given)


@pytest.mark.parametrize("days", [None, 15])
async def test_duty_time_of_a_facility_of_november_2026_is_not_two_thousand_days_late(
    letter: Letter, days: int | None
) -> None:
    facility = await letter.province.facility(**OF_NOVEMBER)
    await letter.province.camera(facility_id=facility["id"])
    await two(letter, due_after_days=days)
    found = await of_facility(letter, facility, at="2026-11-30T08:00:00+07:00")
    assert list(found) == ["A"]
    assert (found["A"]["due_state"], found["A"]["of_all"], found["A"]["own_deadline"]) == ("open", "open", True)
    assert found["A"]["due_before"] == (None if days is None else "2026-12-05T17:00:00Z")
    assert found["A"]["since"] == "2026-11-19T17:00:00Z"
    assert await of_facility(letter, facility, due_state="overdue", at="2026-11-30T08:00:00+07:00") == {}


async def test_duty_time_of_a_facility_of_then_is_the_letters(letter: Letter) -> None:
    facility = await letter.province.facility(**BEFORE)
    await letter.province.camera(facility_id=facility["id"])
    await two(letter, due_after_days=15)
    found = await of_facility(letter, facility)
    assert list(found) == ["A"]
    assert (found["A"]["due_state"], found["A"]["due_before"]) == ("overdue", "2021-05-09T17:00:00Z")
    assert found["A"]["own_deadline"] is False


async def test_duty_time_is_that_of_the_record_then(letter: Letter) -> None:
    """Entered with the year of another decision, and corrected later: an answer of before stays as it was."""
    facility = await letter.province.facility(**BEFORE)
    await two(letter)
    wrong = await of_facility(letter, facility)
    changed = await letter.province.change(f"/v1/facilities/{facility['id']}", json=OF_NOVEMBER)
    assert changed.status_code == 200, changed.text
    then = letter.directives["1742"]["changed_at"]
    assert (await of_facility(letter, facility))["C"]["due_state"] == "open"
    obligation = (await letter.client.get("/v1/obligations")).json()["items"][-1]
    as_it_was = await of_facility(letter, facility, as_of=obligation["changed_at"])
    assert {code: one["due_state"] for code, one in as_it_was.items()} == {"C": "overdue"}
    assert wrong["C"]["due_before"] == as_it_was["C"]["due_before"]
    assert await of_facility(letter, facility, as_of=then) == {}


async def test_duty_time_of_a_closed_facility_is_over(letter: Letter) -> None:
    facility = await letter.province.facility(**BEFORE)
    await two(letter)
    assert list(await of_facility(letter, facility)) == ["C"]
    closed = await letter.province.change(f"/v1/facilities/{facility['id']}", json={"status": "closed"})
    assert closed.status_code == 200, closed.text
    assert await of_facility(letter, facility) == {}


@pytest.mark.parametrize(
    ("paper", "state", "done_at"),
    [
        ({"appointment_document": "15/QĐ", "appointment_signed_on": "2021-05-08"}, "done", "2021-05-07T17:00:00Z"),
        ({"appointment_document": "QĐ 15/QĐ-TH"}, "done_late", None),
        ({}, "done_late", None),
    ],
)
async def test_duty_time_of_a_focal_point_is_that_of_its_paper_or_of_its_entry(
    letter: Letter, paper: dict[str, Any], state: str, done_at: str | None
) -> None:
    """A first day in office that lies back makes nothing done in time (R17)."""
    facility = await letter.province.facility(**BEFORE)
    await letter.obligation(code="D", kind="focal_point")
    assert (await of_facility(letter, facility))["D"]["due_state"] == "overdue"
    named = await letter.province.post("/v1/focal-points", officer(facility, **paper))
    found = (await of_facility(letter, facility))["D"]
    assert found["due_state"] == state
    assert found["done_at"][:19] == (done_at or named["created_at"])[:19]
    before = letter.directives["1742"]["changed_at"]
    assert await of_facility(letter, facility, as_of=before) == {}


async def test_duty_time_of_a_focal_point_ends_with_its_last_day_in_office(letter: Letter) -> None:
    facility = await letter.province.facility(**BEFORE)
    await letter.obligation(code="D", kind="focal_point")
    await letter.province.post("/v1/focal-points", officer(facility, valid_to="2021-06-01"))
    assert (await of_facility(letter, facility))["D"]["due_state"] == "overdue"
    await letter.province.post("/v1/focal-points", officer(facility))
    assert (await of_facility(letter, facility))["D"]["due_state"] == "done_late"


def officer(facility: dict[str, Any], **given: Any) -> dict[str, Any]:
    return {
        "facility_id": facility["id"],
        "full_name": "Nguyễn Thị Mẫu",
        "position": "Trưởng trạm",
        "phone": "0233 000 001",
        "valid_from": "2021-05-07",
        **given,
    }
