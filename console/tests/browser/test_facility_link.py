"""A facility's link on a phone of 360 px: the code's address opens its page, scripts or no scripts."""

import re
from pathlib import Path

import pytest
from console.tests.browser.test_letter import carry_out, sign_in
from playwright.async_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(400)]


async def link_of_a_facility(lead: Page, office: str) -> str:
    """The token of a link that the lead makes, as it is shown once."""
    act = f"{office}/acts/inventory"
    await carry_out(lead, f"{act}/add_unit", code="45", name="Quảng Trị", level="province", valid_from="1989-07-01")
    await carry_out(lead, f"{act}/add_agency", code="SYT", name="Sở Y tế", role="managing")
    facility = {"code": "KCL-01", "name": "Khu cách ly 1", "type": "health"}
    await carry_out(lead, f"{act}/add_facility", **facility, unit_id="45", managing_agency_id="SYT")
    [found] = re.findall(r"/register/facilities/([0-9a-f-]{36})", lead.url)
    await lead.goto(f"{act}/add_facility_link?thing_id={found}")
    await lead.locator('[name="for_whom"]').fill("Trưởng khu cách ly")
    await lead.locator("form.act button.main").click()
    await lead.get_by_text("vgl_").first.wait_for()
    token: str
    [token] = set(re.findall(r"vgl_[\w-]{43}", await lead.content()))
    return token


async def is_narrow(page: Page) -> bool:
    """Whether nothing of the page is wider than the phone."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def phone(chromium: Browser, *, scripts: bool) -> BrowserContext:
    size = {"width": 360, "height": 740}
    return await chromium.new_context(viewport=size, locale="vi-VN", java_script_enabled=scripts)  # type: ignore[arg-type]


async def test_the_codes_address_opens_the_facilitys_page_and_forgets_the_token(
    chromium: Browser, office: str, tmp_path: Path
) -> None:
    token = await link_of_a_facility(await sign_in(chromium, office, "chủ trì"), office)
    page = await (await phone(chromium, scripts=True)).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{office}/f#{token}")
    await page.get_by_role("heading", name="Khu cách ly 1").wait_for()
    await page.screenshot(path=tmp_path / "home.png", full_page=True)
    assert (page.url, await is_narrow(page)) == (f"{office}/f", True)
    assert not any(token in address.partition("#")[0] for address in asked)
    await page.get_by_role("link", name="Đăng ký cán bộ đầu mối").click()
    await page.screenshot(path=tmp_path / "form.png", full_page=True)
    assert await is_narrow(page)

    plain = await (await phone(chromium, scripts=False)).new_page()
    await plain.goto(f"{office}/f")
    await plain.screenshot(path=tmp_path / "enter.png", full_page=True)
    await plain.get_by_label("Dòng chữ dưới mã QR").fill(token)
    await plain.get_by_role("button", name="Mở trang").click()
    await plain.get_by_role("link", name="Đăng ký cán bộ đầu mối").click()
    officer = {"full_name": "Trần Văn Đầu Mối", "position": "Phó phòng", "phone": "0233 3852 123"}
    for name, text in {**officer, "valid_from": "2026-05-07"}.items():
        await plain.locator(f'[name="{name}"]').fill(text)
    await plain.locator("form.act button.main").click()
    await plain.get_by_text("Trần Văn Đầu Mối").wait_for()
    await plain.screenshot(path=tmp_path / "named.png", full_page=True)
    assert (plain.url.partition("?")[0], await is_narrow(plain)) == (f"{office}/f", True)
