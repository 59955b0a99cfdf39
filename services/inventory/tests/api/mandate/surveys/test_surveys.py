"""Surveys through the API: every step, every refusal, the form, the attachments, the minutes."""

import hashlib
import io
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import docx
import httpx
import pytest

from vonggac.auth import Role

PLACE = b"16.8163N 107.1003E"
PHOTO = b"\xff\xd8\xff\xdb\x00\x04\x00\x01\xff\xda\x00\x04\x00\x01%s\xff\xd9"


def photo(number: int) -> bytes:
    """A JPEG by its structure, another one for each number."""
    return PHOTO % (bytes((number,)) * 2000)


def declaration(content: bytes, **given: Any) -> dict[str, Any]:
    """How a content is declared."""
    sha256 = hashlib.sha256(content).hexdigest()
    size = len(content)
    return {"sha256": sha256, "name": "anh.jpg", "media_type": "image/jpeg", "size_bytes": size} | given


def one(survey: dict[str, Any]) -> str:
    return f"/v1/surveys/{survey['id']}"


async def put_content(
    client: httpx.AsyncClient, survey: dict[str, Any], content: bytes, **given: Any
) -> httpx.Response:
    sha256 = declaration(content)["sha256"]
    headers = {"Content-Type": "image/jpeg", **given.get("headers", {})}
    return await client.put(f"{one(survey)}/attachments/{sha256}", content=given.get("sent", content), headers=headers)


async def test_a_survey_goes_from_not_started_to_approved(field: Any) -> None:
    await field.prepare()
    approved = await field.survey_approved()
    assert (approved["status"], approved["verdict"]) == ("approved", "needs_config")
    assert approved["approved_by"] is not None
    listed = await field.client.get("/v1/surveys", params={"status": "approved", "facility_id": field.facility["id"]})
    assert [each["id"] for each in listed.json()["items"]] == [approved["id"]]


async def test_every_step_is_refused_until_what_it_needs_is_there(
    field: Any, as_role: Callable[[Role], httpx.AsyncClient]
) -> None:
    await field.prepare()
    survey = await field.survey(lead_name=None)
    path = one(survey)

    async def refused(to: str, says: str, client: httpx.AsyncClient | None = None) -> None:
        answer = await field.try_move(path, to, client=client)
        assert (answer.status_code, answer.json()["code"]) == (409, "transition_not_allowed"), answer.text
        assert says in answer.json()["detail"]

    await refused("approved", "allowed: assigned")
    await refused("assigned", "lead_name")
    await field.change(path, {"lead_name": "Nguyễn Văn Mẫu"})
    await field.move(path, "assigned")
    await refused("scheduled", "scheduled_on")
    await field.change(path, {"scheduled_on": "2021-05-08"})
    await field.move(path, "scheduled")
    await refused("in_progress", "safety briefing")
    await field.brief(path)
    await field.move(path, "in_progress")
    await refused("submitted", "verdict and verdict_reason are given")
    await field.change(path, field.findings(participants=field.participants()[:2]))
    await refused("submitted", "Sở Y tế")
    await field.change(path, {"participants": field.participants()})
    await field.move(path, "submitted")
    late = await field.try_change(path, {"verdict_reason": "Khác"})
    assert (late.status_code, late.json()["code"]) == (409, "closed")
    forbidden = await field.try_move(path, "approved", client=as_role(Role.OPERATOR))
    assert (forbidden.status_code, "province lead" in forbidden.json()["detail"]) == (403, True)
    no_reason = await field.try_move(path, "returned")
    assert (no_reason.status_code, no_reason.json()["errors"][0]["field"]) == (422, "reason")
    returned = await field.move(path, "returned", "Thiếu ảnh góc nhìn")
    assert returned["briefed_by"] == "Trần Thị An"
    again = await field.move(path, "scheduled")
    assert (again["briefed_by"], again["acknowledged_at"]) == (None, None)
    await refused("in_progress", "safety briefing")


async def test_an_approved_survey_stays(field: Any) -> None:
    await field.prepare()
    approved = await field.survey_approved()
    change = await field.try_change(one(approved), {"note": "thêm"})
    remove = await field.province.remove(one(approved))
    assert [(each.status_code, each.json()["code"]) for each in (change, remove)] == [(409, "closed")] * 2


async def test_the_briefing_of_a_team_that_went_in_stays_on_record(field: Any) -> None:
    await field.prepare()
    survey = await field.survey_in_progress()
    for body in ({"briefed_by": None}, {"acknowledged_at": None}, {"rules_version": None}):
        refused = await field.try_change(one(survey), body)
        assert (refused.status_code, refused.json()["code"]) == (409, "closed"), refused.text
    await field.change(one(survey), {"briefed_by": "Bác sĩ trực"})
    await field.move(one(survey), "scheduled", "hẹn lại")
    assert (await field.client.get(one(survey))).json()["briefed_by"] is None


