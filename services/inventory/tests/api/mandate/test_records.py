"""Requests for information, maintenance windows, journal entries, blocked reasons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, text

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.conftest import Letter
    from services.inventory.tests.conftest import Province

    from inventory.settings import Settings

type Hours = Callable[[float], str]
PAPER = {
    "signed_on": "2021-05-08", "document_number": "7/TYT", "document_file": "7-TYT.pdf", "document_sha256": "0" * 64,
}  # fmt: skip
QUESTIONS = [{"key": "dau-ghi", "text": "Đầu ghi?"}, {"key": "ghi-chu", "text": "Ghi chú?", "required": False}]


async def request(letter: Letter) -> str:
    facility = await letter.province.facility()
    body = {"code": "CCTT-1", "name": "Hiện trạng", "facility_id": facility["id"], "questions": QUESTIONS}
    return f"/v1/information-requests/{(await letter.province.post('/v1/information-requests', body))['id']}"


async def test_a_request_is_sent_answered_and_accepted(letter: Letter) -> None:
    path = await request(letter)
    early = await letter.do(f"{path}/answers", {"answers": {"dau-ghi": "8 kênh"}, **PAPER})
    assert (early.status_code, early.json()["code"]) == (409, "not_open")
    assert (await letter.do(f"{path}/transitions", {"to": "sent"})).status_code == 200
    missing = await letter.do(f"{path}/transitions", {"to": "answered"})
    assert "every required question has an answer" in missing.json()["detail"]
    unknown = await letter.do(f"{path}/answers", {"answers": {"ups": "30 phút"}, **PAPER})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "answers")
    answered = await letter.do(f"{path}/answers", {"answers": {"dau-ghi": "8 kênh"}, **PAPER})
    assert [(one["key"], one["text"]) for one in answered.json()["answers"]] == [("dau-ghi", "8 kênh")]
    for state in ("answered", "accepted"):
        moved = await letter.do(f"{path}/transitions", {"to": state})
        assert moved.json()["status"] == state


async def test_questions_stay_as_they_were_sent(letter: Letter) -> None:
    path = await request(letter)
    more = [*QUESTIONS, {"key": "ups", "text": "UPS?"}]
    assert (await letter.province.change(path, json={"questions": more})).status_code == 200
    await letter.do(f"{path}/transitions", {"to": "sent"})
    refused = await letter.province.change(path, json={"questions": QUESTIONS})
    assert (refused.status_code, refused.json()["code"]) == (409, "already_sent")
    assert (await letter.province.change(path, json={"name": "Hiện trạng camera"})).status_code == 200


async def window(province: Province, soon: Hours, **given: Any) -> Any:
    body = {"starts_at": soon(1), "ends_at": soon(3), "purpose": "thay nguồn"}
    if "camera_id" not in given:
        given["facility_id"] = (await province.facility())["id"]
    return await province.client.post("/v1/maintenance-windows", json=body | given)


async def test_a_window_is_agreed_beforehand_and_cancelled_to_nothing(letter: Letter, soon: Hours) -> None:
    made = (await window(letter.province, soon)).json()
    assert made["agreed_by"].startswith("test-")
    path = f"/v1/maintenance-windows/{made['id']}"
    cut = await letter.do(f"{path}/cancel", {}, reason="hoãn")
    assert (cut.status_code, cut.json()["ends_at"]) == (200, made["starts_at"])
    again = await letter.do(f"{path}/cancel", {})
    assert (again.status_code, again.json()["code"]) == (409, "maintenance_over")


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (-3, -1)])
async def test_a_window_that_would_excuse_an_outage_afterwards_is_declared_alone(
    province: Province, soon: Hours, start: float, end: float
) -> None:
    answer = await window(province, soon, starts_at=soon(start), ends_at=soon(end))
    assert (answer.status_code, answer.json()["agreed"], answer.json()["agreed_by"]) == (201, False, None)


async def test_a_window_that_has_not_begun_is_not_moved_into_the_past(province: Province, soon: Hours) -> None:
    made = (await window(province, soon)).json()
    refused = await province.change(f"/v1/maintenance-windows/{made['id']}", json={"starts_at": soon(-1)})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "starts_at")
    assert "beforehand" in refused.json()["errors"][0]["message"]


async def test_a_window_of_an_unknown_camera_is_refused(province: Province, soon: Hours) -> None:
    answer = await window(province, soon, camera_id=str(uuid4()))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "camera_id")


async def test_a_running_window_can_be_cut_short_and_nothing_else(
    letter: Letter, soon: Hours, settings: Settings
) -> None:
    made = (await window(letter.province, soon)).json()
    begun = datetime.now(UTC) - timedelta(hours=1)
    engine = create_engine(settings.database_url.get_secret_value(), poolclass=NullPool)
    with engine.begin() as connection:
        move = "update maintenance_windows set starts_at = :begun, created_at = :before"
        connection.execute(text(move), {"begun": begun, "before": begun - timedelta(hours=1)})
    engine.dispose()
    path = f"/v1/maintenance-windows/{made['id']}"
    for change, field in ((soon(9), "ends_at"), (soon(-0.5), "ends_at")):
        refused = await letter.province.change(path, json={field: change})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    moved = await letter.province.change(path, json={"starts_at": soon(1), "ends_at": soon(2)})
    assert moved.json()["errors"][0]["field"] == "starts_at"
    assert (await letter.province.change(path, json={"ends_at": soon(2)})).status_code == 200
    cut = (await letter.do(f"{path}/cancel", {})).json()
    assert cut["ends_at"] == cut["cancelled_at"] < soon(2)


async def test_a_window_keeps_its_line(province: Province, soon: Hours) -> None:
    made = (await window(province, soon)).json()
    answer = await province.remove(f"/v1/maintenance-windows/{made['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "cancel_instead")


async def test_a_note_is_never_changed_and_never_removed(province: Province) -> None:
    facility = await province.facility()
    body = {"about_noun": "facility", "about_id": facility["id"], "text": "Gọi lần 1\nGọi lần 2"}
    made = await province.post("/v1/journal-entries", body)
    assert (made["text"], made["written_by"][:5]) == ("Gọi lần 1\nGọi lần 2", "test-")
    path = f"/v1/journal-entries/{made['id']}"
    headers = {"If-Match": made["etag"]}
    assert (await province.client.patch(path, json={"text": "?"}, headers=headers)).status_code == 405
    assert (await province.client.delete(path, headers=headers)).status_code == 405
    of_facility = {"about_noun": "facility", "about_id": facility["id"]}
    listed = (await province.client.get("/v1/journal-entries", params=of_facility)).json()["items"]
    assert [one["id"] for one in listed] == [made["id"]]


@pytest.mark.parametrize(
    ("given", "field"),
    [({"about_noun": "ghost"}, "about_noun"), ({"about_id": str(uuid4())}, "about_id"), ({"text": " "}, "text")],
)
async def test_a_note_on_nothing_is_refused(province: Province, given: dict[str, Any], field: str) -> None:
    body = {"about_noun": "facility", "about_id": (await province.facility())["id"], "text": "Đã gọi"}
    answer = await province.client.post("/v1/journal-entries", json=body | given)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_facility_is_blocked_for_its_days_with_a_reason_of_the_list(province: Province) -> None:
    facility = (await province.facility())["id"]
    body = {"facility_id": facility, "kind": "security_lock", "valid_from": "2021-05-09", "valid_to": "2021-05-12"}
    made = await province.post("/v1/blocked-reasons", body)
    for day, expected in (("2021-05-12", [made["id"]]), ("2021-05-13", [])):
        listed = (await province.client.get("/v1/blocked-reasons", params={"valid_on": day})).json()["items"]
        assert [one["id"] for one in listed] == expected
    for wrong in ({"kind": "bad_luck"}, {"kind": "other"}, {"valid_to": "2021-05-08"}):
        assert (await province.client.post("/v1/blocked-reasons", json=body | wrong)).status_code == 422
