"""Obligations over HTTP: the letter's deadline to the millisecond, evidence, waivers, and the calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from ical.calendar_stream import IcsCalendarStream
from services.reporting.tests.stage.letter import DEADLINE, LAST, Letter, may

from vonggac.events.inventory import (
    DeadlineV1,
    EarlierUnit,
    FacilityStatus,
    ObligationStatus,
    PlanStatus,
    ProposalStatus,
    RemovedV1,
    UnitV1,
)
from vonggac.sufficiency import REQUIRED_AREAS

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

AFTER = "2021-05-10T08:00:00+07:00"


async def read(client: Client, path: str = "/v1/obligations", **asked: Any) -> dict[str, Any]:
    answer = await client.get(path, params={"as_of": AFTER, **asked})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_an_answer_is_as_old_as_its_reader_accepts_and_says_of_when_it_is(
    client: Client, ingest: Ingest, province: Province
) -> None:
    async def ask(**asked: Any) -> tuple[str, list[str]]:
        body = (await client.get("/v1/obligations", params=asked)).json()
        return body["as_of"], [one["code"] for one in body["items"]]

    letter = Letter(province)
    facility, first, second = (
        letter.facility("A"),
        letter.obligation("A-1", "report"),
        letter.obligation("A-2", "report"),
    )
    await province.feed(ingest, *letter.base(), letter.stated("facility", facility), letter.stated("obligation", first))
    before = await ask(max_age_s=60)
    assert before[1] == ["A-1"]
    await province.feed(ingest, letter.stated("obligation", second))
    assert await ask(max_age_s=60) == before
    now = await ask()
    assert now[0] > before[0]
    assert now[1] == ["A-1", "A-2"]
    assert (await ask(max_age_s=60, soon_days=30))[1] == ["A-1", "A-2"]
    assert (await ask(max_age_s=60, as_of=now[0]))[1] == ["A-1", "A-2"]
    assert (await ask(max_age_s=60, facility="A"))[1] == []
    assert (await client.get("/v1/obligations", params={"max_age_s": 61})).status_code == 422


@pytest.mark.parametrize(("agreed_at", "state"), [(LAST, "done"), (DEADLINE, "done_late")])
async def test_a_plan_agreed_at_the_first_instant_of_10_5_is_late_and_one_a_millisecond_earlier_is_not(
    client: Client, ingest: Ingest, province: Province, agreed_at: datetime, state: str
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    survey, plan = letter.survey(facility, may(8)), letter.plan(facility, agreed_at, cameras=["A-C01"])
    duty = letter.obligation("NV-1742-A", "survey_and_plan", with_cameras=True)
    things = {"facility": facility, "camera": letter.camera(facility, "A-C01"), "survey": survey}
    things |= {"connection_plan": plan, "obligation": duty}
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things.items()))
    page = await read(client)
    (item,) = page["items"]
    assert (item["state"], datetime.fromisoformat(item["done_at"])) == (state, agreed_at)
    assert item["late_s"] == (0.0 if state == "done_late" else None)
    assert (item["directive"], item["responsible"]["code"]) == ("1742/UBND-VX", "STTTT")
    assert item["due_before"] == "2021-05-10T00:00:00+07:00"
    assert [(one["kind"], one["code"], datetime.fromisoformat(one["at"])) for one in item["evidence"]] == [
        ("survey", "KS-A", may(8)),
        ("connection_plan", "PA-A", agreed_at),
    ]
    assert page["by_state"][state] == 1
    (before,) = (await read(client, as_of=LAST.isoformat()))["items"]
    assert before["state"] == ("done" if agreed_at == LAST else "due_soon")


async def test_what_is_owed_in_a_unit_is_owed_in_the_one_that_follows_it(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    (unit,) = [one.data for one in letter.base() if one.subject.startswith("unit/")]
    assert isinstance(unit, UnitV1)
    ended = letter.later(unit, may(20), valid_to=date(2021, 5, 31))
    follows = {"id": uuid4(), "code": "19429", "changed_at": may(20), "created_at": may(20)}
    after = unit.model_copy(update={**follows, "succeeds": (EarlierUnit(unit_id=unit.id, kind="merged"),)})
    facility = letter.facility("A")
    moved = letter.later(facility, may(32), unit_id=after.id)
    duty = letter.obligation("NV-1742-B", "connection", unit_id=unit.id)
    things = [("unit", ended), ("unit", after), ("facility", facility), ("facility", moved), ("obligation", duty)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    for instant in (AFTER, "2021-06-02"):
        assert [one["state"] for one in (await read(client, as_of=instant))["items"]] == ["overdue"], instant


@pytest.mark.parametrize(
    ("since", "until", "state"),
    [
        (may(9, 23), may(10, 6), "done"),
        (may(10, 0), may(10, 6), "done_late"),
        (may(9, 23), may(9, 23.15), "overdue"),
    ],
)
async def test_a_connection_counts_from_its_first_ten_unbroken_minutes(
    client: Client, ingest: Ingest, province: Province, since: datetime, until: datetime, state: str
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    cameras = [letter.camera(facility, code) for code in ("A-C01", "A-C02")]
    facts = [one for camera in cameras for one in letter.connected(camera, since, until)]
    things = [letter.stated("facility", facility), *(letter.stated("camera", one) for one in cameras)]
    duty = letter.stated("obligation", letter.obligation("NV-1742-B", "connection"))
    await province.feed(ingest, *letter.base(), *things, duty, *facts)
    (item,) = (await read(client))["items"]
    assert item["state"] == state
    assert item["done_at"] == (None if state == "overdue" else since.isoformat(timespec="seconds"))
    assert item["late_s"] == {"done": None, "done_late": 0.0, "overdue": 8 * 3600.0}[state]


async def test_a_camera_of_another_public_area_that_is_removed_makes_no_connection_late(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    gate, other = letter.camera(facility, "A-C01"), letter.camera(facility, "A-C02", area="other_public")
    gone = RemovedV1(id=other.id, noun="camera", revision=2, removed_at=may(12))
    things: list[tuple[str, Any]] = [("facility", facility), ("camera", gate), ("camera", other), ("camera", gone)]
    things.append(("obligation", letter.obligation("NV-1742-B", "connection")))
    facts = letter.connected(gate, may(9, 22), may(13))
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things), *facts)
    for instant in (AFTER, "2021-05-12T12:00:00+07:00"):
        (item,) = (await read(client, as_of=instant))["items"]
        assert (item["state"], datetime.fromisoformat(item["done_at"])) == ("done", may(9, 22)), instant


async def test_a_facility_without_cameras_is_connected_to_nothing(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("C")
    duties = [letter.obligation("NV-1742-B", "connection"), letter.obligation("NV-1742-C", "proposal", due_before=None)]
    proposal = letter.proposal(facility, may(9), "submitted")
    returned = letter.later(proposal, may(11), status=ProposalStatus.RETURNED, status_since=may(11))
    things: list[tuple[str, Any]] = [("facility", facility), *[("obligation", one) for one in duties]]
    things += [("installation_proposal", proposal), ("installation_proposal", returned)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    states = {one["code"]: one["state"] for one in (await read(client))["items"]}
    assert states == {"NV-1742-B": "overdue", "NV-1742-C": "done"}
    later = {one["code"]: one["state"] for one in (await read(client, as_of="2021-05-12"))["items"]}
    # What was submitted stays submitted on its day, though it was returned.
    assert later == {"NV-1742-B": "overdue", "NV-1742-C": "done"}


@pytest.mark.parametrize(
    ("inspected_on", "state"),
    [((), "overdue"), ((8, 10), "done"), ((10,), "done_late"), ((-5,), "overdue")],
)
async def test_an_inspection_that_is_due_once_is_done_by_the_first_one_and_by_none_without_one(
    client: Client, ingest: Ingest, province: Province, inspected_on: tuple[int, ...], state: str
) -> None:
    letter = Letter(province)
    facility, duty = letter.facility("A"), letter.obligation("NV-1742-D", "inspection")
    made = [letter.inspection(facility, may(day).date()) for day in inspected_on]
    things: list[tuple[str, Any]] = [("facility", facility), ("obligation", duty)]
    things += [("inspection", one) for one in made]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    (item,) = (await read(client, as_of="2021-05-11"))["items"]
    in_time = inspected_on[0] if state.startswith("done") else None
    assert (item["state"], item["done_at"]) == (state, in_time and may(in_time).isoformat(timespec="seconds"))
    (evidence,) = item["evidence"]
    assert (evidence["kind"], evidence["id"]) == ("inspection", str(made[0].id) if in_time else None)


async def test_a_waived_obligation_says_who_waived_it_and_why_from_then_on(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility, duty = letter.facility("A"), letter.obligation("NV-1742-B", "connection")
    waived = letter.later(
        duty, may(10, 4), status=ObligationStatus.WAIVED, settled_by="lead", settled_reason="cơ sở chỉ dùng dự phòng"
    )
    things = [("facility", facility), ("obligation", duty), ("obligation", waived)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    (item,) = (await read(client))["items"]
    assert (item["state"], item["settled_by"], item["settled_why"]) == ("waived", "lead", "cơ sở chỉ dùng dự phòng")
    (before,) = (await read(client, as_of="2021-05-10T03:00:00+07:00"))["items"]
    assert (before["state"], before["settled_by"]) == ("overdue", None)


async def test_a_report_is_owed_once_for_the_province_and_done_by_the_registers_word(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    duty = letter.obligation("NV-1742-E", "report")
    done = letter.later(duty, may(10, 6), status=ObligationStatus.DONE, completed_at=may(9, 20), settled_by="lead")
    places = [letter.stated("facility", letter.facility(code)) for code in ("A", "B")]
    things = [letter.stated("obligation", one) for one in (duty, done)]
    await province.feed(ingest, *letter.base(), *places, *things)
    (item,) = (await read(client))["items"]
    assert (item["facility"], item["state"], item["settled_by"]) == (None, "done", "lead")
    assert [one["kind"] for one in item["evidence"]] == ["register"]
    (before,) = (await read(client, as_of="2021-05-10T05:00:00+07:00"))["items"]
    assert before["state"] == "overdue"
    assert (await read(client, "/v1/progress", as_of="2021-05-10T05:00:00+07:00"))["totals"]["overdue"] == 0
    assert (await read(client, facility="A"))["items"] == []


async def test_a_deadline_that_was_moved_keeps_its_first_one_in_sight(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility, duty = letter.facility("A"), letter.obligation("NV-1742-B", "connection")
    entry = DeadlineV1(due_before=may(20), set_at=may(11), set_by="lead", reason="thiếu thiết bị")
    moved = letter.later(duty, may(11), due_before=may(20), deadlines=(*duty.deadlines, entry))
    things = [("facility", facility), ("obligation", duty), ("obligation", moved)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    (before,) = (await read(client))["items"]
    (after,) = (await read(client, as_of="2021-05-12"))["items"]
    assert (before["state"], before["first_due_before"]) == ("overdue", None)
    assert (after["state"], after["due_before"][:10], after["first_due_before"][:10]) == (
        "open", "2021-05-20", "2021-05-10",
    )  # fmt: skip
    soon = (await read(client, as_of="2021-05-12", soon_days="9"))["by_state"]
    assert (soon["due_soon"], soon["open"]) == (1, 0)


async def test_closing_a_facility_ends_its_obligations(client: Client, ingest: Ingest, province: Province) -> None:
    """R23."""
    letter = Letter(province)
    facility, duty = letter.facility("A"), letter.obligation("NV-1742-D", "focal_point")
    closed = letter.later(facility, may(11), status=FacilityStatus.CLOSED)
    things = [("facility", facility), ("facility", closed), ("obligation", duty)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    assert [one["state"] for one in (await read(client))["items"]] == ["overdue"]
    assert (await read(client, as_of="2021-05-12"))["items"] == []


async def test_coverage_counts_from_when_the_cameras_first_sufficed(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility, duty = letter.facility("A"), letter.obligation("NV-4403-A", "coverage")
    camera = letter.camera(facility, "A-C01", may(9, 12))
    verdicts = [letter.coverage(facility, area, "not_applicable", may(8)) for area in REQUIRED_AREAS if area != "gate"]
    things: list[tuple[str, Any]] = [("facility", facility), ("obligation", duty), ("camera", camera)]
    things += [("coverage", one) for one in verdicts]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    (item,) = (await read(client))["items"]
    assert (item["state"], datetime.fromisoformat(item["done_at"])) == ("done", may(9, 12))
    moved = letter.later(camera, may(12), area="other_public")
    await province.feed(ingest, letter.stated("camera", moved))
    (later,) = (await read(client, as_of="2021-05-13"))["items"]
    assert later["state"] == "overdue"


async def test_a_plan_replaced_by_another_was_agreed_all_the_same(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """The bus keeps the newest state of a version: when it was agreed stands in it."""
    letter = Letter(province)
    facility, duty = letter.facility("A"), letter.obligation("NV-1742-A", "survey_and_plan")
    first = letter.plan(
        facility, may(12), status=PlanStatus.SUPERSEDED.value, agreed_at=may(9), revision=5, created_at=may(8)
    )
    second = letter.plan(facility, may(12), version=2)
    things: list[tuple[str, Any]] = [
        ("facility", facility),
        ("obligation", duty),
        ("survey", letter.survey(facility, may(8))),
    ]
    things += [("connection_plan", first), ("connection_plan", second)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    (item,) = (await read(client))["items"]
    assert (item["state"], datetime.fromisoformat(item["done_at"])) == ("done", may(9))
    board = await read(client, "/v1/progress")
    assert board["totals"]["plan_agreed"] == 1


async def test_pages_follow_one_another_without_a_row_twice(client: Client, ingest: Ingest, province: Province) -> None:
    letter = Letter(province)
    places = [letter.stated("facility", letter.facility(f"F{number}")) for number in range(5)]
    duties = [letter.obligation("NV-A", "focal_point", due_before=None), letter.obligation("NV-B", "connection")]
    await province.feed(ingest, *letter.base(), *places, *(letter.stated("obligation", one) for one in duties))
    seen, asked = [], {"limit": "3"}
    while True:
        page = await read(client, **asked)
        seen += [(one["code"], one["facility"]["code"]) for one in page["items"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert seen == [(code, f"F{number}") for code in ("NV-B", "NV-A") for number in range(5)]


async def test_the_calendar_is_read_by_another_parser_and_names_the_last_day_in_time(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("A", name="Trường; có, dấu\\ phẩy")
    noon = may(12, 12)
    duties = [
        letter.obligation("NV-1742-B", "connection"),
        letter.obligation("NV-NOON", "focal_point", due_before=noon),
        letter.obligation("NV-NONE", "proposal", due_before=None),
        letter.obligation("NV-DONE", "survey_and_plan"),
        letter.obligation("NV-15", "inspection", due_before=None, every_days=10),
    ]
    things: list[tuple[str, Any]] = [("facility", facility), *[("obligation", one) for one in duties]]
    things += [("survey", letter.survey(facility, may(8))), ("connection_plan", letter.plan(facility, may(8)))]
    things += [("inspection", letter.inspection(facility, date(2021, 5, 4)))]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    answer = await client.get("/v1/obligations.ics", params={"as_of": AFTER})
    assert answer.headers["content-type"].startswith("text/calendar")
    again = await client.get("/v1/obligations.ics", params={"as_of": AFTER})
    assert again.content == answer.content
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    read_back = IcsCalendarStream.calendar_from_ics(answer.text)
    events = {str(one.summary): one for one in read_back.events}
    assert events.keys() == {"Hạn: Nghĩa vụ NV-1742-B", "Hạn: Nghĩa vụ NV-NOON", "Kiểm tra A Trường; có, dấu\\ phẩy"}
    connection = events["Hạn: Nghĩa vụ NV-1742-B"]
    assert (connection.dtstart, connection.dtend) == (date(2021, 5, 9), date(2021, 5, 10))
    assert "Trước: 00:00 10/05/2021" in str(connection.description)
    assert "A Trường; có, dấu\\ phẩy (quá hạn)" in str(connection.description)
    assert connection.uid == f"obligation-{duties[0].id}@vonggac"
    start: Any = events["Hạn: Nghĩa vụ NV-NOON"].dtstart
    assert start == noon
    (at_noon,) = (part for part in answer.text.split("BEGIN:VEVENT") if "NV-NOON" in part)
    assert "DTEND" not in at_noon, "an end has to be later than the beginning"
    inspection = events["Kiểm tra A Trường; có, dấu\\ phẩy"]
    assert inspection.dtstart == date(2021, 5, 4) + timedelta(days=10)
