"""Everybody can use the pages: axe-core finds nothing, ten tasks are done by the keyboard alone on a phone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from console.tests.browser.axe import find_violations, load_axe
from console.tests.browser.test_letter import carry_out, sign_in
from playwright.async_api import Browser, Page, expect
from services.reporting.tests.stage.province import Province

from vonggac.bus import Bus

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(400)]
PAGES = (
    "/", "/facilities", "/facilities/KCL-01", "/cameras", "/cameras/CAM-01", "/deliveries", "/pictures", "/obligations",
    "/urges", "/urges/rules", "/requests", "/reports", "/reports/verify", "/register", "/register/imports",
    "/register/agencies", "/register/facilities", "/acts/inventory/add_agency", "/acts/inventory/add_facility",
    "/acts/inventory/add_obligation", "/acts/reporting/freeze_report", "/audit", "/health", "/wall", "/screens",
    "/sign-out", "/no-such-page",
)  # fmt: skip
MOST_TABS = 150


@pytest_asyncio.fixture
async def known(office: str, bus: Bus, province: Province) -> AsyncIterator[None]:
    """One camera that nobody has measured yet."""
    await province.publish(bus, *province.base(), province.stated("camera", province.camera("CAM-01")))
    yield


@pytest.mark.parametrize("width", [1366, 360])
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_axe_finds_nothing_on_any_page(
    chromium: Browser, office: str, known: None, language: str, width: int
) -> None:
    script = load_axe()
    page = await sign_in(chromium, office, "chủ trì")
    await page.set_viewport_size({"width": width, "height": 768})
    await page.goto(f"{office}/language/{language}?to=/")
    await carry_out(page, f"{office}/acts/inventory/add_agency", code="SYT", name="Sở Y tế", role="managing")
    found = {}
    for path in PAGES:
        if path == "/wall" and width < 1000:
            continue  # Drawn for a screen of five metres' distance: its sizes are shares of its width.
        await page.goto(office + path)
        await page.wait_for_load_state()
        if violations := await find_violations(page, script):
            found[path] = violations
    assert found == {}


async def test_axe_finds_what_is_wrong(chromium: Browser, office: str) -> None:
    page = await sign_in(chromium, office, "chủ trì")
    await page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert [rule for rule, _ in await find_violations(page, load_axe())] == ["image-alt"]


@pytest.mark.parametrize("width", [1366, 360])
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_the_menu_takes_one_line_and_opens_to_the_pages_that_few_need(
    chromium: Browser, office: str, language: str, width: int
) -> None:
    page = await sign_in(chromium, office, "chủ trì")
    await page.set_viewport_size({"width": width, "height": 740})
    await page.goto(f"{office}/language/{language}?to=/")
    line = await page.locator("nav.pages").bounding_box()
    assert line is not None
    assert line["height"] < 60
    assert line["y"] < 120
    await expect(page.locator('nav.pages a[href="/health"]')).to_be_hidden()
    await page.locator("nav.pages summary").click()
    await page.locator('nav.pages a[href="/health"]').click()
    await page.wait_for_url("**/health")
    await expect(page.locator('nav.pages a[aria-current="page"]')).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert await find_violations(page, load_axe()) == []


async def test_a_file_is_chosen_by_a_button_in_the_words_of_the_page(
    chromium: Browser, office: str, tmp_path: Path
) -> None:
    file = tmp_path / "bao-cao.csv"
    file.write_text("ma;ten\n")
    page = await sign_in(chromium, office, "chủ trì")
    await page.set_viewport_size({"width": 360, "height": 740})
    for language, word, nothing in (("vi", "Chọn tệp", "chưa chọn tệp nào"), ("en", "Choose a file", "no file chosen")):
        await page.goto(f"{office}/language/{language}?to=/reports/verify")
        button = page.locator('label.tel[for="file"]')
        await expect(button).to_have_text(word)
        await expect(page.locator(".chosen-file")).to_have_text(nothing)
        await Keys(page, office).go_to("#file")
        assert await button.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
        async with page.expect_file_chooser() as opened:
            await button.click()
        await (await opened.value).set_files(file)
        await expect(page.locator(".chosen-file")).to_have_text("bao-cao.csv")
        assert await find_violations(page, load_axe()) == []


class Keys:
    """A person with a keyboard and a narrow screen."""

    def __init__(self, page: Page, office: str) -> None:
        self.page, self.office = page, office

    async def open(self, path: str) -> None:
        """As by the address bar."""
        await self.page.goto(self.office + path)
        await self.page.wait_for_load_state()

    async def go_to(self, selector: str) -> None:
        """Press Tab until the element has the focus, and is seen to have it."""
        for _ in range(MOST_TABS):
            await self.page.keyboard.press("Tab")
            if await self.page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
                width = "getComputedStyle(document.activeElement).outlineStyle"
                assert await self.page.evaluate(width) != "none", f"{selector}: the focus is not seen"
                return
        pytest.fail(f"{selector} is not reached by Tab")

    async def press(self, selector: str) -> None:
        """Go there and press Enter."""
        await self.go_to(selector)
        await self.page.keyboard.press("Enter")

    async def type(self, selector: str, text: str) -> None:
        """Go there and type."""
        await self.go_to(selector)
        await self.page.keyboard.type(text)


async def test_ten_tasks_by_the_keyboard_alone_at_360_px(chromium: Browser, office: str, known: None) -> None:
    page = await sign_in(chromium, office, "chủ trì")
    await page.set_viewport_size({"width": 360, "height": 740})
    keys = Keys(page, office)

    # 1: past the menu, to the content.
    await keys.open("/")
    await keys.press("a.skip")
    assert await page.evaluate("document.activeElement.id") == "content"
    # 2: from the menu to the facilities.
    await keys.open("/")
    await keys.press('nav.pages a[href="/facilities"]')
    await page.wait_for_url("**/facilities")
    # 3: from the list to one facility.
    await keys.press('a[href="/facilities/KCL-01"]')
    await page.wait_for_url("**/facilities/KCL-01")
    # 4: from a number to its rows.
    await keys.open("/")
    await keys.press('.numbers a[href^="/cameras"], .nums h2 a')
    await page.wait_for_url("**/cameras*")
    # 5: find a camera by words.
    await keys.open("/cameras")
    await keys.type('input[name="q"]', "CAM-01")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**q=CAM-01*")
    # 6: and open it.
    await keys.press('a[href="/cameras/CAM-01"]')
    await page.wait_for_url("**/cameras/CAM-01")
    # 7: enter an agency.
    await keys.open("/acts/inventory/add_agency")
    for name, text in (("code", "SYT"), ("name", "So Y te")):
        await keys.type(f'[name="{name}"]', text)
    await keys.go_to('[name="role"]')
    await page.keyboard.press("ArrowDown")
    await keys.press("form.act button.main")
    await page.locator(".done").wait_for()
    # 8: read the other language.
    await keys.open("/")
    await keys.press('.languages a[lang="en"]')
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    # 9: make this browser a wall screen.
    await keys.open("/screens")
    await keys.type('[name="name"]', "Phong truc")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/wall")
    # 10: sign in again, and out.
    await keys.open("/facilities")
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        if "chủ trì" in await page.evaluate("document.activeElement.innerText || ''"):
            await page.keyboard.press("Enter")
            break
    await page.wait_for_url(f"{office}/facilities")
    await keys.press('a[href="/sign-out"]')
    await page.wait_for_url("**/sign-out")
    await keys.press("main form button")
    await page.locator('a[href="/sign-in"]').wait_for()
