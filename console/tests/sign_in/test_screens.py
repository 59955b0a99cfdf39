"""A browser becomes a wall screen for a month: it reads the wall alone, is listed, and is ended from elsewhere."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace

import pytest
import pytest_asyncio
from console.tests.conftest import ORIGIN, Browser, running_console
from fastapi import FastAPI
from fastapi.routing import APIRoute
from nats.js.api import StreamConfig

from console.app import measure_buckets
from console.sign_in.screens import LASTS_S, MOST_OF_ONE
from local.issuer.settings import IssuerSettings
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer
from vonggac.testing.fixtures import connected_as
from vonggac.testing.waiting import eventually, running_beside

pytestmark = pytest.mark.server
DAY = 86_400.0
END = re.compile(r'action="(/screens/[0-9a-f]{64}/end)"')
READER = "Người xem tiến độ"
type Narrow = Callable[[str], Awaitable[None]]
FORM = {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}


async def make(browser: Browser, name: str = "Phòng trực") -> None:
    """This browser becomes a wall screen."""
    page = await browser.get("/screens")
    made = await browser.send(page, name=name)
    assert (made.status_code, made.headers["location"]) == (303, "/wall"), made.text


@pytest_asyncio.fixture
async def screen(app: FastAPI, browser: Browser) -> Browser:
    """A screen of the province's lead."""
    await browser.sign_in()
    await make(browser)
    return browser


@pytest_asyncio.fixture
async def desk(app: FastAPI) -> AsyncIterator[Browser]:
    """Another browser of the lead."""
    made = Browser(app)
    await made.sign_in()
    yield made
    await made.close()


def is_sent_to_sign_in(answer_status: int, location: str) -> bool:
    return answer_status == 303 and location.startswith("/sign-in?")


