"""Letter 1742, as far as the register goes: two facilities, one with cameras and one without, with every refusal."""

import hashlib
from functools import partial
from typing import Any
from uuid import uuid4

from vonggac.events.inventory import CameraV1, PlanBasis, SurveyV1
from vonggac.testing import eventually

PHOTO = b"\xff\xd8\xff\xdb\x00\x04\x00\x01\xff\xda\x00\x04\x00\x01 picture \xff\xd9"
IN_TIME, TOO_LATE = "2021-05-09T23:59:59+07:00", "2021-05-10T00:00:00+07:00"


async def refused(field: Any, one: str, to: str, says: str) -> None:
    answer = await field.try_move(one, to)
    assert answer.status_code == 409, answer.text
    assert says in answer.json()["detail"]


async def connections(field: Any, facility: dict[str, Any]) -> set[tuple[str, bool]]:
    answer = await field.client.get(f"/v1/facilities/{facility['id']}/connections")
    return {(each["plan"], each["forwarded"]) for each in answer.json()["items"]}


async def survey_the_facility(field: Any, code: str, **given: Any) -> dict[str, Any]:
    """Survey one facility from the field, with a photo."""
    survey = await field.survey(code=code, lead_agency_id=field.agencies["lead"]["id"])
    one = f"/v1/surveys/{survey['id']}"
    await refused(field, one, "approved", "allowed: assigned")
    await field.move(one, "assigned")
    await refused(field, one, "scheduled", "has the day")
    await field.change(one, {"scheduled_on": "2021-05-08"})
    await field.move(one, "scheduled")
    await refused(field, one, "in_progress", "R16")
    await field.brief(one)
    await field.move(one, "in_progress")
    await refused(field, one, "submitted", "verdict")
    sha256 = hashlib.sha256(PHOTO).hexdigest()
    declared = {"sha256": sha256, "name": "cổng.jpg", "media_type": "image/jpeg", "size_bytes": len(PHOTO)}
    body = field.findings(attachments=[declared], **given)
    sent = await field.client.put(f"{one}/submissions/{uuid4()}", json=body)
    assert (sent.json()["status"], sent.json()["missing"]) == ("in_progress", [sha256]), sent.text
    await refused(field, one, "submitted", "every attachment is uploaded")
    uploaded = await field.client.put(f"{one}/attachments/{sha256}", content=PHOTO)
    assert (uploaded.json()["status"], uploaded.json()["missing"]) == ("submitted", [])
    await field.move(one, "returned", "Thiếu tọa độ")
    await field.client.put(f"{one}/submissions/{uuid4()}", json=body)
    approved: dict[str, Any] = await field.move(one, "approved")
    assert (await field.client.get(f"{one}/minutes.docx")).content.startswith(b"PK")
    return approved


async def agree_on_the_plan(field: Any) -> None:
    """Agree on the connection of both cameras to both centres."""
    pairs = [(camera, centre) for camera in ("QT-01-C01", "QT-01-C02") for centre in ("BTTTT", "IOC")]
    plan = await field.province.post("/v1/connection-plans", field.plan_body(*pairs))
    one = f"/v1/connection-plans/{plan['id']}"
    await refused(field, one, "agreed", "allowed: proposed")
    await field.move(one, "proposed")
    await refused(field, one, "agreed", "the operator (Viettel) has agreed")
    await field.consents(one)
    await field.move(one, "agreed")
    changed = await field.try_change(one, {"note": "đổi"})
    assert (changed.status_code, changed.json()["code"]) == (409, "closed")


