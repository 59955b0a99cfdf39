"""The case of the letter in the browser alone: from the directive to the report that was approved and verified."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(400)]
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


async def sign_in(chromium: Browser, office: str, who: str) -> Page:
    """A page of a person, at the overview."""
    context = await chromium.new_context(viewport={"width": 1366, "height": 768}, locale="vi-VN")
    page = await context.new_page()
    page.set_default_timeout(60_000)
    await page.goto(office)
    await page.get_by_role("link", name=who).click()
    await page.wait_for_url(office + "/")
    return page


async def carry_out(page: Page, address: str, **typed: str) -> None:
    """Fill in the form at an address and send it. Fails where the page says that it was not carried out."""
    await page.goto(address)
    for name, value in typed.items():
        field = page.locator(f'[name="{name.replace("__", ".")}"]')
        if await field.evaluate("each => each.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)
    await page.locator("form.act button.main").click()
    await page.locator(".done, #summary").first.wait_for()
    assert await page.locator("#summary").count() == 0, await page.locator("#summary").inner_text()


async def test_letter_from_directive_to_verified_report_in_the_browser_alone(
    chromium: Browser, office: str, tmp_path: Path
) -> None:
    lead, decider = await sign_in(chromium, office, "chủ trì"), await sign_in(chromium, office, "quyết định")
    act = f"{office}/acts/inventory"
    await carry_out(lead, f"{act}/add_agency", code="UBND", name="Ủy ban nhân dân tỉnh", role="peoples_committee")
    await carry_out(lead, f"{act}/add_agency", code="SYT", name="Sở Y tế", role="managing")
    await carry_out(
        lead,
        f"{act}/add_directive",
        code="CV-1742",
        number="1742/UBND-VX",
        issuer_id="UBND",
        issued_on="2021-05-07",
        subject="Kết nối camera các khu cách ly",
    )
    await carry_out(
        lead,
        f"{act}/add_obligation",
        code="NV-1",
        name="Báo cáo kết quả kết nối",
        kind="report",
        directive_id="CV-1742",
        responsible_agency_id="SYT",
    )
    day = datetime.now(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    period = {"from": f"{day - timedelta(days=9):%Y-%m-%dT%H:%M}", "to": f"{day - timedelta(days=8):%Y-%m-%dT%H:%M}"}
    await carry_out(lead, f"{office}/acts/reporting/freeze_report", **period)
    report = lead.url.partition("?")[0]
    assert "chờ duyệt" in await (await lead.goto(report)).text()  # type: ignore[union-attr]
    await decider.goto(report)
    await decider.get_by_role("link", name="Duyệt", exact=True).click()
    await decider.locator("form.act button.main").click()
    await decider.locator(".done").wait_for()
    assert "decider" in await decider.locator("main").inner_text()
    for form in ("Word", "Excel", "PDF, để ký"):
        await decider.goto(report)
        async with decider.expect_download() as started:
            await decider.get_by_role("link", name=form, exact=True).click()
        file = tmp_path / (await started.value).suggested_filename
        await (await started.value).save_as(file)
        await decider.goto(f"{office}/reports/verify")
        await decider.set_input_files("#file", file)
        await decider.locator("form.act button.main").click()
        await decider.locator(".done", has_text="Đúng: còn nguyên vẹn.").wait_for()
