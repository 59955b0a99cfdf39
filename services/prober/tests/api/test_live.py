"""Live pictures for a person: what the centre gives back, once however many view it, bounded, on record."""

import asyncio
import io
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import av
import httpx
import numpy as np
import pytest
import pytest_asyncio
import uvicorn
from services.prober.tests.api.conftest import As, delivery_to, views

from prober.probes.service import Process
from prober.probes.viewing.live import LiveViews
from vonggac.auth import Role
from vonggac.bus import Bus
from vonggac.embedded import free_port
from vonggac.events import new_event, subjects
from vonggac.events.inventory import CameraV1, FacilityStatus, FacilityType, FacilityV1
from vonggac.testing.waiting import eventually

pytestmark = pytest.mark.slow

NOWHERE = "rtsp://127.0.0.1:9/live"


@pytest_asyncio.fixture
async def served(viewer: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """The app of `viewer` behind a port: the transport of the tests gives an answer only when it is whole."""
    app = viewer._transport.app  # type: ignore[attr-defined]
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started, what="a server")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=viewer.headers, timeout=30) as client:
        yield client
    app.state.end_streams()
    server.should_exit = True
    await serving


@pytest.fixture
def process(viewer: httpx.AsyncClient) -> Process:
    found: Process = viewer._transport.app.state.process  # type: ignore[attr-defined]
    return found


def lives_of(process: Process) -> LiveViews:
    assert process.lives is not None
    return process.lives


@pytest_asyncio.fixture
async def centre(simulate: Any) -> Any:
    return (await simulate({"id": "centre"})).cameras["centre"]


async def planned(planner: Any, url: str | None, **changes: Any) -> tuple[CameraV1, dict[str, str]]:
    """A camera with one delivery, and the request for its live pictures."""
    delivery = delivery_to(url)
    camera = await planner.camera(NOWHERE, deliveries=(delivery,), probe_interval_s=600.0, **changes)
    return camera, {"camera_id": str(camera.id), "delivery_id": str(delivery.id)}


@asynccontextmanager
async def watching(client: httpx.AsyncClient, wanted: dict[str, str]) -> AsyncIterator[AsyncIterator[bytes]]:
    """One viewer, and what comes."""
    async with client.stream("POST", "/v1/pictures/live", json=wanted) as answer:
        assert answer.status_code == 200, (await answer.aread()).decode()
        assert re.fullmatch(r'video/mp4; codecs="avc1\.[0-9a-f]{6}"', answer.headers["content-type"])
        assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
        yield answer.aiter_raw()


async def read_fragments(stream: AsyncIterator[bytes], least: int) -> bytes:
    data = b""
    async for piece in stream:
        data += piece
        if data.count(b"moof") > least:
            return data[: data.rindex(b"moof") - 4]
    return data


