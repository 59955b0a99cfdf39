"""Sessions that ended are freed at once: hundreds that wait for a search for garbage cost as much as a leak."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from forwarder.relay.destinations.rtmp import RtmpPublishing
from forwarder.relay.media.fanout import Outlet
from forwarder.relay.rtmp.connection import RtmpConnection
from forwarder.relay.supervision.camera import CameraRelay
from simulator import Simulator
from simulator.centres.statistics import StreamStatistics
from vonggac.rtsp.client.connection import RtspConnection
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner
    from services.forwarder.tests.relay.conftest import RtmpServer


@pytest.fixture(autouse=True)
def no_search_for_garbage() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive(kind: type) -> int:
    return sum(type(one) is kind for one in gc.get_objects())


@pytest.mark.parametrize("ending", ["camera", "centre"])
async def test_sessions_that_ended_are_gone(
    sim: Simulator, planner: Planner, relay_of: Callable[..., CameraRelay], ending: str
) -> None:
    relay_of(planner.camera(sim))
    national = sim.centres["national"]
    closing = sim.cameras["gate"] if ending == "camera" else national
    for session in range(1, 5):
        await national.wait_for("gate", partial(flows, session=session))
        if session < 4:
            await closing.set_fault("close")
    await sim.centres["provincial"].wait_for("gate", partial(flows, session=4 if ending == "camera" else 1))
    # The camera's and one to each centre.
    await eventually(lambda: alive(RtspConnection) == 3)
    assert alive(Outlet) == 2


@pytest.mark.parametrize("ending", ["camera", "centre"])
async def test_rtmp_sessions_that_ended_are_gone(
    sim: Simulator, planner: Planner, relay_of: Callable[..., CameraRelay], rtmp_server: RtmpServer, ending: str
) -> None:
    camera = planner.camera(sim)
    delivery = camera.deliveries[0].model_copy(update={"url": rtmp_server.url("gate"), "secret": None})
    relay_of(camera.model_copy(update={"deliveries": (delivery,)}))
    for session in range(1, 4):
        await eventually(partial(has_pictures, rtmp_server, session=session))
        if session < 3 and ending == "camera":
            await sim.cameras["gate"].set_fault("close")
        elif session < 3:
            await rtmp_server.stop()
            await rtmp_server.start()
    await eventually(lambda: alive(RtmpConnection) == 1)
    assert alive(RtmpPublishing) == 1


def has_pictures(server: RtmpServer, session: int) -> bool:
    return len(server.streams) == session and len(server.streams[-1].video) > 10


def flows(stream: StreamStatistics, session: int) -> bool:
    return stream.sessions == session and stream.current is not None and stream.current.packets > 20