async def approve_the_proposal(field: Any) -> dict[str, Any]:
    """Propose cameras for the facility that has none."""
    body = {
        "code": "DX-QT-02",
        "facility_id": field.facility["id"],
        "areas": [{"area": "gate", "cameras": 1}, {"area": "corridor", "cameras": 4, "type": "dome"}],
        "line": "Viettel, 40 Mbps",
        "power": "Điện lưới, UPS 30 phút",
        "estimated_cost_vnd": 45_000_000,
        "lead_time_days": 5,
        "proposed_connection": "Đầu ghi tại chỗ, chuyển tiếp qua VPN",
    }
    made = await field.province.post("/v1/installation-proposals", body)
    one = f"/v1/installation-proposals/{made['id']}"
    await refused(field, one, "submitted", "approved survey")
    await survey_the_facility(field, "KS-QT-02", verdict="none", verdict_reason="Chưa lắp", form=without_cameras(field))
    await refused(field, one, "approved", "allowed: submitted")
    await field.move(one, "submitted")
    await refused(field, one, "approved", "decision_number")
    await field.change(one, {"decision_number": "1800/QĐ-UBND", "decision_date": "2021-05-09"})
    approved: dict[str, Any] = await field.move(one, "approved")
    await refused(field, one, "connected", "allowed: funded, returned")
    return approved


def without_cameras(field: Any) -> dict[str, Any]:
    form: dict[str, Any] = field.findings()["form"]
    return form | {"system": {"kind": "none"}}


async def test_letter_1742_from_the_directive_to_connected_and_to_an_approved_proposal(
    field: Any, letter: Any, last_message: Any
) -> None:
    chain = (await field.client.get(f"/v1/directives/{letter.directives['1742']['id']}/chain")).json()["items"]
    assert [each["number"].partition("/")[0] for each in chain] == ["1742", "1407", "597"]
    connected = await letter.obligation()
    surveyed = await letter.obligation(code="NV-1742-A", kind="survey_and_plan")
    await field.province.destination(code="BTTTT")
    await field.province.destination(code="IOC", role="provincial")

    await field.prepare(lead=letter.lead, code="QT-01", name="Trường Tiểu học Cam An")
    with_cameras, cameras = field.facility, []
    for code in ("QT-01-C01", "QT-01-C02"):
        made = await field.province.camera(code=code, facility_id=with_cameras["id"], url=address(code))
        cameras.append(made["id"])
    assert await connections(field, with_cameras) == {("none", False)}
    await survey_the_facility(field, "KS-QT-01")
    assert await connections(field, with_cameras) == {("none", False)}
    await agree_on_the_plan(field)
    assert await connections(field, with_cameras) == {("agreed", True)}
    for camera in cameras:
        await eventually(partial(forwarded_as_agreed, last_message, camera))

    field.facility = await field.province.facility(
        code="QT-02", managing_agency_id=field.agencies["managing"]["id"], name="Trường TH Hải Lăng"
    )
    proposal = await approve_the_proposal(field)
    assert (proposal["status"], proposal["decision_number"]) == ("approved", "1800/QĐ-UBND")

    for obligation in (surveyed, connected):
        path = f"/v1/obligations/{obligation['id']}/transitions"
        late = await letter.do(path, {"to": "done", "completed_at": TOO_LATE})
        assert late.status_code == 409
        done = await letter.do(path, {"to": "done", "completed_at": IN_TIME})
        assert (done.status_code, done.json()["status"]) == (200, "done"), done.text


async def forwarded_as_agreed(last_message: Any, camera_id: str) -> bool:
    """Whether workers are to forward the camera to both centres, under the agreed plan."""
    message = await last_message("camera", camera_id)
    return isinstance(message, CameraV1) and [each.plan for each in message.forwarded] == [PlanBasis.AGREED] * 2


def address(code: str) -> str:
    return f"rtsp://10.20.1.{code[-1]}:554/Streaming/Channels/101"


async def test_letter_1742_is_published_so_that_reports_need_not_ask(field: Any, last_message: Any) -> None:
    await field.prepare(restricted=True)
    approved = await field.survey_approved()

    async def settled() -> SurveyV1:
        message = await last_message("survey", approved["id"])
        assert isinstance(message, SurveyV1)
        assert message.status == "approved"
        return message

    message = await eventually(settled)
    assert (message.verdict, message.cameras_found, message.cameras_needed) == ("needs_config", 1, 9)
    assert "gate" in message.uncovered_areas
    assert "Ông" not in message.model_dump_json()
