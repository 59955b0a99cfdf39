"""Visits with epidemic safety, the workload of teams, and inspections every fifteen days (R14, R16, R21, R24)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest_asyncio
from sqlalchemy import text

from vonggac.testing import eventually

if TYPE_CHECKING:
    import httpx
    from services.inventory.tests.api.mandate.conftest import Letter
    from sqlalchemy import Engine

SAFE = {
    "briefed_by": "Trưởng khu cách ly",
    "briefed_at": "2021-05-08T08:00:00+07:00",
    "briefing_document": "12/TYT",
    "briefing_signed_on": "2021-05-08",
    "briefing_file": "12-TYT.pdf",
    "rules_acknowledged": ["BCĐ Quốc gia 2021-05-05"],
    "health_declared": True,
}
INSIDE = {"entered_at": "2021-05-08T08:10:00+07:00", "left_at": "2021-05-08T09:30:00+07:00", "tools_disinfected": True}


@pytest_asyncio.fixture
async def team(letter: Letter) -> dict[str, Any]:
    return await letter.province.post("/v1/teams", {"code": "VT-01", "name": "Tổ 1", "agency_id": letter.lead["id"]})


async def visit(letter: Letter, team: dict[str, Any], **given: Any) -> str:
    body = {
        "facility_id": (await letter.province.facility())["id"],
        "team_id": team["id"],
        "purpose": "survey",
        "planned_from": "2021-05-08T08:00:00+07:00",
        "planned_to": "2021-05-08T10:00:00+07:00",
    }
    return f"/v1/visits/{(await letter.province.post('/v1/visits', body | given))['id']}"


async def test_nobody_enters_before_briefing_acknowledgement_and_declaration(
    letter: Letter, team: dict[str, Any]
) -> None:
    path = await visit(letter, team)
    refused = await letter.do(f"{path}/transitions", {"to": "in_progress", "reason": "vội"})
    assert (refused.status_code, refused.json()["code"]) == (409, "transition_not_allowed")
    for missing in ("briefed", "acknowledged", "health"):
        assert missing in refused.json()["detail"]
    assert (await letter.province.change(path, json=SAFE)).status_code == 200
    begun = await letter.do(f"{path}/transitions", {"to": "in_progress"})
    assert (begun.status_code, begun.json()["status"]) == (200, "in_progress")
    early = await letter.do(f"{path}/transitions", {"to": "done"})
    assert "disinfected" in early.json()["detail"]
    await letter.province.change(path, json=INSIDE | {"zones": ["Hành lang tầng 1"], "protection": ["mask", "gown"]})
    done = (await letter.do(f"{path}/transitions", {"to": "done"})).json()
    assert (done["status"], done["zones"], done["protection"]) == ("done", ["Hành lang tầng 1"], ["mask", "gown"])
    final = await letter.do(f"{path}/transitions", {"to": "planned"})
    assert final.json()["detail"].endswith("allowed: nothing, it is final")


async def test_what_a_visit_needed_for_where_it_stands_stays_on_record(letter: Letter, team: dict[str, Any]) -> None:
    path = await visit(letter, team, **SAFE)
    change = letter.province.change
    assert (await change(path, json={"health_declared": False})).status_code == 200
    assert (await change(path, json={"health_declared": True})).status_code == 200
    assert (await letter.do(f"{path}/transitions", {"to": "in_progress"})).status_code == 200
    unsaid = [{"health_declared": False}, {"briefed_by": None, "briefed_at": None}, {"rules_acknowledged": []}]
    for body in unsaid:
        refused = await change(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "closed"), refused.text
    corrected = await change(path, json={"briefed_by": "Bác sĩ trực", "briefed_at": "2021-05-08T07:55:00+07:00"})
    assert corrected.status_code == 200
    assert (await change(path, json=INSIDE)).status_code == 200
    assert (await letter.do(f"{path}/transitions", {"to": "done"})).status_code == 200
    for body in (*unsaid, {"tools_disinfected": False}, {"entered_at": None, "left_at": None}):
        assert (await change(path, json=body)).status_code == 409
    assert (await change(path, json={"note": "Đã bàn giao"})).status_code == 200


async def test_a_team_that_goes_in_again_is_briefed_again(letter: Letter, team: dict[str, Any]) -> None:
    path = await visit(letter, team, **SAFE, entered_at=INSIDE["entered_at"], obstruction="Cổng khóa")
    assert (await letter.do(f"{path}/transitions", {"to": "in_progress"})).status_code == 200
    assert (await letter.do(f"{path}/transitions", {"to": "obstructed"})).status_code == 200
    again = (await letter.do(f"{path}/transitions", {"to": "planned", "reason": "hẹn lại"})).json()
    assert {name: again[name] for name in SAFE if not name.startswith("briefing_")} == {
        "briefed_by": None, "briefed_at": None, "rules_acknowledged": [], "health_declared": False,
    }  # fmt: skip
    assert [again[name] for name in SAFE if name.startswith("briefing_")] == [None] * 3
    assert again["entered_at"] is None
    refused = await letter.do(f"{path}/transitions", {"to": "in_progress"})
    assert (refused.status_code, refused.json()["code"]) == (409, "transition_not_allowed")
    later = SAFE | {"briefed_at": "2021-05-20T08:00:00+07:00"}
    assert (await letter.province.change(path, json=later)).status_code == 200
    assert (await letter.do(f"{path}/transitions", {"to": "in_progress"})).status_code == 200


async def test_a_team_that_another_facility_keeps_away_does_not_go_in(letter: Letter, team: dict[str, Any]) -> None:
    """It is isolated after its work, R16."""
    kept = await visit(letter, team, available_from="2999-05-29")
    again = (await letter.client.get(kept)).json()
    elsewhere, remote = await visit(letter, team, **SAFE), await visit(letter, team, **SAFE, remote=True)
    same = await visit(letter, team, **SAFE, planned_from="2021-05-08T07:30:00+07:00", facility_id=again["facility_id"])

    async def go_in(path: str) -> httpx.Response:
        return await letter.do(f"{path}/transitions", {"to": "in_progress"})

    refused = await go_in(elsewhere)
    assert (refused.status_code, refused.json()["code"]) == (409, "transition_not_allowed")
    assert "available_from" in refused.json()["detail"]
    assert "còn giữ đoàn" in refused.json()["detail_vi"]
    assert [(await go_in(path)).status_code for path in (remote, same)] == [200, 200]
    assert (await letter.province.change(kept, json={"available_from": "2021-05-29"})).status_code == 200
    assert (await go_in(elsewhere)).status_code == 200


async def test_an_obstructed_visit_blocks_its_facility_until_it_is_planned_anew(
    letter: Letter, team: dict[str, Any]
) -> None:
    path = await visit(letter, team, obstruction="Cổng khóa")
    facility = (await letter.client.get(path)).json()["facility_id"]

    async def blocked() -> list[tuple[str, str | None, bool]]:
        answer = await letter.client.get("/v1/blocked-reasons", params={"facility_id": facility})
        return [(one["kind"], one["text"], one["valid_to"] is None) for one in answer.json()["items"]]

    assert await blocked() == []
    assert (await letter.do(f"{path}/transitions", {"to": "obstructed"})).status_code == 200
    said = "Cản trở lượt làm việc ngày 08/5/2021: Cổng khóa"
    assert await blocked() == [("non_cooperation", said, True)]
    assert (await letter.do(f"{path}/transitions", {"to": "planned", "reason": "hẹn lại"})).status_code == 200
    assert await blocked() == [("non_cooperation", said, False)]


async def test_the_workload_of_a_team_is_planned_against_actual(letter: Letter, team: dict[str, Any]) -> None:
    done = await visit(letter, team, **SAFE, **INSIDE)
    await letter.do(f"{done}/transitions", {"to": "in_progress"})
    await letter.do(f"{done}/transitions", {"to": "done"})
    blocked = await visit(letter, team, obstruction="Cổng khóa")
    await letter.do(f"{blocked}/transitions", {"to": "obstructed"})
    late = {"planned_from": "2021-05-08T23:30:00+07:00", "planned_to": "2021-05-09T01:00:00+07:00"}
    await visit(letter, team, **late)
    await visit(letter, team, planned_from="2021-05-08T17:00:00Z", planned_to="2021-05-08T18:00:00Z")
    parameters = {"first_day": "2021-05-08", "last_day": "2021-05-09"}
    answer = (await letter.client.get("/v1/team-workload", params=parameters)).json()["items"]
    counts = {one["day"]: tuple(one[name] for name in ("planned", "done", "obstructed")) for one in answer}
    assert counts == {"2021-05-08": (3, 1, 1), "2021-05-09": (1, 0, 0)}
    wrong = await letter.client.get("/v1/team-workload", params={"first_day": "2021-05-09", "last_day": "2021-05-08"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "last_day")


async def test_a_facility_is_due_fifteen_days_after_its_last_inspection(letter: Letter) -> None:
    province = letter.province
    seen = await province.facility(valid_from="2021-05-07")
    never = await province.facility(valid_from="2021-05-07")
    await province.facility(status="planned")
    body = {"facility_id": seen["id"], "inspected_on": "2021-05-20", "agency_id": letter.lead["id"]}
    made = await province.post("/v1/inspections", body | {"findings": [{"text": "Thiếu camera cổng"}]})
    assert made["findings"] == [{"text": "Thiếu camera cổng", "mend_by": None, "mended_on": None}]

    async def due(**query: str) -> dict[str, tuple[str, int]]:
        items = (await letter.client.get("/v1/due-inspections", params=query)).json()["items"]
        return {one["facility_code"]: (one["due_on"], one["overdue_days"]) for one in items}

    assert await due(on="2021-06-05") == {seen["code"]: ("2021-06-04", 1), never["code"]: ("2021-05-22", 14)}
    assert await due(on="2021-06-04", overdue_only="true") == {never["code"]: ("2021-05-22", 13)}
    await letter.obligation(code="KT", kind="inspection", every_days=7, facility_ids=[seen["id"]], due_before=None)
    assert (await due(on="2021-06-05"))[seen["code"]] == ("2021-05-27", 9)


async def test_an_inspection_to_come_puts_off_none(letter: Letter) -> None:
    facility = await letter.province.facility()
    body = {"facility_id": facility["id"], "inspected_on": "2999-05-20", "agency_id": letter.lead["id"]}
    refused = await letter.client.post("/v1/inspections", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "inspected_on")


async def test_a_facility_registered_while_the_due_inspections_are_read_is_no_error(
    letter: Letter, superuser: Engine
) -> None:
    province = letter.province
    await province.facility(valid_from="2021-05-07")
    with superuser.connect() as blocking:
        blocking.execute(text("lock table obligations in access exclusive mode"))
        reading = asyncio.create_task(letter.client.get("/v1/due-inspections", params={"on": "2021-06-05"}))

        async def is_waiting() -> bool:
            with superuser.connect() as other:
                query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like :asked"
                return bool(other.scalar(text(query), {"asked": "%every_days%"}))

        await eventually(is_waiting)
        await province.facility(valid_from="2021-05-07")
        blocking.rollback()
    answer = await reading
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["items"]) == 1
