"""The pages before a real reporting: numbers that are links, rows that add up to them, names as text."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import ClassVar, cast
from urllib.parse import quote

import pytest
from console.tests.conftest import Browser
from services.reporting.tests.stage.province import Province

from console.apis.caller import Answer, Caller, Found, Query
from console.apis.reporting import Reporting
from console.pages.parts import body_of
from vonggac.bus import Bus
from vonggac.testing.waiting import eventually

pytestmark = pytest.mark.server
NAME = '<b onclick="x">Khu cách ly</b> =1+1 \u202eoảB oaL'
NUMBER = re.compile(r'<li><a href="(/cameras[^"]*)"><svg.*?</svg><b data-figure>([\d.]+)</b>', re.DOTALL)


def at_text(page: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page))


@pytest.fixture
async def filled(lead: Browser, bus: Bus, province: Province) -> Browser:
    """Four cameras, one of which does not answer; nobody sends any of them anywhere."""
    now = datetime.now(UTC)
    cameras = [province.camera(f"CAM-0{number}", name=NAME) for number in range(1, 5)]
    facts = [
        *province.base(name=NAME),
        *(province.stated("camera", each) for each in cameras),
        *province.watched(now - timedelta(seconds=60)),
        *(province.probe(each, now - timedelta(seconds=20)) for each in cameras[:3]),
        *(province.probe(cameras[3], now - timedelta(seconds=age), "down", cause="timeout") for age in (50, 20)),
        *province.watched(now),
    ]
    await province.publish(bus, *facts)

    async def is_known() -> bool:
        page = await lead.get("/cameras?state=down")
        return page.status_code == 200 and "CAM-04" in page.text

    await eventually(is_known, within_s=60, what="the facts in reporting's present")
    return lead


async def test_each_number_of_cameras_is_a_link_and_its_rows_add_up_to_it(filled: Browser) -> None:
    overview = await filled.get("/")
    numbers = NUMBER.findall(overview.text)
    assert len(numbers) >= 5
    for link, number in numbers:
        rows = await filled.get(unescape(link))
        assert rows.text.count('<tr id="camera-') == int(number), link
    assert sum(int(number) for _, number in numbers) == 4


async def test_facilities_by_category_add_up_to_all(filled: Browser) -> None:
    counted = 0
    for category in ("complete", "lacking", "unknown", "no_cameras"):
        page = await filled.get(f"/facilities?category={category}")
        counted += page.text.count('<tr id="facility-')
    assert counted == (await filled.get("/facilities")).text.count('<tr id="facility-') == 1


async def test_names_are_shown_as_text_and_cannot_turn_the_page_round(filled: Browser) -> None:
    for path in ("/", "/facilities", "/facilities/KCL-01", "/cameras", "/cameras/CAM-04", "/wall"):
        page = (await filled.get(path)).text
        assert "<b onclick" not in page, path
        assert NAME in at_text(page), path
        assert f"<bdi>{NAME[:2]}" not in page
        for match in re.finditer(re.escape("\u202e"), page):
            before = page[: match.start()]
            assert any(before.rfind(f"<{tag}>") > before.rfind(f"</{tag}>") for tag in ("bdi", "title")), path


async def test_a_camera_says_what_is_wrong_and_what_to_do_in_vietnamese(filled: Browser) -> None:
    text = at_text((await filled.get("/cameras/CAM-04")).text)
    assert "Mất: Không trả lời trong thời hạn" in text
    assert "Việc cần làm: Kiểm tra nguồn điện" in text


async def test_inventory_that_is_away_takes_its_part_alone(filled: Browser) -> None:
    page = await filled.get("/facilities/KCL-01")
    text = at_text(page.text)
    assert page.status_code == 200
    assert "Sổ đăng ký không trả lời từ" in text
    assert "CAM-04" in text


@pytest.mark.parametrize("path", ["/facilities/NO-SUCH", "/cameras/NO-SUCH", "/cameras/" + quote("<script>")])
async def test_what_is_not_there_is_said_and_shows_nothing_of_others(lead: Browser, path: str) -> None:
    page = await lead.get(path)
    assert page.status_code in {404, 503}
    assert "<script>" not in page.text.replace('<script src="/static/', "")


async def test_filters_of_the_address_narrow_the_rows(filled: Browser) -> None:
    assert (await filled.get("/cameras?q=CAM-02")).text.count('<tr id="camera-') == 1
    assert (await filled.get("/cameras?state=down")).text.count('<tr id="camera-') == 1
    assert (await filled.get("/facilities?q=lao+bao")).text.count('<tr id="facility-') == 0
    assert (await filled.get("/facilities?q=ly+khu")).text.count('<tr id="facility-') == 1
    refused = await filled.get("/cameras?state=broken")
    assert "state" in refused.text


async def test_each_number_of_a_centre_has_its_rows_and_they_add_up_to_its_deliveries(filled: Browser) -> None:
    page = (await filled.get("/deliveries")).text
    centres = re.findall(r'<tr id="destination-.*?</tr>', page, re.DOTALL)
    assert len(centres) == 2
    for centre in centres:
        numbers = re.findall(r'<a href="(/deliveries[^"]*)" data-figure>([\d.]+)</a>', centre)
        (_, all_of_it), *parts = [(link, int(number)) for link, number in numbers]
        assert all_of_it == sum(number for _, number in parts) == 4
        for link, number in numbers:
            rows = (await filled.get(unescape(link))).text
            assert rows.count('<tr id="camera-') == int(number), link


async def test_who_is_to_be_called_is_a_number_with_its_rows(filled: Browser) -> None:
    overview = at_text((await filled.get("/")).text)
    assert "1 cơ sở cần gọi ngay" in overview
    assert "Chưa biết gọi cho ai: sổ đăng ký không trả lời" in overview
    assert (await filled.get("/facilities?category=to_call")).text.count('<tr id="facility-') == 1


async def test_whom_to_call_is_missing_and_not_nobody_where_the_register_is_away(filled: Browser) -> None:
    text = at_text((await filled.get("/cameras/CAM-04")).text)
    assert "Phần này đang thiếu" in text
    assert "Chưa có đầu mối" not in text


async def test_the_page_itself_says_how_old_its_account_is(filled: Browser) -> None:
    for path in ("/", "/facilities", "/cameras", "/cameras/CAM-04", "/facilities/KCL-01", "/deliveries", "/wall"):
        age = re.search(r'data-reporting="([\d.e-]+)"', (await filled.get(path)).text)
        assert age is not None, path
        assert float(age[1]) < 60, path


async def test_the_next_deadline_is_found_behind_any_number_of_duties_that_passed() -> None:
    class Duties:
        """Reporting with 200 duties that are overdue, and one to come."""

        asked: ClassVar[list[str]] = []

        async def get(self, token: str, path: str, query: Query) -> Answer:
            self.asked.append(str(query["state"]))
            duty = {"name": "Báo cáo", "due_before": "2021-06-01T00:00:00+07:00", "done_at": None}
            return Found({"items": [duty] if query["state"] in {"open", "overdue"} else []})

    answer = await Reporting(cast("Caller", Duties())).find_next_duty("token")
    assert body_of(answer) is not None
    assert Duties.asked == ["due_soon", "open"]