def pictures_of(data: bytes) -> list[tuple[float, Any]]:
    """When each picture is shown, and its grey."""
    with av.open(io.BytesIO(data), mode="r", format="mp4") as container:
        return [(float(frame.time), frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


async def problem_of(client: httpx.AsyncClient, wanted: dict[str, str]) -> tuple[int, str, str, str]:
    answer = await client.post("/v1/pictures/live", json=wanted)
    body = answer.json()
    return answer.status_code, body["code"], body["detail"], body["detail_vi"]


async def test_what_a_centre_gives_back_plays_as_fragmented_mp4(
    served: httpx.AsyncClient, bus: Bus, centre: Any, planner: Any
) -> None:
    camera, wanted = await planned(planner, centre.url())
    async with watching(served, wanted) as stream:
        data = await read_fragments(stream, 6)
    assert data[4:8] == b"ftyp"
    pictures = pictures_of(data)
    assert len(pictures) >= 10
    times = [at for at, _ in pictures]
    assert np.allclose(np.diff(times), 0.1, atol=0.005), "ten pictures a second, each at its time"
    assert {grey.shape for _, grey in pictures} == {(180, 320)}
    assert all(grey.std() > 10 for _, grey in pictures), "not black"
    assert any(not np.array_equal(pictures[0][1], grey) for _, grey in pictures), "they move"
    (record,) = await views(bus)
    assert (record.kind, record.camera_id, record.caller, record.refused) == ("view", camera.id, "duty-desk", None)
    assert record.targets == (f"camera {camera.id}, delivery {wanted['delivery_id']}, live",)


async def test_two_viewers_are_one_session_and_the_last_who_leaves_ends_it(
    served: httpx.AsyncClient, process: Process, centre: Any, planner: Any
) -> None:
    _, wanted = await planned(planner, centre.url())
    async with watching(served, wanted) as first:
        await anext(first)
        async with watching(served, wanted) as second:
            assert pictures_of(await read_fragments(second, 3)), "from the next keyframe on"
            assert lives_of(process).open == 2
        await eventually(lambda: lives_of(process).open == 1)
        await anext(first)
        assert (centre.sessions, centre.sessions_total) == (1, 1)
    await eventually(lambda: centre.sessions == 0)
    assert lives_of(process).open == 0


async def test_more_viewers_than_a_delivery_bears_are_refused(
    served: httpx.AsyncClient, process: Process, bus: Bus, centre: Any, planner: Any
) -> None:
    assert process.verifications is not None
    process.lives = LiveViews(process.verifications.verifier, process._metrics, most=2, most_of_one=1)
    _, wanted = await planned(planner, centre.url())
    _, other = await planned(planner, centre.url())
    async with watching(served, wanted) as first:
        await anext(first)
        answer = await served.post("/v1/pictures/live", json=wanted)
        assert (answer.status_code, answer.json()["code"]) == (429, "live_viewers")
        assert answer.headers["retry-after"]
        async with watching(served, other) as second:
            await anext(second)
        assert len(await views(bus)) == 2, "who is refused views nothing"


async def test_it_ends_by_itself(
    served: httpx.AsyncClient, centre: Any, planner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prober.api.live.LONGEST_S", 1.0)
    _, wanted = await planned(planner, centre.url())
    began = time.monotonic()
    async with watching(served, wanted) as stream:
        data = b"".join([piece async for piece in stream])
    assert pictures_of(data)
    assert time.monotonic() - began < 10
    await eventually(lambda: centre.sessions == 0)


async def test_a_centre_that_gives_nothing_back_is_said_in_two_languages(
    served: httpx.AsyncClient, planner: Any, client_as: As
) -> None:
    _, blind = await planned(planner, None)
    status, code, english, vietnamese = await problem_of(served, blind)
    assert (status, code) == (409, "not_given_back")
    assert "gives nothing back" in english
    assert "không trả lại hình" in vietnamese
    _, away = await planned(planner, NOWHERE)
    assert (await problem_of(served, away))[:2] == (502, "centre_failed")
    assert "refused" not in (await problem_of(served, away))[2], "coarse for who does not operate"
    client_as(Role.PROVINCE_LEAD)


async def test_h265_is_a_problem_of_its_own(served: httpx.AsyncClient, simulate: Any, planner: Any) -> None:
    centre = (await simulate({"id": "centre", "codec": "h265"})).cameras["centre"]
    _, wanted = await planned(planner, centre.url())
    status, code, english, vietnamese = await problem_of(served, wanted)
    assert (status, code) == (409, "live_codec")
    assert "still picture" in english
    assert "hình tĩnh" in vietnamese
    await eventually(lambda: centre.sessions == 0)


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.PROVINCE_LEAD, Role.VIEWER}])
async def test_no_other_role_includes_live_pictures(client_as: As, role: Role) -> None:
    wanted = {"camera_id": str(uuid4()), "delivery_id": str(uuid4())}
    answer = await client_as(role).post("/v1/pictures/live", json=wanted)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_a_restricted_site_is_not_there_without_its_right(client_as: As, bus: Bus, planner: Any) -> None:
    state: dict[str, Any] = {"changed_at": datetime.now(UTC), "revision": 1, "code": "KCL", "name": "Khu"}
    state |= {"type": FacilityType.SCHOOL, "status": FacilityStatus.ACTIVE, "unit_id": uuid4()}
    site = FacilityV1(id=uuid4(), managing_agency_id=uuid4(), restricted=True, **state)
    event = new_event(site, source="/inventory", subject=f"facility/{site.id}", time=datetime.now(UTC))
    await bus.js.publish(subjects.inventory("facility", site.id), event.encode())
    _, wanted = await planned(planner, None, facility_id=site.id)

    async def view(*roles: Role) -> tuple[int, str]:
        return (await problem_of(client_as(*roles), wanted))[:2]

    assert await view(Role.VIEWER, Role.READER) == (404, "camera_not_found")
    assert await view(Role.VIEWER, Role.AUTHORITY) == (409, "not_given_back")
    assert await view(Role.AUTHORITY) == (403, "forbidden")