async def test_a_participant_of_an_unknown_agency_is_refused(field: Any) -> None:
    await field.prepare()
    survey = await field.survey()
    people = [{"full_name": "Ai đó", "agency_id": str(uuid4())}]
    answer = await field.try_change(one(survey), {"participants": people})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "participants")


async def test_the_form_is_offered_as_json_schema(field: Any) -> None:
    answer = await field.client.get("/v1/surveys/form.schema.json")
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json()["properties"]["areas"]["title"] == "Khu vực phải giám sát"
    known = {"If-None-Match": answer.headers["etag"]}
    assert (await field.client.get("/v1/surveys/form.schema.json", headers=known)).status_code == 304


@pytest.mark.parametrize("private", ["room", "toilet", "bathroom"])
async def test_a_private_area_is_refused_with_the_rule(field: Any, private: str) -> None:
    await field.prepare()
    survey = await field.survey()
    form = {"areas": [{"area": private, "coverage": "covered"}]}
    answer = await field.try_change(one(survey), {"form": form})
    assert answer.status_code == 422
    assert "4403/CV-BCĐ" in answer.text


async def test_a_submission_waits_for_its_attachments_and_is_then_submitted(field: Any) -> None:
    await field.prepare()
    survey = await field.survey_in_progress()
    contents = [photo(1), photo(2)]
    hashes = [declaration(content)["sha256"] for content in contents]
    path = f"{one(survey)}/submissions/{uuid4()}"
    sent = await field.client.put(path, json=field.findings(*contents))
    assert (sent.status_code, sent.json()["missing"], sent.json()["status"]) == (200, hashes, "in_progress"), sent.text
    first = await put_content(field.client, survey, contents[0])
    assert (first.status_code, first.json()["missing"]) == (200, hashes[1:]), first.text
    revision = (await field.client.get(one(survey))).json()["revision"]
    assert (await field.client.put(path, json=field.findings(*contents))).json()["missing"] == hashes[1:]
    assert (await put_content(field.client, survey, contents[0])).json()["missing"] == hashes[1:]
    assert (await field.client.get(one(survey))).json()["revision"] == revision
    second = await put_content(field.client, survey, contents[1])
    assert (second.json()["missing"], second.json()["status"]) == ([], "submitted")
    assert (await field.client.put(path, json=field.findings(*contents))).json()["status"] == "submitted"
    read = await field.client.get(f"{one(survey)}/attachments/{hashes[1]}")
    assert (read.content, read.headers["content-type"]) == (contents[1], "image/jpeg")
    assert read.headers["x-content-type-options"] == "nosniff"
    listed = (await field.client.get(f"{one(survey)}/attachments")).json()["items"]
    assert [(each["sha256"], each["received"]) for each in listed] == [(value, True) for value in hashes]


async def test_an_attachment_names_who_handed_it_in_by_name_and_post(field: Any, token_for: Callable[..., str]) -> None:
    await field.prepare()
    survey, contents = await field.survey_in_progress(), [photo(1), photo(2)]
    sent = await field.client.put(f"{one(survey)}/submissions/{uuid4()}", json=field.findings(*contents))
    assert sent.status_code == 200, sent.text
    token = token_for(Role.OPERATOR, subject="viettel-qt", name="Lê Quang Vinh", post="Tổ trưởng")
    given = await put_content(field.client, survey, contents[0], headers={"Authorization": f"Bearer {token}"})
    assert given.status_code == 200, given.text
    there, waiting = (await field.client.get(f"{one(survey)}/attachments")).json()["items"]
    assert (there["received_by"], there["named"]) == (
        "viettel-qt",
        {"received_by": {"name": "Lê Quang Vinh", "post": "Tổ trưởng"}},
    )
    assert there["received_at"] is not None
    assert (waiting["received"], waiting["received_by"], waiting["received_at"]) == (False, None, None)


async def test_every_page_of_the_attachments_says_what_was_received(field: Any) -> None:
    await field.prepare()
    survey = await field.survey_in_progress()
    contents = [photo(number) for number in range(1, 4)]
    sent = await field.client.put(f"{one(survey)}/submissions/{uuid4()}", json=field.findings(*contents))
    assert sent.status_code == 200, sent.text
    for content in contents[:2]:
        assert (await put_content(field.client, survey, content)).status_code == 200
    found, query = list[bool](), {"limit": "1"}
    while len(found) < len(contents):
        page = (await field.client.get(f"{one(survey)}/attachments", params=query)).json()
        found += [each["received"] for each in page["items"]]
        query |= {"cursor": str(page["next"])}
    assert found == [True, True, False]


