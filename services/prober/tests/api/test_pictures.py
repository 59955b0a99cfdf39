"""A picture for a person: whose it is, who may view, and that each view is on record."""

import asyncio
import io
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import av
import httpx
import pytest
import pytest_asyncio
from nats.aio.msg import Msg
from services.prober.tests.api.conftest import As, delivery_to, views

from prober.probes.viewing.rounds import Rounds
from vonggac.auth import Role
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.events import new_event, subjects
from vonggac.events.inventory import FacilityStatus, FacilityType, FacilityV1
from vonggac.testing.waiting import eventually, flush_all

pytestmark = pytest.mark.slow

NOWHERE = "rtsp://127.0.0.1:9/live"
type Frames = list[list[bytes]]
type Forward = Callable[[UUID, list[bytes]], Any]


@pytest_asyncio.fixture
async def forwarded(bus: Bus, forwarder_bus: Bus) -> AsyncIterator[Forward]:
    """Answer with a keyframe as the forwarder that pulls the camera."""
    async with AsyncExitStack() as stack:

        async def answer_for(camera_id: UUID, nals: list[bytes]) -> None:
            async def answer(request: Msg) -> None:
                headers = {"codec": "h264", "captured_at": datetime.now(UTC).isoformat()}
                body = b"".join(b"\0\0\0\1" + nal for nal in nals)
                await forwarder_bus.client.publish(request.reply, body, headers=headers)

            subscription = await forwarder_bus.client.subscribe(subjects.camera_keyframe(camera_id), cb=answer)
            stack.push_async_callback(subscription.unsubscribe)
            await flush_all(forwarder_bus.client)

        yield answer_for


def size_of(jpeg: str) -> tuple[int, int]:
    with av.open(io.BytesIO(b64decode(jpeg)), mode="r", format="jpeg_pipe") as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


async def test_what_a_centre_gives_back_is_shown_as_its_picture_and_each_view_is_on_record(
    viewer: httpx.AsyncClient, bus: Bus, simulate: Any, planner: Any
) -> None:
    centre = (await simulate({"id": "centre"})).cameras["centre"]
    delivery = delivery_to(centre.url())
    camera = await planner.camera(NOWHERE, deliveries=(delivery,), probe_interval_s=600.0)
    wanted = {"camera_id": str(camera.id), "delivery_id": str(delivery.id), "width": 200}
    answer = await viewer.post("/v1/pictures", json=wanted)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["of"], found["codec"], found["centre"], found["camera"]) == ("centre", "h264", None, None)
    assert size_of(found["jpeg"]) == (found["width"], found["height"]) == (200, 112)
    assert answer.headers["cache-control"] == "no-store"
    assert (await viewer.post("/v1/pictures", json=wanted)).status_code == 200
    recorded = await views(bus)
    assert [(one.kind, one.camera_id, one.refused) for one in recorded] == [("view", camera.id, None)] * 2
    assert recorded[0].targets == (f"camera {camera.id}, delivery {delivery.id}",)
    assert (recorded[0].caller, recorded[0].roles) == ("duty-desk", ("authority", "viewer"))


async def test_a_centre_that_gives_nothing_back_is_said_and_the_camera_is_shown_as_the_camera(
    viewer: httpx.AsyncClient, planner: Any, frames: Frames, forwarded: Forward
) -> None:
    delivery = delivery_to(None)
    camera = await planner.camera(NOWHERE, deliveries=(delivery,), probe_interval_s=600.0)
    await forwarded(camera.id, frames[0])
    wanted = {"camera_id": str(camera.id), "delivery_id": str(delivery.id)}
    found = (await viewer.post("/v1/pictures", json=wanted)).json()
    assert found["of"] == "camera"
    assert "gives nothing back" in found["centre"]["detail"]
    assert size_of(found["jpeg"]) == (320, 180)


