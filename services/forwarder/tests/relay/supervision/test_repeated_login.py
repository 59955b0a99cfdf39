"""Peers that repeat in their answers the login that they were sent: nobody is shown it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from forwarder.relay.supervision.camera import CameraRelay
from simulator import Simulator
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner

PASSWORD = "s3cret-Xem"
BASIC = base64.b64encode(f"viewer:{PASSWORD}".encode()).decode()
SAID = pytest.mark.parametrize("said", [PASSWORD, BASIC, PASSWORD.replace("-", "%2D")])


@SAID
async def test_of_a_centre(said: str, sim: Simulator, planner: Planner, relay_of: Callable[..., CameraRelay]) -> None:
    script = ScriptedCamera(ANNOUNCE=reply(404, reason=f"nothing for {said} here"))
    async with ScriptedPeer(script) as centre:
        camera = planner.camera(sim)
        first, *others = camera.deliveries
        secret = planner.seal("viewer", PASSWORD)
        first = first.model_copy(update={"url": f"rtsp://127.0.0.1:{centre.port}/in/gate", "secret": secret})
        relay = relay_of(camera.model_copy(update={"deliveries": (first, *others)}))
        delivery = relay.deliveries[first.id]
        detail = await eventually(lambda: delivery.delivery.detail)
    assert detail is not None
    assert "404 nothing for ***" in detail


@SAID
async def test_of_a_camera(said: str, sim: Simulator, planner: Planner, relay_of: Callable[..., CameraRelay]) -> None:
    script = ScriptedCamera(DESCRIBE=reply(404, reason=f"nothing for {said} here"))
    async with ScriptedPeer(script) as device:
        secret = planner.seal("viewer", PASSWORD)
        url = f"rtsp://127.0.0.1:{device.port}/gate"
        relay = relay_of(planner.camera(sim).model_copy(update={"url": url, "secret": secret}))
        detail = await eventually(lambda: relay.pull.detail)
    assert detail is not None
    assert "404 nothing for ***" in detail
