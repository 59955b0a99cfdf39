"""A briefing, a survey, an entry, an agency's word: nothing that is to come is on record (R03, R04, R16)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

SAFE = {
    "briefed_by": "Trưởng khu cách ly",
    "briefed_at": "2021-05-08T08:00:00+07:00",
    "briefing_document": "12/TYT",
    "briefing_signed_on": "2021-05-08",
    "briefing_file": "12-TYT.pdf",
    "rules_acknowledged": ["BCĐ Quốc gia 2021-05-05"],
    "health_declared": True,
}


def tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


async def visit(field: Any, **given: Any) -> str:
    """The path of a visit to the facility."""
    operator = field.agencies["operator"]["id"]
    team = await field.province.post("/v1/teams", {"code": "VT-01", "name": "Tổ 1", "agency_id": operator})
    body = {"facility_id": field.facility["id"], "team_id": team["id"], "purpose": "survey"}
    body |= {"planned_from": "2021-05-08T08:00:00+07:00", "planned_to": "2021-05-08T10:00:00+07:00"}
    return f"/v1/visits/{(await field.province.post('/v1/visits', body | given))['id']}"


@pytest.mark.parametrize("field_name", ["briefed_at", "acknowledged_at", "surveyed_on"])
async def test_a_survey_records_nothing_that_is_to_come(field: Any, field_name: str) -> None:
    await field.prepare()
    path = f"/v1/surveys/{(await field.survey())['id']}"
    value = (
        (tomorrow() + timedelta(days=1)).date().isoformat() if field_name.endswith("_on") else tomorrow().isoformat()
    )
    refused = await field.try_change(path, {field_name: value})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field_name)
    assert "has not happened yet" in refused.text


async def test_a_phone_whose_clock_is_a_little_fast_is_believed(field: Any) -> None:
    await field.prepare()
    path = f"/v1/surveys/{(await field.survey())['id']}"
    paper = {name: SAFE[name] for name in SAFE if name.startswith("briefing_")}
    briefed = {"briefed_by": "An", "briefed_at": (datetime.now(UTC) + timedelta(minutes=2)).isoformat()}
    await field.change(path, briefed | paper)


@pytest.mark.parametrize("field_name", ["briefed_at", "entered_at", "left_at"])
async def test_a_visit_records_nothing_that_is_to_come(field: Any, field_name: str) -> None:
    await field.prepare()
    path = await visit(field, **SAFE, entered_at="2021-05-08T08:10:00+07:00")
    to_come = tomorrow().isoformat()
    times = {"entered_at": to_come} if field_name == "briefed_at" else {}
    refused = await field.try_change(path, times | {field_name: to_come})
    assert refused.status_code == 422
    assert "has not happened yet" in refused.text


async def test_an_agency_gives_its_word_today_at_the_latest(field: Any) -> None:
    await field.prepare()
    destination = await field.province.destination()
    body = field.plan_body(("QT-01-C01", destination["code"]))
    plan = await field.province.post("/v1/connection-plans", body)
    path = f"/v1/connection-plans/{plan['id']}"
    await field.move(path, "proposed")
    body = {"agency_id": field.agencies["operator"]["id"], "kind": "agreed", "given_by": "Phó Giám đốc"}
    body |= {"document": "12/BB", "document_file": "van-thu/12-BB.pdf"}
    body["given_on"] = (tomorrow() + timedelta(days=1)).date().isoformat()
    headers = {"If-Match": await field.province.etag(path)}
    refused = await field.client.post(f"{path}/consents", json=body, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "given_on")
