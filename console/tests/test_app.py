"""What every answer of the console says to a browser, and what it says while something is away."""

import httpx
import pytest
from console.tests.conftest import Browser
from fastapi import FastAPI

pytestmark = pytest.mark.server


async def test_every_page_has_the_policy_and_is_stored_by_nobody(browser: Browser) -> None:
    for path in ("/sign-out", "/no-such-page", "/static/live.js"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "require-trusted-types-for 'script'" in policy
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert (await browser.get("/sign-out")).headers["cache-control"] == "no-store"


async def test_pages_are_vietnamese_and_english_by_choice(browser: Browser) -> None:
    assert '<html lang="vi">' in (await browser.get("/sign-out")).text
    back = await browser.get("/language/en?to=/sign-out")
    assert back.headers["location"] == "/sign-out"
    page = await browser.get("/sign-out")
    assert '<html lang="en">' in page.text
    assert "Sign out" in page.text
    assert (await browser.get("/language/en?to=//evil.example")).headers["location"] == "/"


async def test_a_page_says_which_service_is_away_and_since_when(browser: Browser) -> None:
    page = await browser.sign_in()
    assert page.status_code == 503
    assert "Dịch vụ báo cáo không trả lời từ" in page.text
    assert "Phần này đang thiếu" in page.text
    assert "Sở Thông tin và Truyền thông (chủ trì)" in page.text


async def test_health_and_metrics_need_nobody(browser: Browser) -> None:
    assert (await browser.get("/livez")).json() == {"status": "alive"}
    assert (await browser.get("/readyz")).json()["status"] == "ready"
    metrics = (await browser.get("/metrics")).text
    assert "vonggac_console_listeners 0.0" in metrics
    assert "vonggac_console_ready" in metrics


async def test_live_needs_somebody_and_ends_no_page(browser: Browser) -> None:
    assert (await browser.get("/live")).status_code == 401


async def test_without_nats_pages_say_so(app: FastAPI, browser: Browser) -> None:
    await browser.sign_in()
    app.state.visitors = None
    page = await browser.get("/")
    assert page.status_code == 503
    assert "NATS" in page.text


async def test_a_method_that_no_page_has_is_refused(browser: Browser) -> None:
    answer = await browser.console.request("DELETE", "/", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == httpx.codes.METHOD_NOT_ALLOWED
