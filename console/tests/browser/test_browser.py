"""What a person sees: the pages, with scripts and without, and that figures are old as soon as they are."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import pytest_asyncio
from console.tests.browser.conftest import Place
from playwright.async_api import Browser, Page, Route
from services.reporting.tests.stage.province import Province

from vonggac.bus import Bus

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(240)]
PAGES = ("/", "/facilities", "/cameras", "/deliveries", "/wall", "/sign-out")
STALE_WITHIN_MS = 15_000
"""Ten seconds, and what a busy machine adds."""


async def signed_in(chromium: Browser, place: Place, *, scripts: bool = True, width: int = 1366) -> Page:
    """A page of the province's lead, at the overview."""
    context = await chromium.new_context(
        java_script_enabled=scripts, viewport={"width": width, "height": 768}, locale="vi-VN"
    )
    page = await context.new_page()
    await page.goto(place.address)
    await page.get_by_role("link", name="chủ trì").click()
    await page.wait_for_url(place.address + "/")
    return page


@pytest_asyncio.fixture
async def known(place: Place, bus: Bus, province: Province) -> AsyncIterator[None]:
    """One camera that nobody has measured yet."""
    await province.publish(bus, *province.base(), province.stated("camera", province.camera()))
    yield


async def test_every_page_runs_under_its_policy_and_fits_a_phone(chromium: Browser, place: Place, known: None) -> None:
    page = await signed_in(chromium, place, width=360)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in PAGES:
        await page.goto(place.address + path)
        await page.wait_for_load_state()
        if path != "/wall":
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
    assert complaints == []


async def test_without_scripts_pages_show_the_same_figures(chromium: Browser, place: Place, known: None) -> None:
    page = await signed_in(chromium, place, scripts=False)
    for path in PAGES:
        await page.goto(place.address + path)
        assert await page.locator("main").inner_text(), path
    await page.goto(place.address)
    assert "tự tải lại" in await page.content()
    await page.get_by_role("link", name="English").click()
    await page.wait_for_url(place.address + "/")
    assert await page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("how", ["cut", "silence"])
async def test_figures_say_that_they_are_old_when_reporting_is_cut(
    chromium: Browser, place: Place, known: None, how: str
) -> None:
    page = await signed_in(chromium, place)
    await page.goto(place.address + "/cameras")
    await page.locator("[data-figure]").first.wait_for()
    await page.locator("body:not(.is-stale)").wait_for(state="attached", timeout=60_000)
    getattr(place.to_reporting, how)()
    await page.locator("body.is-stale").wait_for(state="attached", timeout=STALE_WITHIN_MS)
    assert "SỐ LIỆU CŨ" in await page.locator("#age-words").inner_text()
    assert "báo cáo" in await page.locator("#age-words").inner_text()
    figures = await page.locator("[data-figure]").all()
    assert figures
    for figure in figures:
        assert "cũ" in await figure.inner_text()
    place.to_reporting.mend()
    await page.locator("body:not(.is-stale)").wait_for(state="attached", timeout=60_000)
    assert await page.locator(".old").count() == 0


@pytest.mark.parametrize("how", ["cut", "silence"])
async def test_figures_say_that_they_are_old_when_the_console_is_cut(
    chromium: Browser, place: Place, known: None, how: str
) -> None:
    page = await signed_in(chromium, place)
    await page.goto(place.address + "/cameras")
    await page.locator("body:not(.is-stale)").wait_for(state="attached", timeout=60_000)
    getattr(place.to_console, how)()
    await page.locator("body.is-stale").wait_for(state="attached", timeout=STALE_WITHIN_MS)
    assert "máy chủ" in await page.locator("#age-words").inner_text()
    place.to_console.mend()
    await page.locator("body:not(.is-stale)").wait_for(state="attached", timeout=60_000)


async def test_figures_stay_and_are_old_when_reporting_is_cut_while_the_page_is_loaded_again(
    chromium: Browser, place: Place, known: None, bus: Bus, province: Province
) -> None:
    page = await signed_in(chromium, place)
    await page.goto(place.address + "/cameras")
    await page.locator("[data-figure]").first.wait_for()
    await page.locator("body:not(.is-stale)").wait_for(state="attached", timeout=60_000)
    asked = asyncio.Event()

    async def cut_and_go_on(route: Route) -> None:
        place.to_reporting.cut()
        await route.continue_()
        asked.set()

    await page.route("**/cameras", cut_and_go_on)
    await province.publish(bus, province.stated("camera", province.camera("CAM-02")))
    await asyncio.wait_for(asked.wait(), 60)
    await page.locator("body.is-stale").wait_for(state="attached", timeout=STALE_WITHIN_MS)
    figures = [await figure.inner_text() for figure in await page.locator("[data-figure]").all()]
    assert figures
    assert all("cũ" in each for each in figures)
    assert "báo cáo" in await page.locator("#age-words").inner_text()
    await page.unroute("**/cameras")
    place.to_reporting.mend()
    await page.get_by_text("CAM-02").first.wait_for(timeout=60_000)
    await page.locator("body:not(.is-stale)").wait_for(state="attached", timeout=60_000)


async def test_figures_say_that_they_are_old_when_the_workers_are_cut(
    chromium: Browser, place: Place, known: None, bus: Bus, province: Province
) -> None:
    async def live() -> None:
        while True:
            await province.publish(bus, *province.watched(datetime.now(UTC)))
            await asyncio.sleep(1)

    page = await signed_in(chromium, place)
    await page.goto(place.address + "/cameras")
    workers = asyncio.create_task(live())
    await page.locator('[data-age="workers"]', has_text=re.compile(r"^\d giây$")).wait_for(timeout=60_000)
    await page.locator("body:not(.is-stale)").wait_for(state="attached", timeout=60_000)
    workers.cancel()
    await asyncio.wait({workers})
    await page.locator("body.is-stale").wait_for(state="attached", timeout=STALE_WITHIN_MS)
    assert "bộ đo" in await page.locator("#age-words").inner_text()
    assert all(["cũ" in await figure.inner_text() for figure in await page.locator("[data-figure]").all()])
    assert await page.locator('[data-age="proof"]').inner_text() == "chưa có"


async def test_enter_in_the_note_of_a_call_says_no_outcome(chromium: Browser, place: Place, known: None) -> None:
    page = await signed_in(chromium, place)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    await page.goto(f"{place.address}/acts/call?about_noun=facility&about_id={uuid4()}&who=Mai")
    await page.locator("input[name=note]").fill("Máy bận")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Đã nghe máy").wait_for()
    assert "POST" not in sent
    await page.get_by_role("button", name="Không nghe máy").click()
    await page.wait_for_load_state()
    assert "POST" in sent


async def test_a_page_is_never_called_old_while_it_is_loaded(chromium: Browser, place: Place, known: None) -> None:
    page = await signed_in(chromium, place)
    for path in PAGES[:-1]:
        await page.goto(place.address + path)
        assert "is-stale" not in (await page.locator("body").get_attribute("class") or "").split(), path
