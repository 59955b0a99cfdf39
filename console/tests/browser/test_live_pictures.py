"""The tile of a camera plays what its centre gives back, says what it cannot play, and hangs up when it is left."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from console.tests.browser.axe import find_violations, load_axe
from console.tests.browser.conftest import Place
from console.tests.conftest import serve
from fastapi import FastAPI
from playwright.async_api import Browser, Locator, Page, expect
from services.prober.tests.conftest import simulate
from services.reporting.tests.stage.province import Province

from prober.app import create_app as create_prober
from prober.settings import Settings as ProberSettings
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE
from vonggac.bus import Bus
from vonggac.embedded import NatsServer
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.testing import eventually
from vonggac.testing.fixtures import login_of

__all__ = ["simulate"]

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(240)]
expect.set_options(timeout=30_000)
NOWHERE = "rtsp://127.0.0.1:9/live"
PIXELS = """video => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const drawn = canvas.getContext("2d");
  drawn.drawImage(video, 0, 0);
  return Array.from(drawn.getImageData(0, 0, canvas.width, canvas.height).data.filter((_, at) => at % 4 === 1));
}"""


@pytest_asyncio.fixture
async def prober(place: Place, bus: Bus, nats_server: NatsServer, keys_folder: Path) -> AsyncIterator[FastAPI]:
    """A prober at the port that the console of `place` calls."""
    given = {
        **login_of(nats_server, "prober"),
        "workers_private_key_file": keys_folder / WORKERS_PRIVATE,
        "jwks_file": keys_folder / JWKS,
        "allowed_networks": ("127.0.0.0/8",),
        "decoder_processes": 1,
    }
    app = create_prober(ProberSettings.model_validate(given))
    async with serve(app, place.prober_port, lifespan="on"):
        await eventually(lambda: app.state.process.stills is not None, what="a prober that works")
        yield app
        app.state.end_streams()


@pytest_asyncio.fixture
async def centres(simulate: Any) -> Any:
    """A centre with H.264, one with H.265."""
    return (await simulate({"id": "h264"}, {"id": "h265", "codec": "h265"})).cameras


async def plan(bus: Bus, province: Province, national: str | None, provincial: str | None) -> CameraV1:
    """A camera with both deliveries, read back from these addresses."""
    deliveries = tuple(
        PlannedDelivery(id=uuid4(), destination_id=centre, destination_code=code, url=NOWHERE, read_back_url=address)
        for centre, code, address in ((province.national, "BO", national), (province.provincial, "TINH", provincial))
    )
    camera = province.camera("CAM-01", deliveries=deliveries, url=NOWHERE, probe_interval_s=600)
    await province.publish(bus, *province.base(), province.stated("camera", camera))
    return camera


async def open_camera(chromium: Browser, place: Place, who: str, width: int = 1366, *, scripts: bool = True) -> Page:
    context = await chromium.new_context(
        java_script_enabled=scripts, viewport={"width": width, "height": 768}, locale="vi-VN"
    )
    page = await context.new_page()
    page.set_default_timeout(60_000)
    await page.goto(place.address)
    await page.get_by_role("link", name=who).click()
    await page.wait_for_url(place.address + "/")

    async def is_known() -> bool:
        await page.goto(place.address + "/cameras/CAM-01")
        return await page.locator("#pictures").count() > 0

    await eventually(is_known, within_s=90, what="a camera that reporting knows")
    return page


def tile_of(page: Page, delivery: PlannedDelivery) -> Locator:
    return page.locator(f'figure[data-delivery="{delivery.id}"]')


async def test_tile_plays_what_the_centre_gives_back_and_hangs_up_when_it_is_left(
    chromium: Browser, place: Place, bus: Bus, province: Province, prober: FastAPI, centres: Any
) -> None:
    camera = await plan(bus, province, centres["h264"].url(), None)
    page = await open_camera(chromium, place, "Trực ban", width=360)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    tile, lives = tile_of(page, camera.deliveries[0]), prober.state.process.lives

    await tile.get_by_role("button", name="Xem trực tiếp").focus()
    await page.keyboard.press("Enter")
    video = tile.locator("video")
    await expect(tile.locator(".kind")).to_have_text("TRỰC TIẾP: hình trung tâm trả lại")
    await expect(video).to_be_visible()
    assert await video.evaluate("each => each.videoWidth") == 320
    first, began = await video.evaluate(PIXELS), await video.evaluate("each => each.currentTime")
    assert max(first) - min(first) > 40, "not black"
    await page.wait_for_function("began => document.querySelector('video').currentTime > began + 1", arg=began)
    assert await video.evaluate(PIXELS) != first, "the picture moves"
    frames = "each => each.getVideoPlaybackQuality().totalVideoFrames"
    assert await video.evaluate(frames) > 5
    assert lives.open == 1
    assert await find_violations(page, load_axe()) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360

    # Stopped by the keyboard: the button in its place has the focus, and the last picture stays, marked as old.
    await page.keyboard.press("Enter")
    await expect(tile.locator(".kind")).to_contain_text("HÌNH CŨ")
    await expect(tile.locator("img")).to_be_visible()
    await expect(video).to_be_hidden()
    await eventually(lambda: lives.open == 0, what="a prober that nobody views")

    await page.keyboard.press("Enter")
    await expect(tile.locator(".kind")).to_have_text("TRỰC TIẾP: hình trung tâm trả lại")
    assert lives.open == 1
    assert complaints == []
    await page.close()
    await eventually(lambda: lives.open == 0, what="a prober that nobody views")
    await eventually(lambda: centres["h264"].sessions == 0, what="a centre that was hung up on")


async def test_tile_has_still_pictures_where_it_cannot_play_and_nobody_without_the_right_has_one(
    chromium: Browser, place: Place, bus: Bus, province: Province, prober: FastAPI, centres: Any
) -> None:
    camera = await plan(bus, province, centres["h265"].url(), None)
    page = await open_camera(chromium, place, "Trực ban")
    tile = tile_of(page, camera.deliveries[0])
    await tile.get_by_role("button", name="Xem trực tiếp").click()
    await expect(tile.locator("img")).to_be_visible()
    await expect(tile.locator(".kind")).to_contain_text("Hình trung tâm trả lại")
    await expect(tile.locator(".notes")).to_contain_text("hình tĩnh")
    assert await tile.locator("img").evaluate("each => each.naturalWidth") == 320
    await tile.get_by_role("button", name="Dừng").click()
    await expect(tile.locator(".kind")).to_contain_text("HÌNH CŨ")

    blind = tile_of(page, camera.deliveries[1])
    await blind.get_by_role("button", name="Xem trực tiếp").click()
    await expect(blind.locator(".notes")).to_contain_text("Trung tâm không trả lại hình.")
    assert await blind.locator(".kind").inner_text()
    assert await blind.get_attribute("data-of") is None, "no picture of anybody is called the centre's"

    page = await open_camera(chromium, place, "Người xem tiến độ")
    assert await page.locator("figure[data-picture], [data-watch], video").count() == 0
    assert "Không được phép" in await page.locator("#pictures").inner_text()
    wanted = {"camera": str(camera.id), "delivery": str(camera.deliveries[0].id)}
    send = """wanted => fetch("/pictures/live", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(wanted)
    }).then(async answer => [answer.status, (await answer.json()).kind])"""
    assert await page.evaluate(send, wanted) == [403, "denied"]
    assert prober.state.process.lives.open == 0


async def test_without_scripts_each_tile_shows_a_still_picture_or_why_there_is_none(
    chromium: Browser, place: Place, bus: Bus, province: Province, prober: FastAPI, centres: Any
) -> None:
    camera = await plan(bus, province, centres["h264"].url(), None)
    page = await open_camera(chromium, place, "Trực ban", width=360, scripts=False)
    await tile_of(page, camera.deliveries[0]).get_by_role("button", name="Xem").click()
    shown = page.locator("figure.still")
    await expect(shown.locator(".kind")).to_contain_text("Hình trung tâm trả lại · cách đây")
    size = await shown.locator("img").bounding_box()
    assert size is not None
    assert size["width"] > 200
    await expect(shown.locator("figcaption")).to_contain_text("Bộ D1")

    await page.get_by_role("link", name="Về trang của camera").click()
    await tile_of(page, camera.deliveries[1]).get_by_role("button", name="Xem").click()
    await expect(shown.locator(".notes")).to_contain_text("Trung tâm không trả lại hình.")
    await expect(shown.locator("img")).to_have_count(0)
    await page.get_by_role("button", name="Xem lại").click()
    await expect(shown.locator(".notes")).to_contain_text("Trung tâm không trả lại hình.")

    await page.goto(place.address + "/pictures")
    await tile_of(page, camera.deliveries[0]).get_by_role("button", name="Xem").click()
    await expect(shown.locator("img")).to_be_visible()