def pages_of(routes: Sequence[object]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            yield route
        elif (router := getattr(route, "original_router", None)) is not None:
            yield from pages_of(router.routes)


async def test_it_reads_the_wall_and_no_other_page(app: FastAPI, screen: Browser) -> None:
    assert "vonggac_session" not in screen.console.cookies
    assert "Màn hình lớn" in (await screen.get("/wall")).text
    pages = {route.path for route in pages_of(app.routes)}
    closed = {path.replace("{code}", "KCL-01") for path in pages if "{" not in path or path.endswith("{code}")}
    # Those without a person, the stream of the wall, the pages behind a facility's link, which knows no person, and the
    # survey's page, which says nothing of anybody.
    closed = {path for path in closed if path != "/f" and not path.startswith(("/f/", "/survey"))}
    closed -= {"/wall", "/live", "/sign-in", "/sign-in/callback", "/sign-out", "/livez", "/readyz", "/metrics"}
    assert len(closed) > 12
    for path in sorted(closed):
        answer = await screen.get(path)
        assert is_sent_to_sign_in(answer.status_code, answer.headers.get("location", "")), path
    assert (await screen.get("/survey/sheets")).status_code == 401
    acted = await screen.console.post("/acts/inventory/add_agency", content=b"name=A", headers=FORM)
    assert is_sent_to_sign_in(acted.status_code, acted.headers["location"])
    assert (await screen.console.post("/pictures", json={}, headers={"Origin": ORIGIN})).status_code in {401, 422}


async def test_it_is_listed_with_its_maker_and_ended_from_elsewhere(screen: Browser, desk: Browser) -> None:
    listed = (await desk.get("/screens")).text
    assert "Phòng trực" in listed
    assert "Sở Thông tin và Truyền thông (chủ trì)" in listed
    # On a phone each figure stands on a line of its own, with what it is.
    names = {"Người tạo", "Tạo lúc", "Hoạt động gần nhất", "Hiệu lực đến"}
    assert {name for name in names if f'data-name="{name}"' in listed} == names
    found = END.search(listed)
    assert found is not None
    ended = await desk.post(found[1], Origin=ORIGIN)
    assert ended.headers["location"] == "/screens"
    assert END.search((await desk.get("/screens")).text) is None
    answer = await screen.get("/wall")
    assert is_sent_to_sign_in(answer.status_code, answer.headers["location"])
    assert (await screen.get("/live")).status_code == 401


async def test_who_did_not_make_it_and_reads_no_audit_neither_sees_nor_ends_it(
    app: FastAPI, screen: Browser, desk: Browser
) -> None:
    found = END.search((await desk.get("/screens")).text)
    assert found is not None
    reader = Browser(app)
    await reader.sign_in(READER)
    assert "Phòng trực" not in (await reader.get("/screens")).text
    await reader.post(found[1], Origin=ORIGIN)
    await reader.close()
    assert (await screen.get("/wall")).status_code != 303
    assert END.search((await desk.get("/screens")).text) is not None


async def test_a_stream_that_is_open_ends_with_its_screen(app: FastAPI, screen: Browser) -> None:
    listeners = app.state.listeners
    listeners.known_every_s = 0.0
    cookie = screen.console.cookies["vonggac_screen"]
    known = [True]

    async def is_known() -> bool:
        return known[0] and await app.state.screens.load(cookie) is not None

    stream = listeners.stream("token", float("inf"), {}, None, is_known)
    assert await anext(stream) == b"retry: 2000\n\n"
    assert b"event: ages" in await anext(stream)
    await app.state.screens.close(cookie)
    assert [each async for each in stream] == []


async def test_it_lasts_for_a_month_and_its_tokens_are_renewed(
    nats_server: NatsServer, bus: Bus, issuer: IssuerSettings
) -> None:
    shift = [0.0]

    def unix_s() -> float:
        return asyncio.get_running_loop().time() + 1_800_000_000 + shift[0]

    async with running_console(nats_server, issuer, unix_s) as app:
        browser = Browser(app)
        await browser.sign_in()
        await make(browser)
        before = await app.state.screens.load(browser.console.cookies["vonggac_screen"])
        shift[0] += 29 * DAY
        assert (await browser.get("/wall")).status_code != 303
        after = await app.state.screens.load(browser.console.cookies["vonggac_screen"])
        assert after[0].access != before[0].access
        assert after[0].seen_at_s - before[0].seen_at_s > 28 * DAY
        shift[0] += LASTS_S - 29 * DAY
        assert is_sent_to_sign_in((answer := await browser.get("/wall")).status_code, answer.headers["location"])
        await browser.close()


async def test_who_reads_the_bus_sees_who_made_it_and_no_token(app: FastAPI, screen: Browser, bus: Bus) -> None:
    cookie = screen.console.cookies["vonggac_screen"]
    session, _ = await app.state.screens.load(cookie)
    (record,) = (await Bucket(bus, topology.CONSOLE_SCREENS).all()).values()
    assert session.subject.encode() in record
    for secret in (cookie, session.access, session.refresh, "eyJ"):
        assert secret.encode() not in record


async def test_no_service_but_the_console_reads_screens(nats_server: NatsServer, screen: Browser) -> None:
    async with connected_as("reporting", nats_server) as other:
        with pytest.raises(TimeoutError):
            await Bucket(other, topology.CONSOLE_SCREENS).all()


@pytest.mark.parametrize("name", ["", "   ", "a" * 81, "a\u202eb"])
async def test_a_screen_without_a_place_is_refused_at_the_form(browser: Browser, name: str) -> None:
    await browser.sign_in()
    page = await browser.send(await browser.get("/screens"), name=name)
    assert page.status_code == 422
    assert "Hãy ghi màn hình đặt ở đâu" in page.text
    assert "vonggac_session" in browser.console.cookies


async def test_one_person_makes_twenty_screens_at_most(app: FastAPI, browser: Browser) -> None:
    await browser.sign_in()
    session, _ = await app.state.visitors.sessions.load(browser.console.cookies["vonggac_session"])
    for number in range(MOST_OF_ONE):
        await app.state.screens.open(replace(session, screen=f"S{number}"))
    page = await browser.send(await browser.get("/screens"), name="one more")
    assert page.status_code == 422
    assert "20 màn hình" in page.text


async def test_a_form_of_another_site_makes_and_ends_no_screen(browser: Browser) -> None:
    await browser.sign_in()
    headers = {**FORM, "Origin": "https://evil.example"}
    for path in ("/screens", f"/screens/{'0' * 64}/end"):
        assert (await browser.console.post(path, content=b"name=A", headers=headers)).status_code == 403


@pytest_asyncio.fixture
async def narrow(bus: Bus) -> AsyncIterator[Narrow]:
    """Narrow the bound of a bucket to what lies in it, for one test."""
    before: list[StreamConfig] = []

    async def narrow(bucket: str) -> None:
        stands = await bus.js.stream_info(f"KV_{bucket}")
        before.append(stands.config)
        config = stands.config.as_dict() | {"max_bytes": int(stands.state.bytes / 0.95) + 1}
        await bus.js.update_stream(StreamConfig.from_response(config))

    yield narrow
    for config in before:
        await bus.js.update_stream(config)


async def test_a_bucket_that_is_nearly_full_is_shown_in_metrics(
    app: FastAPI, desk: Browser, browser: Browser, narrow: Narrow
) -> None:
    await narrow(topology.CONSOLE_SESSIONS)

    async def is_shown() -> bool:
        lines = (await browser.get("/metrics")).text.splitlines()
        named = 'vonggac_console_bucket_ratio{bucket="console_sessions"} '
        return any(float(line.removeprefix(named)) > 0.8 for line in lines if line.startswith(named))

    async with running_beside(measure_buckets(app.state.bus, app.state.metrics)):
        await eventually(is_shown)


async def test_at_the_bound_nobody_new_signs_in_and_who_is_in_stays(
    app: FastAPI, desk: Browser, browser: Browser, narrow: Narrow
) -> None:
    await narrow(topology.CONSOLE_SESSIONS)
    refused = await browser.sign_in()
    assert refused.status_code == 503
    assert "Không còn chỗ" in refused.text
    assert "vonggac_session" not in browser.console.cookies
    assert (await desk.get("/screens")).status_code == 200


async def test_at_the_bound_no_screen_is_made_and_its_person_stays_signed_in(
    app: FastAPI, screen: Browser, desk: Browser, narrow: Narrow
) -> None:
    await narrow(topology.CONSOLE_SCREENS)
    refused = await desk.send(await desk.get("/screens"), name="Sảnh")
    assert refused.status_code == 503
    assert "vonggac_session" in desk.console.cookies
    assert (await desk.get("/screens")).status_code == 200