async def test_a_returned_survey_takes_a_new_submission_and_keeps_the_contents(field: Any) -> None:
    await field.prepare()
    survey = await field.survey_in_progress()
    contents, path = [photo(1), photo(2)], one(survey)
    earlier = f"{path}/submissions/{uuid4()}"
    await field.client.put(earlier, json=field.findings(contents[0]))
    await put_content(field.client, survey, contents[0])
    await field.move(path, "returned", "Thiếu ảnh")
    sent = await field.client.put(f"{path}/submissions/{uuid4()}", json=field.findings(*contents))
    assert sent.json()["missing"] == [declaration(contents[1])["sha256"]]
    assert (await put_content(field.client, survey, contents[1])).json()["status"] == "submitted"
    assert (await field.client.get(earlier)).json()["current"] is False


async def test_an_upload_that_is_repeated_does_not_undo_that_the_lead_returned_it(field: Any) -> None:
    await field.prepare()
    survey = await field.survey_in_progress()
    path = one(survey)
    await field.client.put(f"{path}/submissions/{uuid4()}", json=field.findings(photo(1)))
    assert (await put_content(field.client, survey, photo(1))).json()["status"] == "submitted"
    await field.move(path, "returned", "Thiếu ảnh cổng")
    # The first answer was lost on its way: the field sends again.
    again = await put_content(field.client, survey, photo(1))
    assert (again.status_code, again.json()["status"]) == (200, "returned")
    assert (await field.client.get(path)).json()["status"] == "returned"
    sent = await field.client.put(f"{path}/submissions/{uuid4()}", json=field.findings(photo(1)))
    assert sent.json()["status"] == "submitted"


async def test_submissions_that_do_not_fit_are_refused(field: Any) -> None:
    await field.prepare()
    survey = await field.survey()
    path, number = one(survey), uuid4()
    early = await field.client.put(f"{path}/submissions/{number}", json=field.findings())
    assert (early.status_code, early.json()["code"]) == (409, "not_in_the_field")
    assert (await field.client.get(f"{path}/submissions/{number}")).status_code == 404
    survey = await field.survey_in_progress(code="KS-02")
    path = one(survey)
    unfinished = field.findings()
    unfinished["form"]["areas"].pop()
    incomplete = await field.client.put(f"{path}/submissions/{number}", json=unfinished)
    assert (incomplete.status_code, incomplete.json()["code"]) == (422, "incomplete")
    assert incomplete.json()["errors"][0]["field"] == "form.areas.gate"
    nobody = await field.client.put(f"{path}/submissions/{number}", json=field.findings(participants=[]))
    assert (nobody.status_code, nobody.json()["errors"][0]["field"]) == (422, "participants")
    assert (await field.client.get(path)).json()["form"] is None
    assert (await field.client.put(f"{path}/submissions/{number}", json=field.findings(photo(1)))).status_code == 200
    other = await field.client.put(f"{path}/submissions/{number}", json=field.findings(photo(2)))
    assert (other.status_code, other.json()["code"]) == (409, "submission_id_taken")


async def test_contents_that_are_not_as_declared_are_refused(field: Any) -> None:
    await field.prepare()
    survey = await field.survey_in_progress()
    content, gif = photo(1), b"GIF89a" + bytes(40)
    body = field.findings(content, gif)
    await field.client.put(f"{one(survey)}/submissions/{uuid4()}", json=body)
    undeclared = await put_content(field.client, survey, photo(9))
    assert (undeclared.status_code, undeclared.json()["code"]) == (404, "not_declared")
    for sent, says in ((content[:-1], "were declared"), (content[:-1] + b"x", "SHA-256")):
        answer = await put_content(field.client, survey, content, sent=sent)
        assert answer.status_code == 422
        assert says in answer.json()["errors"][0]["message"]
    longer = await put_content(field.client, survey, content, sent=content + b"x")
    assert (longer.status_code, longer.json()["code"]) == (413, "too_large")
    assert "neither JPEG" in (await put_content(field.client, survey, gif)).json()["errors"][0]["message"]
    assert (await field.client.get(one(survey))).json()["status"] == "in_progress"


def located(number: int) -> bytes:
    """A photo with a place in it."""
    plain = photo(number)
    return plain[:2] + b"\xff\xe1\x00\x1aExif\x00\x00" + PLACE + plain[2:]


