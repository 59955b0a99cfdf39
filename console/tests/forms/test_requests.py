"""A request that waits stands before who decides it, and before nobody else; who did what is named on `/audit`."""

import re
from html import unescape

import httpx
import pytest
from console.tests.conftest import Browser
from console.tests.forms.conftest import Register

pytestmark = pytest.mark.server
WAITS = "1 đề nghị chờ quyết định"


def text_of(page: httpx.Response) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page.text)))


async def test_a_request_stands_on_the_overview_of_who_decides_it_until_it_is_decided(
    browsers: dict[str, Browser], register: Register
) -> None:
    operator, decider = browsers["vận hành"], browsers["quyết định"]
    unit = await register.add("units", code="45", name="Quảng Trị", level="province", valid_from="1989-07-01")
    agency = await register.add("agencies", code="SYT", name="Sở Y tế", role="managing")
    of = {"unit_id": unit["id"], "managing_agency_id": agency["id"]}
    await register.add("facilities", code="KCL-01", name="Khu cách ly 1", type="health", **of)
    assert "chờ quyết định" not in text_of(await decider.get("/"))
    form = await operator.get("/acts/inventory/add_decision_request?act=exception")
    asked = await operator.send(form, facility_id="KCL-01", reason="Cáp quang chưa tới nơi")
    assert asked.status_code == 303, asked.text
    assert WAITS in text_of(await decider.get("/"))
    assert WAITS not in text_of(await operator.get("/"))
    waiting = await decider.get("/requests")
    assert "Cáp quang chưa tới nơi" in text_of(waiting)
    assert "· Nguyễn Đức Thử, Phó Giám đốc Kỹ thuật (operator)" in text_of(waiting)
    (decide,) = re.findall(r'href="(/acts/inventory/decide_request[^"]*decision=refused[^"]*)"', waiting.text)
    decided = await decider.send(await decider.get(unescape(decide)), reason="Chờ kéo cáp")
    assert decided.status_code == 303, decided.text
    assert "chờ quyết định" not in text_of(await decider.get("/"))
    refused = text_of(await decider.get("/requests?status=refused"))
    assert "· Lê Văn Thử, Phó Chủ tịch UBND tỉnh (decider): Chờ kéo cáp" in refused
    assert "Lê Văn Thử, Phó Chủ tịch UBND tỉnh (decider)" in text_of(await browsers["chủ trì"].get("/audit"))


async def test_an_act_at_a_delivery_names_its_camera_and_its_centre(
    browsers: dict[str, Browser], register: Register
) -> None:
    unit = await register.add("units", code="45", name="Quảng Trị", level="province", valid_from="1989-07-01")
    agency = await register.add("agencies", code="SYT", name="Sở Y tế", role="managing")
    of = {"unit_id": unit["id"], "managing_agency_id": agency["id"]}
    facility = await register.add("facilities", code="KCL-01", name="Khu cách ly 1", type="health", **of)
    camera = await register.add(
        "cameras", code="CAM-01", name="Cổng chính", facility_id=facility["id"], url="rtsp://10.1.1.1/1"
    )
    template = "rtsp://10.9.0.1:8554/{camera_code}"
    centre = await register.add("destinations", code="BYT", name="Bộ Y tế", role="national", url_template=template)
    await register.add("deliveries", camera_id=camera["id"], destination_id=centre["id"])
    lead = browsers["chủ trì"]
    page = await lead.get("/audit?of=inventory")
    assert "thêm luồng gửi CAM-01 — Cổng chính đến trung tâm BYT — Bộ Y tế" in text_of(page)
    assert f'href="/register/destinations/{centre["id"]}"' in page.text
    await lead.get("/language/en?to=/audit")
    assert "entered delivery CAM-01 — Cổng chính to the centre BYT — Bộ Y tế" in text_of(await lead.get("/audit"))
