"""A technician at a site without a network: what is typed stays, is sent later, and comes back where it is refused."""

import re
from pathlib import Path

import pytest
from console.tests.browser.axe import find_violations, load_axe
from console.tests.browser.survey.conftest import PAGE, Phone
from console.tests.survey.conftest import Sites
from playwright.async_api import expect

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(900)]
KEPT = """async () => {
  const names = await caches.keys(), paths = [];
  for (const name of names) for (const each of await (await caches.open(name)).keys()) paths.push(each.url);
  return paths.map((each) => new URL(each).pathname);
}"""
ROWS = """(store) => new Promise((resolve) => {
  indexedDB.open("vonggac-survey").onsuccess = ({ target }) => {
    target.result.transaction(store).objectStore(store).getAll().onsuccess = (found) => resolve(found.target.result);
  };
})"""


async def test_a_survey_filled_in_without_a_network_is_sent_when_there_is_one(
    phone: Phone, sites: Sites, tmp_path: Path
) -> None:
    survey = await sites.survey()
    await phone.take_along()
    await phone.context.set_offline(True)
    await phone.page.reload()
    await phone.fill_in("KS-01", photos=1)
    await phone.page.screenshot(path=tmp_path / "form.png", full_page=True)
    assert await phone.page.evaluate("document.documentElement.scrollWidth") <= 360
    # The browser is closed and opened: all that was typed is there.
    await phone.page.reload()
    await phone.page.get_by_role("button", name="Tiếp tục: KS-01").click()
    await expect(phone.page.locator('[name="verdict_reason"]')).to_have_value("Chưa bật RTSP")
    await expect(phone.page.locator("#photos img")).to_have_count(1)
    await phone.submit()
    await phone.page.get_by_text("1 chờ gửi").wait_for()
    assert (await sites.read(survey["id"]))["status"] == "in_progress"
    await phone.context.set_offline(False)
    await phone.page.get_by_text("đã nộp lúc").wait_for()
    found = await sites.read(survey["id"])
    assert (found["status"], found["form"]["site"]["rooms"], len(found["attachments"])) == ("submitted", 24, 1)
    kept = set(await phone.page.evaluate(KEPT))
    assert kept
    assert all(path.startswith("/static/") or path in {"/survey/vi/", "/survey/en/"} for path in kept)


async def test_what_is_refused_stands_at_its_input_and_is_sent_again(phone: Phone, sites: Sites) -> None:
    survey = await sites.survey()
    await phone.take_along()
    await phone.fill_in("KS-01", form__site__rooms="-3")
    await phone.submit()
    await phone.page.get_by_text("bị từ chối").wait_for()
    await phone.page.get_by_role("button", name="Mở: KS-01").click()
    rooms = phone.page.locator('[name="form.site.rooms"]')
    await expect(rooms).to_have_value("-3")
    await expect(rooms).to_have_attribute("aria-invalid", "true")
    assert await phone.page.locator("#summary a").count() == 1
    await rooms.fill("24")
    await phone.submit()
    await phone.page.get_by_text("đã nộp lúc").wait_for()
    assert (await sites.read(survey["id"]))["form"]["site"]["rooms"] == 24


async def test_entries_stay_over_a_session_that_ends_and_go_with_a_sign_out(phone: Phone, sites: Sites) -> None:
    await sites.survey()
    await sites.survey("KS-02")
    await phone.take_along()
    await phone.context.clear_cookies(name="vonggac_session")
    await phone.fill_in("KS-01")
    await phone.submit()
    await phone.page.get_by_text("Phiên đăng nhập đã hết").wait_for()
    await expect(phone.page.locator("#queue")).to_have_text("1 chờ gửi")
    await phone.page.get_by_role("link", name="Đăng nhập").click()
    await phone.page.get_by_role("link", name="vận hành").click()
    await phone.page.get_by_text("đã nộp lúc").wait_for()
    await phone.page.get_by_role("button", name="Điền phiếu: KS-02").click()
    await phone.page.locator('[name="verdict_reason"]').fill("Chưa xong")
    await expect(phone.page.locator("#saved")).to_have_text(re.compile("Đã lưu"))
    await phone.page.goto(phone.outpost.address + "/sign-out")
    await phone.page.get_by_text("Số phiếu trong máy chưa gửi: 1.").wait_for()
    await phone.page.locator("main form button").click()
    await phone.page.get_by_role("heading", name="Đã đăng xuất").wait_for()
    for store in ("sheets", "entries", "photos"):
        assert await phone.page.evaluate(ROWS, store) == [], store


async def test_two_windows_have_one_queue_and_lose_nothing_of_each_other(phone: Phone, sites: Sites) -> None:
    survey = await sites.survey()
    await phone.take_along()
    await phone.context.set_offline(True)
    await phone.fill_in("KS-01")
    second = await phone.context.new_page()
    await second.goto(phone.outpost.address + PAGE)
    await second.get_by_role("button", name="Tiếp tục: KS-01").click()
    await second.locator('[name="verdict_reason"]').fill("Từ cửa sổ khác")
    await expect(phone.page.locator('[name="verdict_reason"]')).to_have_value("Từ cửa sổ khác")
    await phone.page.locator('[name="surveyed_on"]').fill("2021-05-09")
    await phone.submit()
    await second.get_by_text("1 chờ gửi").wait_for()
    await phone.context.set_offline(False)
    for page in (phone.page, second):
        await page.get_by_text("đã nộp lúc").wait_for()
    found = await sites.read(survey["id"])
    assert (found["verdict_reason"], found["surveyed_on"]) == ("Từ cửa sổ khác", "2021-05-09")
    history = (await sites.read(survey["id"], "/history?limit=100"))["items"]
    assert sum(each["after"]["status"] == "submitted" for each in history) == 1


async def test_axe_finds_nothing_on_the_list_and_on_a_form(phone: Phone, sites: Sites) -> None:
    await sites.survey()
    script = load_axe()
    await phone.take_along()
    assert await find_violations(phone.page, script) == []
    await phone.page.get_by_role("button", name="Điền phiếu: KS-01").click()
    await phone.submit()
    await phone.page.locator("#summary li").first.wait_for()
    assert await find_violations(phone.page, script) == []