async def test_photos_of_a_restricted_site_are_stored_without_their_place(field: Any) -> None:
    await field.prepare(restricted=True)
    survey = await field.survey_in_progress()
    content, pdf = located(1), b"%PDF-1.7\n%%EOF"
    body = field.findings(content)
    body["attachments"].append(declaration(pdf, media_type="application/pdf"))
    await field.client.put(f"{one(survey)}/submissions/{uuid4()}", json=body)
    assert (await put_content(field.client, survey, content)).json()["missing"] == [declaration(pdf)["sha256"]]
    refused = await put_content(field.client, survey, pdf)
    assert refused.status_code == 422
    assert "send its pages as photos" in refused.text
    read = await field.client.get(f"{one(survey)}/attachments/{declaration(content)['sha256']}")
    assert PLACE not in read.content
    assert read.content == photo(1)


async def test_a_site_that_becomes_restricted_shows_no_place_any_more(field: Any) -> None:
    await field.prepare()
    survey = await field.survey_in_progress()
    content = located(1)
    await field.client.put(f"{one(survey)}/submissions/{uuid4()}", json=field.findings(content))
    await put_content(field.client, survey, content)
    path = f"{one(survey)}/attachments/{declaration(content)['sha256']}"
    assert PLACE in (await field.client.get(path)).content
    await field.change(f"/v1/facilities/{field.facility['id']}", {"restricted": True})
    assert PLACE not in (await field.client.get(path)).content


async def test_a_reader_sends_nothing(field: Any, as_role: Callable[[Role], httpx.AsyncClient]) -> None:
    await field.prepare()
    survey = await field.survey_in_progress()
    reader = as_role(Role.READER)
    sent = await reader.put(f"{one(survey)}/submissions/{uuid4()}", json=field.findings())
    assert (sent.status_code, (await put_content(reader, survey, photo(1))).status_code) == (403, 403)


def mm(length: Any) -> int:
    millimetres: float = length.mm
    return round(millimetres)


async def test_the_minutes_are_those_of_the_department_that_stood_on_the_day(field: Any) -> None:
    """Codes say nothing of it: what came later may be named before what ended."""
    province = await field.province.agency(code="UB-TINH", name="UBND tỉnh Quảng Trị", role="peoples_committee")
    await field.province.agency(code="A-UB", name="UBND huyện Cam Lộ", role="peoples_committee")
    later = {"code": "A-SKHCN", "name": "Sở Khoa học và Công nghệ", "role": "lead", "valid_from": "2025-03-01"}
    await field.province.agency(**later, parent_id=province["id"])
    then = {"code": "STTTT", "name": "Sở Thông tin và Truyền thông", "role": "lead", "valid_to": "2025-02-28"}
    await field.prepare(lead=await field.province.agency(**then, parent_id=province["id"]))
    await field.survey_approved()
    survey = (await field.client.get("/v1/surveys")).json()["items"][0]
    answer = await field.client.get(f"{one(survey)}/minutes.docx")
    document = docx.Document(io.BytesIO(answer.content))
    text = "\n".join(cell.text for table in document.tables for row in table.rows for cell in row.cells)
    assert "SỞ THÔNG TIN VÀ TRUYỀN THÔNG" in text
    assert "/BB-STTTT" in text
    assert "UBND TỈNH QUẢNG TRỊ" in text
    assert "CAM LỘ" not in text


async def test_the_minutes_name_participants_verdict_and_parties(field: Any) -> None:
    await field.prepare(name="Trường Tiểu học Cam An", address="xã Cam An")
    await field.province.agency(role="peoples_committee", name="Ủy ban nhân dân tỉnh Quảng Trị")
    await field.survey_approved()
    survey = (await field.client.get("/v1/surveys")).json()["items"][0]
    answer = await field.client.get(f"{one(survey)}/minutes.docx")
    assert answer.headers["content-disposition"] == 'attachment; filename="KS-01.docx"'
    document = docx.Document(io.BytesIO(answer.content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    text = "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
    for line in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "UBND TỈNH QUẢNG TRỊ",
        "/BB-STTTT",
        "BIÊN BẢN",
        "Khảo sát hiện trạng hệ thống camera giám sát tại Trường Tiểu học Cam An",
        "ngày 08 tháng 5 năm 2021",
        "Ông/Bà Ông operator (tham gia ngày 08/5/2021)",
        "cần cấu hình. Lý do: Chưa bật RTSP.",
        "ĐẠI DIỆN VIETTEL-QT",
        "ĐẠI DIỆN CƠ SỞ CÁCH LY",
    ):
        assert line in text
    before_tables = [one for one in document.paragraphs if one.text.startswith(("2. Hệ thống:", "3. Khu vực"))]
    assert [one.paragraph_format.keep_with_next for one in before_tables] == [True, True]
    section = document.sections[0]
    assert [mm(each) for each in (section.page_width, section.page_height)] == [210, 297]
    margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [mm(each) for each in margins] == [20, 25, 30, 15]
    assert document.styles["Normal"].font.name == "Times New Roman"
    assert section.different_first_page_header_footer