async def test_a_centre_that_is_not_reached_is_coarse_for_who_does_not_operate(
    viewer: httpx.AsyncClient, planner: Any, client_as: As
) -> None:
    delivery = delivery_to("rtsp://127.0.0.1:9/key")
    camera = await planner.camera(NOWHERE, deliveries=(delivery,), probe_interval_s=600.0)
    wanted = {"camera_id": str(camera.id), "delivery_id": str(delivery.id)}
    found = (await viewer.post("/v1/pictures", json=wanted)).json()
    assert (found["of"], found["jpeg"]) == (None, None)
    assert (found["centre"]["cause"], found["centre"]["detail"]) == ("unreachable", None)
    assert found["camera"]["detail"] == "no forwarder has the camera now"
    found = (await client_as(Role.PROVINCE_LEAD).post("/v1/pictures", json=wanted)).json()
    assert found["centre"]["cause"] == "refused"


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.PROVINCE_LEAD, Role.VIEWER}])
async def test_no_other_role_includes_viewing(client_as: As, role: Role) -> None:
    answer = await client_as(role).post("/v1/pictures", json={"camera_id": str(uuid4())})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_a_restricted_site_is_viewed_with_both_rights_alone(client_as: As, bus: Bus, planner: Any) -> None:
    state: dict[str, Any] = {"changed_at": datetime.now(UTC), "revision": 1, "code": "KCL", "name": "Khu"}
    state |= {"type": FacilityType.SCHOOL, "status": FacilityStatus.ACTIVE, "unit_id": uuid4()}
    cameras = {}
    for restricted in (False, True):
        site = FacilityV1(id=uuid4(), managing_agency_id=uuid4(), restricted=restricted, **state)
        event = new_event(site, source="/inventory", subject=f"facility/{site.id}", time=datetime.now(UTC))
        await bus.js.publish(subjects.inventory("facility", site.id), event.encode())
        cameras[restricted] = await planner.camera(NOWHERE, facility_id=site.id, probe_interval_s=600.0)

    async def view(restricted: bool, *roles: Role) -> int:
        answer = await client_as(*roles).post("/v1/pictures", json={"camera_id": str(cameras[restricted].id)})
        return answer.status_code

    assert await view(False, Role.VIEWER) == 200
    assert await view(True, Role.VIEWER, Role.READER) == 404
    assert await view(True, Role.VIEWER, Role.AUTHORITY) == 200
    assert await view(True, Role.AUTHORITY) == 403


async def test_what_cannot_be_viewed_gets_a_clear_answer(viewer: httpx.AsyncClient, bus: Bus, planner: Any) -> None:
    async def refused(**body: Any) -> tuple[int, str]:
        answer = await viewer.post("/v1/pictures", json=body)
        return answer.status_code, answer.json()["code"]

    camera = await planner.camera(NOWHERE, deliveries=(), probe_interval_s=600.0)
    assert await refused(camera_id=str(uuid4())) == (404, "camera_not_found")
    assert await refused(camera_id=str(camera.id), delivery_id=str(uuid4())) == (404, "delivery_not_found")
    off = delivery_to(None).model_copy(update={"enabled": False})
    disabled = await planner.camera(NOWHERE, deliveries=(off,))
    assert await refused(camera_id=str(disabled.id), delivery_id=str(off.id)) == (409, "delivery_disabled")
    assert (await refused(camera_id=str(camera.id), width=8000))[0] == 422
    assert (await bus.js.stream_info(topology.DEMANDS)).state.messages == 0


async def test_many_pictures_come_in_one_stream_and_are_one_record(
    viewer: httpx.AsyncClient, bus: Bus, simulate: Any, planner: Any, frames: Frames, forwarded: Forward
) -> None:
    centre = (await simulate({"id": "centre"})).cameras["centre"]
    delivery = delivery_to(centre.url())
    there = await planner.camera(NOWHERE, deliveries=(delivery,), probe_interval_s=600.0)
    sending, away = [await planner.camera(NOWHERE, probe_interval_s=600.0) for _ in range(2)]
    await forwarded(sending.id, frames[0])
    tiles = [{"camera_id": str(there.id), "delivery_id": str(delivery.id)}]
    tiles += [{"camera_id": str(each.id)} for each in (sending, away)]
    rounds: Rounds = viewer._transport.app.state.rounds  # type: ignore[attr-defined]
    seen: dict[str, Any] = {}

    async def read() -> None:
        async with viewer.stream("POST", "/v1/pictures/stream", json={"tiles": tiles, "width": 200}) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                found = json.loads(line)
                seen[found["camera_id"]] = found["of"]

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    await eventually(lambda: rounds.open == 1)
    # The transport of the tests gives an answer when it is whole: the stop of the service makes it so.
    await eventually(lambda: rounds.sent >= len(tiles), within_s=30)
    rounds.end()
    await reading
    assert seen == {str(there.id): "centre", str(sending.id): "camera", str(away.id): None}
    (record,) = await views(bus)
    assert (record.kind, record.camera_id, record.endpoints) == ("view", None, 3)
    assert f"camera {there.id}, delivery {delivery.id}" in record.targets


async def test_more_streams_than_a_prober_bears_are_refused(viewer: httpx.AsyncClient, planner: Any) -> None:
    camera = await planner.camera(NOWHERE, probe_interval_s=600.0)
    viewer._transport.app.state.rounds = Rounds(0)  # type: ignore[attr-defined]
    answer = await viewer.post("/v1/pictures/stream", json={"tiles": [{"camera_id": str(camera.id)}]})
    assert (answer.status_code, answer.json()["code"]) == (429, "picture_streams")
    assert answer.headers["retry-after"]
