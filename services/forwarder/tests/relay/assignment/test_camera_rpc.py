"""What others ask of a camera's holder over the bus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

from forwarder.domain.picture.keyframes import KeyframeTiming
from forwarder.messaging import request_deliveries
from forwarder.relay.assignment import camera_rpc as answering
from forwarder.relay.service import Process
from simulator import CameraConfig
from vonggac.bus import Bus
from vonggac.events.causes import Cause
from vonggac.rtsp.wire.habits import DIGITS, HABITS
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.relay.assignment.conftest import Asker, Inventory, Scene, Statuses

type StartForwarder = Callable[..., Awaitable[Process]]
BOTH_ACKNOWLEDGED = ["acknowledged", "acknowledged"]


async def test_a_keyframe_is_handed_out_with_what_was_measured(scene: Scene) -> None:
    forwarder = await scene.start(keyframes=KeyframeTiming(sample_s=1.0))
    camera = await scene.publish()
    await scene.become(camera, *BOTH_ACKNOWLEDGED)

    async def measured() -> Msg:
        reply = await scene.asker.keyframe(camera)
        assert reply.headers is not None
        assert {"fps", "bitrate_kbps"} <= reply.headers.keys()
        return reply

    reply = await eventually(measured, within_s=20)
    headers = reply.headers
    assert headers is not None
    assert reply.data.startswith(b"\0\0\0\1\x67")
    assert (headers["codec"], headers["worker_id"]) == ("h264", forwarder.worker_id)
    age = datetime.now(UTC) - datetime.fromisoformat(headers["captured_at"])
    assert timedelta(0) <= age < timedelta(seconds=3)
    assert float(headers["fps"]) == pytest.approx(scene.sim.cameras["gate"].config.fps, rel=0.02)
    assert int(headers["packets_received"]) > 0
    assert headers["packets_lost"] == "0"
    assert abs(float(headers["clock_drift_s"])) < 2.0
    assert (headers["transport"], headers["login_scheme"]) == ("tcp", "none")
    habits = json.loads(headers["habits"])
    assert {"origin of the description", "words of the description"} <= habits.keys() <= {*HABITS}
    assert all(len(digest) == DIGITS for digest in habits.values())
    assert scene.sim.cameras["gate"].sessions_total == 1


async def test_two_who_ask_within_the_interval_get_the_same_keyframe(scene: Scene) -> None:
    await scene.start(keyframes=KeyframeTiming(sample_s=60.0))
    camera = await scene.publish()
    await scene.become(camera, *BOTH_ACKNOWLEDGED)
    first, second = await scene.asker.keyframe(camera), await scene.asker.keyframe(camera)
    assert first.data == second.data != b""
    assert first.headers == second.headers


async def test_a_camera_that_nobody_holds_has_nobody_to_ask(scene: Scene) -> None:
    await scene.start()
    camera = scene.plan()
    with pytest.raises(NoRespondersError):
        await scene.asker.keyframe(camera)
    await scene.inventory.publish(camera)
    await scene.become(camera, *BOTH_ACKNOWLEDGED)
    assert (await scene.asker.keyframe(camera)).data
    await scene.inventory.publish(camera.model_copy(update={"revision": 2, "enabled": False}))
    await scene.become(camera, "disabled", "disabled")

    async def left() -> bool:
        with pytest.raises(NoRespondersError):
            await scene.asker.keyframe(camera)
        with pytest.raises(NoRespondersError):
            await scene.asker.hash_keyframes(camera, {"seconds": 5})
        return True

    await eventually(left)


async def test_who_asks_for_a_camera_that_is_away_is_answered_at_once(scene: Scene) -> None:
    await scene.start()
    await scene.sim.cameras["gate"].set_fault("refuse")
    camera = await scene.publish()
    await scene.become(camera, "waiting_for_camera", "waiting_for_camera")
    reply = await scene.asker.keyframe(camera)
    assert (reply.data, (reply.headers or {})["error"]) == (b"", "camera_away")
    promise = json.loads((await scene.asker.hash_keyframes(camera, {"seconds": 5})).data)
    assert promise["media_since"] is None


async def test_who_asks_for_a_foreign_camera_that_is_away_is_answered_why(scene: Scene) -> None:
    await scene.start()
    await scene.sim.cameras["gate"].set_fault("refuse")
    camera = await scene.publish()
    await scene.become(camera, "waiting_for_camera", "waiting_for_camera")

    async def cause_is_answered() -> bool:
        headers = (await scene.asker.keyframe(camera)).headers or {}
        assert (headers["error"], headers.get("cause")) == ("camera_away", "refused")
        assert headers["detail"] == "the address refused the connection"
        return True

    await eventually(cause_is_answered)


async def test_a_keyframe_that_no_message_holds_is_not_handed_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MAX_COPY_BYTES", 1000)
    _, camera = await scene.forward()
    reply = await scene.asker.keyframe(camera)
    headers = reply.headers or {}
    assert (reply.data, headers["error"], headers["codec"]) == (b"", "too_large", "h264")
    assert float(headers["silent_s"]) < 2.0
    assert float(headers["media_s"]) >= float(headers["keyframe_age_s"])


async def test_empty_picture_without_a_keyframe_stays_overdue_after_it_was_judged(scene: Scene) -> None:
    await scene.start(keyframes=KeyframeTiming(sample_s=1.0))
    camera = await scene.publish()
    await scene.become(camera, *BOTH_ACKNOWLEDGED)
    came = set[str]()

    async def comes_in_rhythm() -> bool:
        came.add(((await scene.asker.keyframe(camera)).headers or {}).get("captured_at", ""))
        return len(came - {""}) > 3

    async def overdue() -> bool:
        headers = (await scene.asker.keyframe(camera, within_s="1")).headers or {}
        return (headers.get("error"), headers.get("changed_by")) == ("no_keyframe", "overdue")

    await eventually(comes_in_rhythm, within_s=30)
    await scene.sim.cameras["gate"].set_fault("no_keyframe")
    await eventually(overdue, within_s=30)
    await scene.asker.judge(camera, Cause.NO_KEYFRAME)
    assert await overdue()
    await scene.sim.cameras["gate"].clear_fault()
    came.clear()
    await eventually(comes_in_rhythm, within_s=30)
    assert not await overdue()


async def test_who_asks_how_deliveries_stand_hears_it_from_the_holder_alone(forwarder_bus: Bus, scene: Scene) -> None:
    camera = scene.plan()
    assert await request_deliveries(forwarder_bus, camera.id) == []
    forwarder = await scene.start()
    await scene.inventory.publish(camera)
    await scene.become(camera, "acknowledged", "acknowledged")
    live = {observed.delivery_id: observed for observed in await request_deliveries(forwarder_bus, camera.id)}
    assert live.keys() == {planned.id for planned in camera.deliveries}
    assert {observed.worker_id for observed in live.values()} == {forwarder.worker_id}


async def test_a_crowd_that_asks_is_sent_its_own_way(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    async with simulate(cameras=[make_gate(gop_s=4.0, loop_s=4)]) as sim:
        forwarder = await start_forwarder()
        camera = planner.camera(sim)
        await inventory.publish(camera)
        await statuses.become(camera, *BOTH_ACKNOWLEDGED)
        crowd = [asyncio.create_task(asker.keyframe(camera)) for _ in range(answering.MAX_ANSWERS + 3)]
        replies = await asyncio.gather(*crowd)
        errors = [reply.headers["error"] for reply in replies if reply.headers and "error" in reply.headers]
        assert errors == ["busy"] * 3
        assert len({reply.data for reply in replies if reply.data}) == 1
        forwarder.stop()


async def test_the_history_is_in_the_bucket_and_grows_with_every_keyframe_on_request(
    scene: Scene,
) -> None:
    forwarder, camera = await scene.forward()
    history = await eventually(lambda: scene.asker.history_of(camera, 1))
    assert (history.camera_id, history.worker_id) == (camera.id, forwarder.worker_id)
    promise = json.loads((await scene.asker.hash_keyframes(camera, {"seconds": 30, "asker": "me"})).data)
    assert promise["worker_id"] == forwarder.worker_id
    assert datetime.fromisoformat(promise["media_since"]) <= history.keyframes[0].captured_at
    grown = await eventually(lambda: scene.asker.history_of(camera, 4), within_s=15)
    assert grown.keyframes[0] == history.keyframes[0]
    assert len({note.hash for note in grown.keyframes}) >= 2


async def test_who_has_seen_enough_says_so_and_others_go_on_being_served(
    scene: Scene,
) -> None:
    forwarder, camera = await scene.forward()
    for name in ("one", "other"):
        await scene.asker.hash_keyframes(camera, {"seconds": 30, "asker": name})
    await scene.asker.hash_keyframes(camera, {"seconds": 0, "asker": "one"})
    before = len((await eventually(lambda: scene.asker.history_of(camera, 1))).keyframes)
    await eventually(lambda: scene.asker.history_of(camera, before + 2), within_s=15)
    await scene.asker.hash_keyframes(camera, {"seconds": 0, "asker": "other"})
    assert forwarder.worker is not None
    source = forwarder.worker.held[camera.id].relay.puller.source
    assert source is not None
    await eventually(lambda: source.fanout.tap is None)


@pytest.mark.parametrize("body", [{"seconds": 31}, {"seconds": -1}, {}, [], {"seconds": "soon"}])
async def test_a_wrong_request_is_answered_with_what_would_be_right(scene: Scene, body: object) -> None:
    _, camera = await scene.forward()
    reply = await scene.asker.hash_keyframes(camera, body)
    assert reply.headers is not None
    assert "seconds" in reply.headers["error"]
