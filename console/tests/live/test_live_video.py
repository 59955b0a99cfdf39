"""Live pictures pass through the console for who has the right `view`, and end at the prober when they are left."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from console.tests.conftest import ORIGIN, Browser, serve
from console.tests.live.test_pictures import NOWHERE, OWN, delivery_to
from fastapi import FastAPI

from console.live.live_video import LIVE_STREAMS
from vonggac.embedded import free_port
from vonggac.testing import eventually


@pytest_asyncio.fixture
async def served(app: FastAPI, browser: Browser) -> AsyncIterator[httpx.AsyncClient]:
    """A duty officer's browser at a port: the transport of the tests gives an answer only when it is whole."""
    await browser.sign_in("Trực ban")
    port = free_port()
    cookies = {each.name: each.value or "" for each in browser.console.cookies.jar}
    async with (
        serve(app, port),
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={**OWN, "Host": ORIGIN.removeprefix("http://")}, timeout=30
        ) as client,
    ):
        client.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        yield client
        app.state.end_streams()


def wanted(camera: Any, delivery: Any) -> dict[str, str]:
    return {"camera": str(camera.id), "delivery": str(delivery.id)}


@pytest.mark.slow
async def test_video_of_a_centre_passes_and_who_leaves_ends_it_at_the_centre(
    served: httpx.AsyncClient, simulate: Any, planner: Any
) -> None:
    centre = (await simulate({"id": "centre"})).cameras["centre"]
    delivery, blind = delivery_to(centre.url()), delivery_to(None)
    camera = await planner.camera(NOWHERE, deliveries=(delivery, blind), probe_interval_s=600.0)
    async with served.stream("POST", "/pictures/live", json=wanted(camera, delivery)) as answer:
        assert answer.status_code == 200, (await answer.aread()).decode()
        assert answer.headers["content-type"].startswith('video/mp4; codecs="avc1.')
        assert answer.headers["cache-control"] == "no-store"
        pieces = answer.aiter_raw()
        assert (await anext(pieces))[4:8] == b"ftyp"
        await anext(pieces)
        assert centre.sessions >= 1
    await eventually(lambda: centre.sessions == 0, what="a centre that was hung up on")
    nothing = await served.post("/pictures/live", json=wanted(camera, blind))
    assert (nothing.status_code, nothing.json()["code"]) == (409, "not_given_back")
    assert "không trả lại hình" in nothing.json()["notes"][0]


@pytest.mark.slow
async def test_a_process_that_stops_ends_a_stream_between_two_rounds(
    served: httpx.AsyncClient, app: FastAPI, planner: Any
) -> None:
    camera = await planner.camera(NOWHERE, probe_interval_s=600.0)
    body = {"tiles": [{"camera": str(camera.id)}]}
    async with served.stream("POST", "/pictures/stream", json=body) as answer:
        lines = answer.aiter_lines()
        assert str(camera.id) in await anext(lines)
        app.state.end_streams()
        async with asyncio.timeout(5):
            assert [line async for line in lines] == []
    assert app.state.picture_streams.open == 0


async def test_who_has_no_right_gets_403_in_words(browser: Browser) -> None:
    await browser.sign_in("Người xem tiến độ")
    body = {"camera": str(uuid4()), "delivery": str(uuid4())}
    answer = await browser.console.post("/pictures/live", json=body, headers=OWN)
    assert (answer.status_code, answer.json()["kind"]) == (403, "denied")
    assert answer.json()["notes"]


async def test_so_many_are_played_and_no_more_and_nobody_without_a_session(app: FastAPI, browser: Browser) -> None:
    body = {"camera": str(uuid4()), "delivery": str(uuid4())}
    assert (await browser.console.post("/pictures/live", json=body, headers=OWN)).status_code == 401
    await browser.sign_in("Trực ban")
    app.state.lives.open = LIVE_STREAMS
    answer = await browser.console.post("/pictures/live", json=body, headers=OWN)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
