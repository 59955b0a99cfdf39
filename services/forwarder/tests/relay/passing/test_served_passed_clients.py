"""What centres pull with plays through a forwarder that does not hold the camera, and is judged by what it reads."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
from services.forwarder.tests.relay.server.test_served_clients import (
    CLIENTS,
    PICTURES,
    PLAYS_WITHIN_S,
    TRANSPORTS,
    count_pictures,
    is_usable,
)

from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.passing.conftest import Fleet


class FrontWorker:
    """The address of the forwarder in front, as the clients' commands need it."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def url(self, *, tls: bool = False, login: str | None = "") -> str:
        process = self._fleet.front
        return self._fleet.url(process, tls=tls) if login == "" else self._fleet.url(process, tls=tls, login=login)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("program", CLIENTS)
async def test_served_passed_camera_is_played_by_a_foreign_client_and_judged(
    fleet: Fleet, program: str, transport: str
) -> None:
    if not is_usable(program):
        pytest.skip(f"{program} is not installed, or not whole")
    process = await asyncio.create_subprocess_exec(
        *CLIENTS[program](FrontWorker(fleet), transport),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await fleet.becomes("acknowledged", within_s=PLAYS_WITHIN_S)
        [session] = (await fleet.served()).taken_by
        assert session.transport == ("udp" if transport == "udp" else "tcp")
        assert (session.tls is not None) is (transport == "rtsps")
        assert session.agent
    finally:
        process.terminate()
        await process.wait()
    await fleet.becomes("waiting_for_centre", Cause.LEFT)
    assert (await fleet.served()).refusals == {}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_served_passed_camera_is_played_by_pyav(fleet: Fleet, transport: str) -> None:
    url = fleet.url(fleet.front, tls=transport == "rtsps")
    assert await asyncio.to_thread(count_pictures, url, transport) == PICTURES
    await fleet.becomes("waiting_for_centre", Cause.LEFT)


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
async def test_served_passed_process_that_is_stopped_is_stalled_within_ten_seconds_and_nothing_unread_counts(
    fleet: Fleet, tls: bool
) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    before = await fleet.pushed()
    process = await asyncio.create_subprocess_exec(
        *CLIENTS["ffmpeg"](FrontWorker(fleet), "rtsps" if tls else "tcp"), stdin=asyncio.subprocess.DEVNULL
    )
    loop = asyncio.get_running_loop()
    try:
        await fleet.becomes("acknowledged", within_s=PLAYS_WITHIN_S)
        await asyncio.sleep(3)
        os.kill(process.pid, signal.SIGSTOP)
        stopped_s = loop.time()
        # What the front had read of its socket by then arrives within half a second, and is read within another one.
        await asyncio.sleep(2)
        counted = (await fleet.served()).bytes_acknowledged

        async def stalled() -> bool:
            return (await fleet.served()).state is DeliveryState.STALLED

        await eventually(stalled, within_s=30)
        took_s = loop.time() - stopped_s
        assert (await fleet.served()).bytes_acknowledged == counted
        assert took_s <= 10, took_s
    finally:
        process.kill()
        await process.wait()
    for one, after in zip(before, await fleet.pushed(), strict=True):
        assert (after.packets_dropped, after.groups_dropped) == (one.packets_dropped, one.groups_dropped)
