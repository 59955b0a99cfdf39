"""A camera's pull and a delivery's session slot, each on its own: they carry out and report, and decide nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

from forwarder.domain.camera_pull import PullState
from forwarder.domain.delivery import Failed
from forwarder.domain.progress import Opened
from forwarder.relay.sources.base import CameraSource
from forwarder.relay.supervision.camera_puller import CameraPuller
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.session_slot import SessionSlot
from simulator import Simulator
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner


@pytest_asyncio.fixture
async def camera(sim: Simulator, planner: Planner) -> CameraV1:
    return planner.camera(sim)


@pytest_asyncio.fixture
async def puller(camera: CameraV1, context: RelayContext) -> AsyncIterator[CameraPuller]:
    puller = CameraPuller(
        camera,
        context,
        on_media=lambda _: None,
        on_failed=lambda _: True,
        on_away=lambda _cause, _detail: None,
        on_flow=lambda: None,
    )
    puller.start()
    await eventually(lambda: puller.live_source is not None)
    yield puller
    await puller.close()


def source_of(puller: CameraPuller) -> CameraSource:
    assert puller.live_source is not None
    return puller.live_source


async def test_a_session_is_opened_counted_and_closed(
    sim: Simulator, camera: CameraV1, puller: CameraPuller, context: RelayContext
) -> None:
    events: list[Opened | Failed] = []
    slot = SessionSlot(context, events.append)
    assert slot.read_session(0.0) is None
    slot.open_session(camera.deliveries[0], source_of(puller))
    assert (slot.is_opening, slot.is_open) == (True, False)
    await eventually(lambda: slot.is_open)
    [opened] = events
    assert isinstance(opened, Opened)
    # It begins with the group of pictures that was kept for it.
    assert 0 < opened.kept_s < 5
    assert (slot.sessions, slot.is_opening) == (1, False)
    await eventually(lambda: (slot.read_session(context.monotonic_s()) or (0, 0))[1] > 0)
    slot.close_session(orderly=True)
    await slot.wait_closed()
    await eventually(lambda: not sim.centres["national"].streams["gate"].live)
    # What ended sessions carried stays counted, and an orderly end is no failure.
    assert slot.counts.bytes_acknowledged > 0
    assert events == [opened]


async def test_a_lost_session_and_a_refused_attempt_are_reported_and_not_repeated(
    sim: Simulator, camera: CameraV1, puller: CameraPuller, context: RelayContext
) -> None:
    events: list[Opened | Failed] = []
    slot = SessionSlot(context, events.append)
    slot.open_session(camera.deliveries[0], source_of(puller))
    await eventually(lambda: slot.is_open)
    await sim.centres["national"].set_fault("refuse")
    await eventually(lambda: len(events) == 2)
    slot.close_session(orderly=False)
    slot.open_session(camera.deliveries[0], source_of(puller))
    await eventually(lambda: len(events) == 3)
    lost, refused = events[1:]
    assert isinstance(lost, Failed)
    assert isinstance(refused, Failed)
    assert (refused.cause, slot.unreachable, slot.sessions) == (Cause.REFUSED, True, 1)


async def test_the_next_session_waits_for_what_ends(
    camera: CameraV1, puller: CameraPuller, context: RelayContext
) -> None:
    slot, ended = SessionSlot(context, lambda _: None), asyncio.Event()

    async def end() -> None:
        await ended.wait()

    slot.wait_for(asyncio.create_task(end()))
    slot.open_session(camera.deliveries[0], source_of(puller))
    waiting = asyncio.create_task(slot.wait_closed())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert slot.is_opening
    ended.set()
    await eventually(lambda: slot.is_open)
    slot.close_session(orderly=True)
    await slot.wait_closed()
    await waiting


async def test_a_camera_is_pulled_again_until_it_is_retired(sim: Simulator, puller: CameraPuller) -> None:
    await sim.cameras["gate"].set_fault("close")
    await eventually(lambda: puller.state.cause is not None or puller.attempts == 2)
    await sim.cameras["gate"].clear_fault()
    await eventually(lambda: puller.state.state is PullState.LIVE, within_s=20)
    puller.retire()
    attempts = puller.attempts
    await sim.cameras["gate"].set_fault("refuse")
    # It ends at the camera, and nobody tries again.
    await eventually(lambda: sim.cameras["gate"].sessions == 0)
    assert (puller.attempts, puller.retry_now()) == (attempts, False)
