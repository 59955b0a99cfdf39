"""A camera that is swapped for another one at the same address is found, and stays found until somebody confirms."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from nats.aio.msg import Msg
from services.prober.tests.probes.camera.test_forwarder_probe import annex_b

from vonggac.bus import Bus
from vonggac.events import Cause, subjects
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.prober import Verdict
from vonggac.net.url import RtspUrl
from vonggac.testing import eventually
from vonggac.testing.waiting import flush_all

type Client = httpx.AsyncClient


class Socket:
    """A network socket in a wall: one address, and the camera that is plugged in; `unit`: a letter of its own."""

    def __init__(self, camera: str) -> None:
        self.camera, self.port, self.unit = camera, 0, "a"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_camera, to_camera = await asyncio.open_connection("127.0.0.1", RtspUrl.parse(self.camera).port)

        def habits(data: bytes) -> bytes:
            status = b"RTSP/1.0 200 OK\r\n"
            headed = data.replace(status, status + f"Server: Cam/{self.unit}\r\n".encode())
            return headed.replace(b"o=-", f"o={self.unit}".encode())

        async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    target.write(habits(data) if source is from_camera else data)
            except ConnectionError:
                pass
            finally:
                target.close()

        await asyncio.gather(pass_on(reader, to_camera), pass_on(from_camera, writer))


@asynccontextmanager
async def plugged_in(camera: str) -> AsyncIterator[Socket]:
    socket = Socket(camera)
    server = await asyncio.start_server(socket.serve, "127.0.0.1", 0)
    socket.port = int(server.sockets[0].getsockname()[1])
    try:
        yield socket
    finally:
        server.close()


async def test_a_swapped_camera_is_found_at_the_next_probe_and_stays_until_somebody_confirms(
    operator: Client, simulate: Any, planner: Any, observed: Any
) -> None:
    sim = await simulate({"id": "old", "width": 640, "height": 360}, {"id": "new", "width": 320, "height": 240})
    old, new = (sim.cameras[name].url() for name in ("old", "new"))
    async with plugged_in(old) as socket:
        camera = await planner.camera(f"rtsp://127.0.0.1:{socket.port}/live", probe_interval_s=1.0)
        await observed.observation(camera.id)
        path = f"/v1/cameras/{camera.id}/device"
        await eventually(lambda: _shown(operator, path, changed=False))
        socket.camera = new
        found = await eventually(lambda: _shown(operator, path, changed=True), within_s=20)
        assert "320x240" in found["change"]
        # Neither the old one again nor an edit of the register ends it.
        socket.camera = old
        edited = await planner.camera(camera.url, id=camera.id, revision=2, probe_interval_s=1.0)
        last = await eventually(lambda: _at_revision(observed, edited), within_s=20)
        assert (last.verdict, last.device.changed_at is not None) == (Verdict.UP, True)
        assert Cause.ANOTHER_DEVICE in last.findings
        assert "another device since" in last.detail
        socket.camera = new
        confirmed = (await operator.put(path)).json()
        assert confirmed["confirmed_by"] == "test-operator"
        await eventually(lambda: _shown(operator, path, changed=False), within_s=20)
        assert (await operator.get(path)).json()["confirmed_by"] == "test-operator"


async def test_a_swapped_camera_of_the_same_model_and_settings_is_found_by_two_weak_signs(
    operator: Client, simulate: Any, planner: Any, observed: Any
) -> None:
    sim = await simulate({"id": "model", "width": 640, "height": 360})
    async with plugged_in(sim.cameras["model"].url()) as socket:
        camera = await planner.camera(f"rtsp://127.0.0.1:{socket.port}/live", probe_interval_s=1.0)
        await observed.observation(camera.id)
        path = f"/v1/cameras/{camera.id}/device"
        await eventually(lambda: _shown(operator, path, changed=False))
        socket.unit = "b"
        found = await eventually(lambda: _shown(operator, path, changed=True), within_s=20)
        assert found["change"] == "other origin of the description and other Server header"


async def test_a_swapped_camera_that_is_forwarded_is_found_by_two_weak_signs_of_its_forwarders_session(
    forwarder_bus: Bus, operator: Client, planner: Any, observed: Any, frames: list[list[bytes]]
) -> None:
    """Nobody opens a session beside the forwarder's, which sends what the device wrote when it began."""
    to = PlannedDelivery(id=uuid4(), destination_id=uuid4(), destination_code="D1", url="rtsp://10.0.0.9/a")
    device = {"Server header": "0" * 16, "origin of the description": "1" * 16, "words of the description": "2" * 16}

    async def answer(request: Msg) -> None:
        headers = {"codec": "h264", "captured_at": datetime.now(UTC).isoformat(), "habits": json.dumps(device)}
        await forwarder_bus.client.publish(request.reply, annex_b(frames[0]), headers=headers)

    camera_id = uuid4()
    await forwarder_bus.client.subscribe(subjects.camera_keyframe(camera_id), cb=answer)
    await flush_all(forwarder_bus.client)
    await planner.camera("rtsp://10.0.0.1/live", id=camera_id, probe_interval_s=1.0, deliveries=(to,))
    path = f"/v1/cameras/{camera_id}/device"
    await eventually(lambda: _shown(operator, path, changed=False))
    device["Server header"] = "a" * 16
    known = len(observed.of(camera_id))
    await eventually(lambda: len(observed.of(camera_id)) > known + 1)
    assert await _shown(operator, path, changed=False), "one sign alone is a setting or new firmware"
    device |= {"Server header": "b" * 16, "words of the description": "c" * 16}
    found = await eventually(lambda: _shown(operator, path, changed=True), within_s=20)
    assert found["change"] == "other Server header and other words of the description"


async def _shown(client: Client, path: str, *, changed: bool) -> Any:
    answer = await client.get(path)
    fits = answer.status_code == 200 and (answer.json()["changed_at"] is not None) is changed
    return answer.json() if fits else None


async def _at_revision(observed: Any, camera: Any) -> Any:
    return next((one for one in observed.of(camera.id) if one.camera_revision == camera.revision), None)


async def test_of_a_camera_that_nobody_saw_there_is_nothing_to_confirm(operator: Client) -> None:
    answer = await operator.put(f"/v1/cameras/{uuid4()}/device")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_device")


async def test_a_reader_confirms_no_swapped_camera(client: Client) -> None:
    assert (await client.put(f"/v1/cameras/{uuid4()}/device")).status_code == 403
