"""The simulator's centre pulls from a worker: it is judged by what it took, gives it back, and comes again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator import CentreConfig, Simulator
from simulator.centres.centre import Centre
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.testing import eventually
from vonggac.testing.media import MediaRecorder

if TYPE_CHECKING:
    from services.forwarder.tests.relay.server.conftest import Served, StartServing

PASSWORD = "mat-khau-20-ky-tu-xx"


@pytest.fixture
async def centre(sim: Simulator) -> Centre:
    pulling = {"again_s": 0.1, "again_most_s": 0.5}
    return await sim.add_centre(CentreConfig.model_validate({"id": "ioc", "pulling": pulling}))


async def begin_pulling(centre: Centre, served: Served, *, password: str = PASSWORD, tls: bool = False) -> None:
    """Under a path of its own: the camera is pushed to this centre too, as `gate`."""
    await centre.puller.set_login("ioc", password)
    await centre.puller.set_addresses({"taken": served.url(tls=tls, login=None)})


@pytest.mark.parametrize("tls", [False, True])
async def test_served_centre_acknowledges_and_gives_back_the_cameras_pictures(
    sim: Simulator, serve: StartServing, centre: Centre, tls: bool
) -> None:
    served = serve(sim)
    await begin_pulling(centre, served, tls=tls)
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=20)
    taken = await centre.wait_for("taken", lambda seen: seen.packets > 50)
    assert taken.current is not None
    assert (taken.lost, taken.current.first_packet_is_keyframe) == (0, True)
    source = await MediaRecorder.play(sim.cameras["gate"].url(with_credentials=True))
    viewer = await MediaRecorder.play(centre.stream_url("taken"))

    def same_keyframe() -> bool:
        sent, back = (
            {keyframe_hash(VideoCodec.H264, unit.nals) for unit in one.units if unit.keyframe}
            for one in (source, viewer)
        )
        return bool(sent & back)

    await eventually(same_keyframe, within_s=20)
    assert viewer.missing == 0
    await source.close()
    await viewer.close()
    await centre.puller.close()
    await eventually(lambda: (served.state, served.cause) == (DeliveryState.WAITING_FOR_CENTRE, Cause.LEFT))


async def test_served_centre_comes_back_after_its_own_restart(
    sim: Simulator, serve: StartServing, centre: Centre
) -> None:
    served = serve(sim)
    await begin_pulling(centre, served)
    await centre.wait_for("taken", lambda seen: seen.packets > 20, timeout_s=20)
    await centre.set_fault("restart", for_s=0.5)
    await eventually(lambda: served.state is DeliveryState.WAITING_FOR_CENTRE)
    again = await centre.wait_for("taken", lambda seen: seen.sessions == 2 and seen.live, timeout_s=20)
    assert again.lost == 0
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=20)


async def test_served_centre_that_hangs_is_stalled_and_asks_again_when_it_reads(
    sim: Simulator, serve: StartServing, centre: Centre
) -> None:
    served = serve(sim)
    await begin_pulling(centre, served)
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=20)
    await centre.set_fault("black_hole")
    await eventually(lambda: served.state is DeliveryState.STALLED, within_s=60)
    await centre.clear_fault()
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=30)


async def test_served_centre_with_a_wrong_password_is_refused_and_then_let_in(
    sim: Simulator, serve: StartServing, centre: Centre
) -> None:
    served = serve(sim)
    await begin_pulling(centre, served, password="sai")
    await eventually(lambda: served.cause is Cause.REFUSED, within_s=20)
    assert centre.puller.pulls["taken"].cause is Cause.AUTH_FAILED
    await centre.puller.set_login("ioc", PASSWORD)
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=40)
