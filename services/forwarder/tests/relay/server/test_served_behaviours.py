"""Whatever a centre does, its delivery says what is so, and the centre beside it loses nothing."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from services.forwarder.tests.relay.server.puller import Puller

from forwarder.relay.server.listener import CentreListener
from forwarder.relay.server.refused_logins import MOST_FAILURES
from simulator import Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.net.url import Credentials
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Recorder
    from services.forwarder.tests.relay.server.conftest import Served, StartServing

RIGHT = Credentials("ioc", "mat-khau-20-ky-tu-xx")
WRONG = Credentials("ioc", "guessed")
WITHIN_S = 2.0


async def begin(sim: Simulator, serve: StartServing, **changes: object) -> Served:
    served = serve(sim, **changes)
    await eventually(lambda: served.state is DeliveryState.WAITING_FOR_CENTRE)
    return served


def puller(served: Served, login: Credentials | None = RIGHT, *, path: str = "/ioc/gate", **more: str) -> Puller:
    assert served.listener.port is not None
    made = Puller(served.listener.port, path, login, **more)
    served.pullers.append(made)
    return made


def is_waiting(served: Served, cause: Cause) -> bool:
    delivery = served.supervisor.delivery
    return delivery.state is DeliveryState.WAITING_FOR_CENTRE and delivery.cause is cause


def refused_for(served: Served) -> Cause | None:
    return served.supervisor.slot.asking.refused_for


async def late(served: Served, chance: random.Random) -> None:
    await asyncio.sleep(chance.uniform(0.2, 1.0))
    assert is_waiting(served, Cause.NOT_ASKED)
    centre = await puller(served).connect()
    assert await centre.play() == 200
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=WITHIN_S)
    await centre.close()
    await eventually(lambda: is_waiting(served, Cause.LEFT), within_s=WITHIN_S)


async def forgets(served: Served, _chance: random.Random) -> None:
    centre = await puller(served).connect()
    assert await centre.ask("DESCRIBE") == 200
    assert served.supervisor.slot.asking.asked_at is not None
    assert is_waiting(served, Cause.NOT_ASKED)
    await centre.close()


async def comes_without_a_login(served: Served, _chance: random.Random) -> None:
    centre = await puller(served, None).connect()
    assert await centre.ask("DESCRIBE") == 401
    await centre.close()
    await eventually(lambda: is_waiting(served, Cause.REFUSED), within_s=WITHIN_S)
    assert refused_for(served) is Cause.AUTH_FAILED


async def has_a_wrong_password(served: Served, _chance: random.Random) -> None:
    centre = await puller(served, WRONG).connect()
    assert await centre.ask("DESCRIBE") == 401
    await eventually(lambda: is_waiting(served, Cause.REFUSED), within_s=WITHIN_S)
    assert refused_for(served) is Cause.AUTH_FAILED
    assert "test puller" in (served.supervisor.delivery.detail or "")
    await centre.close()


async def comes_from_elsewhere(served: Served, _chance: random.Random) -> None:
    centre = await puller(served, address="127.0.0.9").connect()
    assert await centre.ask("DESCRIBE") == 403
    await eventually(lambda: is_waiting(served, Cause.REFUSED), within_s=WITHIN_S)
    assert refused_for(served) is Cause.ADDRESS_NOT_ALLOWED
    await centre.close()


async def tears_down(served: Served, chance: random.Random) -> None:
    centre = await puller(served).connect()
    assert await centre.play() == 200
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=WITHIN_S)
    await asyncio.sleep(chance.uniform(0, 0.5))
    centre.send("TEARDOWN")
    await eventually(lambda: is_waiting(served, Cause.LEFT), within_s=WITHIN_S)
    await centre.close()


async def pauses(served: Served, _chance: random.Random) -> None:
    centre = await puller(served).connect()
    assert await centre.play() == 200
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=WITHIN_S)
    centre.send("PAUSE")
    await eventually(lambda: is_waiting(served, Cause.LEFT), within_s=WITHIN_S)
    centre.send("PLAY")
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=WITHIN_S)
    await centre.close(reset=True)
    await eventually(lambda: is_waiting(served, Cause.LEFT), within_s=WITHIN_S)


async def asks_over_udp_and_reports_nothing(served: Served, _chance: random.Random) -> None:
    centre = await puller(served).connect()
    assert await centre.play("RTP/AVP;unicast;client_port=29990-29991") == 200
    await eventually(lambda: served.state is DeliveryState.SENDING, within_s=WITHIN_S)
    await asyncio.sleep(3.0)
    assert served.state is DeliveryState.SENDING
    assert served.supervisor.slot.counts.bytes_acknowledged == 0
    await centre.close()
    await eventually(lambda: is_waiting(served, Cause.LEFT), within_s=WITHIN_S)


async def stops_reading(served: Served, _chance: random.Random) -> None:
    centre = await puller(served).connect(receive_buffer=32 << 10)
    assert await centre.play() == 200
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=WITHIN_S)
    centre.reading.clear()
    await eventually(lambda: served.state is DeliveryState.STALLED, within_s=10)
    assert served.supervisor.slot.counts.bytes_acknowledged <= centre.media_bytes + centre.unread_bytes + (256 << 10)
    await eventually(lambda: not served.supervisor.slot.is_open, within_s=10)
    assert served.state is DeliveryState.STALLED, "until it asks again"
    await centre.close(reset=True)


async def floods(served: Served, _chance: random.Random) -> None:
    centre = await puller(served).connect()
    assert await centre.play() == 200
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=WITHIN_S)
    for _ in range(1000):
        centre.send("OPTIONS")
    await asyncio.sleep(0.5)
    assert served.state is DeliveryState.ACKNOWLEDGED
    await centre.close()
    await eventually(lambda: is_waiting(served, Cause.LEFT), within_s=WITHIN_S)


async def speaks_nonsense(served: Served, chance: random.Random) -> None:
    centre = await puller(served).connect()
    centre._writer.write(chance.randbytes(2000))
    assert await centre.wait_closed()
    assert is_waiting(served, Cause.NOT_ASKED)


type Behaviour = Callable[[Served, random.Random], Awaitable[None]]
BEHAVIOURS: tuple[Behaviour, ...] = (
    late,
    forgets,
    comes_without_a_login,
    has_a_wrong_password,
    comes_from_elsewhere,
    tears_down,
    pauses,
    asks_over_udp_and_reports_nothing,
    stops_reading,
    floods,
    speaks_nonsense,
)


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
async def test_served_centre_is_judged_by_what_it_does_and_the_other_loses_nothing(
    sim: Simulator, serve: StartServing, behaviour: Behaviour
) -> None:
    served = await begin(sim, serve, source_networks=("127.0.0.1/32",))
    others = [each for key, each in served.relay.deliveries.items() if key != served.planned.id]
    await eventually(lambda: all(each.delivery.state is DeliveryState.ACKNOWLEDGED for each in others))
    await behaviour(served, random.Random(behaviour.__name__))
    assert all(each.delivery.state is DeliveryState.ACKNOWLEDGED for each in others)
    assert [each.slot.counts.packets_dropped for each in others] == [0, 0]


async def test_served_path_of_another_is_not_found_after_login_and_unauthorized_before(
    sim: Simulator, serve: StartServing
) -> None:
    served = await begin(sim, serve)
    for path in ("/ioc/other", "/bo-y-te/gate", "/ioc/gate/..", "/ioc/%00", "/", "/ioc/gate?x=1"):
        centre = await puller(served, None, path=path).connect()
        assert await centre.ask("DESCRIBE") == 401
        await centre.close()
        centre = await puller(served, path=path).connect()
        assert await centre.ask("DESCRIBE") == 404
        await centre.close()
    assert served.supervisor.slot.asking.refusals == {}


async def test_served_wrong_logins_rest_one_address_and_not_the_account(sim: Simulator, serve: StartServing) -> None:
    served = await begin(sim, serve)
    for _ in range(MOST_FAILURES):
        guessing = await puller(served, WRONG, address="127.0.0.66").connect()
        assert await guessing.ask("DESCRIBE") == 401
        await guessing.close()
    guessing = await puller(served, RIGHT, address="127.0.0.66").connect()
    assert await guessing.ask("DESCRIBE") == 403
    centre = await puller(served).connect()
    assert await centre.play() == 200
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED)
    await centre.close()


async def test_served_centre_that_was_refused_where_its_camera_was_not_is_admitted_when_it_comes(
    sim: Simulator, serve: StartServing, listener: CentreListener
) -> None:
    assert listener.port is not None
    for _ in range(MOST_FAILURES):
        early = await Puller(listener.port, "/ioc/gate", RIGHT).connect()
        assert await early.ask("DESCRIBE") == 401
        await early.close()
    served = await begin(sim, serve)
    centre = await puller(served).connect()
    assert await centre.play() == 200


async def test_served_sessions_have_a_limit_for_each_camera(sim: Simulator, serve: StartServing) -> None:
    served = await begin(sim, serve, sessions_per_camera=2)
    centres = [await puller(served).connect() for _ in range(3)]
    assert [await centre.play() for centre in centres] == [200, 200, 453]
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED)
    assert served.supervisor.slot.asking.refusals == {Cause.SESSION_LIMIT: 1}
    assert len(served.supervisor.slot.taken_by) == 2
    await centres[0].close()
    await eventually(lambda: len(served.supervisor.slot.taken_by) == 1)
    assert served.state is DeliveryState.ACKNOWLEDGED
    assert await (await puller(served).connect()).play() == 200
    for centre in centres:
        await centre.close()


async def test_served_one_session_that_reads_carries_one_that_does_not(
    sim: Simulator, serve: StartServing, recorder: Recorder
) -> None:
    served = await begin(sim, serve)
    reads, hangs = await puller(served).connect(), await puller(served).connect(receive_buffer=32 << 10)
    assert [await reads.play(), await hangs.play()] == [200, 200]
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED)
    hangs.reading.clear()
    await eventually(lambda: len(served.supervisor.slot.taken_by) == 1, within_s=30)
    assert served.state is DeliveryState.ACKNOWLEDGED
    assert DeliveryState.STALLED not in recorder.states(served.planned.destination_id)
    await reads.close()
    await hangs.close(reset=True)


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
async def test_served_stopped_process_is_stalled_within_ten_seconds_and_nothing_is_counted_that_it_did_not_read(
    sim: Simulator, serve: StartServing, tls: bool
) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    served = await begin(sim, serve)
    process = await asyncio.create_subprocess_exec(
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-rtsp_transport",
        "tcp",
        "-i",
        served.url(tls=tls),
        "-c",
        "copy",
        "-f",
        "null",
        "-",
    )
    loop = asyncio.get_running_loop()
    try:
        await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=30)
        await asyncio.sleep(3)
        os.kill(process.pid, signal.SIGSTOP)
        stopped_s = loop.time()
        await asyncio.sleep(1.2)
        counted = served.supervisor.slot.counts.bytes_acknowledged
        await eventually(lambda: served.state is DeliveryState.STALLED, within_s=30)
        took_s = loop.time() - stopped_s
        assert served.supervisor.slot.counts.bytes_acknowledged == counted
        assert took_s <= 10, took_s
    finally:
        process.kill()
        await process.wait()
