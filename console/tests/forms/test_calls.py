"""A call is noted where it says whom to call, and stands there afterwards: who noted it, when, and what was said."""

import re
from html import unescape
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from console.tests.conftest import Browser, FormOf
from console.tests.forms.conftest import Register
from fastapi import FastAPI

from console.forms.calls import write_call
from vonggac.testing.waiting import eventually

LEAD = "chủ trì"
NAME = "Nguyễn Văn Mẫu"


def test_the_note_of_a_call_says_whom_what_about_and_how_it_ended() -> None:
    assert write_call(NAME, "CAM-01", "answered", "Sửa xong trước 17 giờ.") == (
        "Đã gọi Nguyễn Văn Mẫu về CAM-01: đã nghe máy. Sửa xong trước 17 giờ."
    )
    assert write_call(NAME, "", "no_answer", "") == "Đã gọi Nguyễn Văn Mẫu: không nghe máy."


@pytest_asyncio.fixture
async def facility(browsers: dict[str, Browser], register: Register) -> str:
    """A facility with a focal point, which reporting knows too; its id."""
    unit = await register.add("units", code="45", name="Quảng Trị", level="province", valid_from="1989-07-01")
    agency = await register.add("agencies", code="SYT", name="Sở Y tế", role="managing")
    made = await register.add(
        "facilities",
        code="KCL-01",
        name="Khu cách ly 1",
        type="health",
        unit_id=unit["id"],
        managing_agency_id=agency["id"],
    )
    await register.add(
        "focal-points",
        facility_id=made["id"],
        full_name=NAME,
        position="Trưởng khu",
        phone="0905 123 456",
        valid_from="2021-05-07",
    )

    async def is_known() -> bool:
        return NAME in (await browsers[LEAD].get("/facilities/KCL-01")).text

    await eventually(is_known, within_s=60, what="the facility in reporting's present")
    return made["id"]


def text_of(page: httpx.Response) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page.text)))


@pytest.mark.server
async def test_a_call_is_noted_once_and_shown_with_who_noted_it(browsers: dict[str, Browser], facility: str) -> None:
    lead = browsers[LEAD]
    page = await lead.get("/facilities/KCL-01")
    sent = await lead.send(page, outcome="will_see_to_it", note="Thợ đến chiều nay.")
    assert sent.status_code == 303, sent.text
    again = await lead.send(page, outcome="will_see_to_it", note="Thợ đến chiều nay.")
    assert again.headers["location"] == sent.headers["location"]
    shown = text_of(await lead.get(sent.headers["location"]))
    note = f"Đã gọi {NAME}: hẹn xử lý. Thợ đến chiều nay."
    assert shown.count(note) == 1
    assert re.search(r"\d\d/\d\d/\d{4}[^:]*:[^:]* · [^:·]+: " + re.escape(note), shown), shown


@pytest.mark.server
async def test_a_call_about_a_camera_stands_at_its_facility_and_leads_back_to_the_whole_address(
    browsers: dict[str, Browser], register: Register, facility: str
) -> None:
    lead = browsers[LEAD]
    camera = await register.add("cameras", code="CAM-01", name="Cổng", facility_id=facility, url="rtsp://10.0.0.9/1")

    async def is_known() -> bool:
        return "CAM-01" in (await lead.get("/facilities/KCL-01")).text

    await eventually(is_known, within_s=60, what="the camera in reporting's present")
    back = "/cameras?q=" + "a" * 400
    about = {"about_noun": "camera", "about_id": camera["id"], "who": NAME, "of": "CAM-01", "back": back}
    page = await lead.get(f"/acts/call?{httpx.QueryParams(about)}")
    sent = await lead.send(page, outcome="answered", note="Có điện lại.")
    assert sent.headers["location"] == f"{back}&done=add_journal_entry"
    shown = text_of(await lead.get("/facilities/KCL-01"))
    assert "Ghi về camera và luồng gửi của cơ sở" in shown
    assert f"Đã gọi {NAME} về CAM-01: đã nghe máy. Có điện lại." in shown


@pytest.mark.server
async def test_a_call_that_the_register_refuses_keeps_what_was_typed(
    browsers: dict[str, Browser], facility: str
) -> None:
    lead = browsers[LEAD]
    unknown = f"/acts/call?about_noun=facility&about_id={uuid4()}&who=A&back=/"
    refused = await lead.send(await lead.get(unknown), outcome="answered", note="Đã báo điện lực.")
    assert refused.status_code in {404, 409, 422}, refused.text
    assert FormOf(refused.text).inputs["note"] == "Đã báo điện lực."


@pytest.mark.server
@pytest.mark.parametrize(
    ("query", "outcome"),
    [("about_noun=agency&about_id={id}", "answered"), ("about_noun=facility&about_id=1", "answered"),
     ("about_noun=facility&about_id={id}", "shouted")],
)  # fmt: skip
async def test_a_call_about_nothing_is_no_call(browsers: dict[str, Browser], query: str, outcome: str) -> None:
    page = await browsers[LEAD].get("/acts/call?" + query.format(id=uuid4()))
    assert (await browsers[LEAD].send(page, outcome=outcome)).status_code == 400


@pytest.mark.server
async def test_who_answers_for_a_centre_that_pulls_is_named(
    app: FastAPI, browsers: dict[str, Browser], register: Register
) -> None:
    serving = {"source_networks": ["10.9.0.0/24"], "responsible": "Phòng Vận hành"}
    made = await register.add(
        "destinations", code="BYT", name="Bộ Y tế", role="national", mode="serve", serving=serving
    )
    visitor = await app.state.visitors.find(browsers[LEAD].console.cookies["vonggac_session"])
    assert await app.state.inventory.find_responsible(visitor.token) == {made["id"]: "Phòng Vận hành"}
