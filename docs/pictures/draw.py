"""`make pictures`: what a person sees, as PNG beside this file, from a running demo and from the example report.

Needs Debian's chromium, and pdftoppm of poppler-utils; names what is missing.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Browser, Page, async_playwright
from tests.e2e.platform import load

from local.commands.report_table import render
from local.platform.platform import Platform
from local.platform.ports import anywhere
from local.platform.progress import Progress
from local.platform.state import StateFolder

PICTURES = Path(__file__).parent
ROOT = PICTURES.parents[1]
REPORT = ROOT / "docs" / "examples" / "bao-cao.pdf"
REPORT_DPI = 80
LEAD = "chủ trì"
"""The person that the issuer of the demo offers, by a word of its link."""
TERMINAL_COLUMNS = 132
TERMINAL = """<pre style="font: 14px/1.35 monospace; background: #10181f; color: #e8eef2; padding: 16px;
display: inline-block; margin: 0">{}</pre>"""
SETTLED_MS = 3_000
"""A page draws its strips and ages within this."""


class Picture(NamedTuple):
    """A page and how wide its window is."""

    name: str
    path: str
    width: int
    height: int


PAGES = (
    Picture("overview", "/", 1366, 900),
    Picture("facilities", "/facilities", 1366, 768),
    Picture("cameras", "/cameras", 1366, 768),
    Picture("deliveries", "/deliveries", 1366, 768),
    Picture("wall", "/wall", 1920, 1080),
    Picture("phone", "/", 360, 740),
)


async def draw_pages(chromium: str) -> None:
    """Start the demo with throw-away state, wait for its truth, and draw each page as the province's lead."""
    with tempfile.TemporaryDirectory(prefix="vonggac-pictures-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101, S103 - PostgreSQL may run as another user
        platform = Platform(StateFolder(Path(folder)), anywhere(), allowed=("127.0.0.0/8",), progress=Progress())
        try:
            await platform.start()
            running = await load(platform)
            document = await running.truth(within_s=300)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                await _draw_terminal(browser, render(document, width=TERMINAL_COLUMNS))
                for picture in PAGES:
                    await _draw_page(browser, platform.addresses.console, picture)
                await browser.close()
        finally:
            await platform.stop()


async def _draw_terminal(browser: Browser, text: str) -> None:
    """Draw what `make run` and `make smoke` print of the cameras, as a terminal shows it."""
    page = await browser.new_page()
    await page.set_content(TERMINAL.format(escape(text)))
    await page.locator("pre").screenshot(path=PICTURES / "run.png")
    await page.close()
    print("drawn  docs/pictures/run.png")


async def _draw_page(browser: Browser, address: str, picture: Picture) -> None:
    size = {"width": picture.width, "height": picture.height}
    context = await browser.new_context(viewport=size, locale="vi-VN")  # type: ignore[arg-type] # a ViewportSize
    page: Page = await context.new_page()
    await page.goto(address)
    await page.get_by_role("link", name=LEAD).click()
    await page.goto(address + picture.path)
    await page.wait_for_timeout(SETTLED_MS)
    await page.screenshot(path=PICTURES / f"{picture.name}.png")
    await context.close()
    print(f"drawn  docs/pictures/{picture.name}.png")


def draw_report(pdftoppm: str) -> None:
    """Draw the first page of the example report."""
    target = PICTURES / "report"
    command = [pdftoppm, "-r", str(REPORT_DPI), "-png", "-singlefile", "-f", "1", "-l", "1", str(REPORT), str(target)]
    subprocess.run(command, check=True)
    print("drawn  docs/pictures/report.png")


def find_programs(names: Sequence[str]) -> list[str]:
    """Return where each program is. Raises SystemExit that names the first one that is missing."""
    found = []
    for name in names:
        path = shutil.which(name)
        if path is None:
            sys.exit(f"pictures: {name} is missing: apt install chromium poppler-utils")
        found.append(path)
    return found


def main() -> None:
    """Draw all pictures again."""
    chromium, pdftoppm = find_programs(("chromium", "pdftoppm"))
    draw_report(pdftoppm)
    asyncio.run(draw_pages(chromium))


if __name__ == "__main__":
    main()
