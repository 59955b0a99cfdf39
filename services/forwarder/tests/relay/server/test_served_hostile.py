"""Bad input at the ports where centres connect: a clear RTSP answer or the end of that connection, never another's."""

from __future__ import annotations

import asyncio
import resource
import struct
from typing import TYPE_CHECKING

import pytest
from services.forwarder.tests.relay.server.conftest import PASSWORD
from services.forwarder.tests.relay.server.puller import STATUS, Puller

from simulator import Simulator
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.net.url import Credentials
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.server.conftest import Served, StartServing

RIGHT = Credentials("ioc", PASSWORD)
SETUP = "SETUP rtsp://127.0.0.1/ioc/gate/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: {}\r\n\r\n"
CLEAR = frozenset({"400", "401", "403", "404", "405", "451", "454", "455", "459", "461", "501", "505", "551"})
MOST_GROWTH_KB = 64 << 10

NONSENSE: dict[str, bytes] = {
    "a header of 1 MB": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n",
    "10,000 headers": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
    "a frame before SETUP": b"$\x00\x00\x04abcd",
    "frames that lie of their length": b"$\x00\xff\xff" + b"a" * 100,
    "channel 300": SETUP.format("RTP/AVP/TCP;unicast;interleaved=300-301").encode(),
    "client_port 22": SETUP.format("RTP/AVP;unicast;client_port=22-23").encode(),
    "another host": SETUP.format("RTP/AVP;unicast;destination=10.9.9.9;client_port=5000-5001").encode(),
    "a length below zero": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -5\r\n\r\n",
    "a length beyond all": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "no CSeq": b"DESCRIBE rtsp://127.0.0.1/ioc/gate RTSP/1.0\r\n\r\n",
    "a huge CSeq": b"DESCRIBE rtsp://127.0.0.1/ioc/gate RTSP/1.0\r\nCSeq: " + b"9" * 4000 + b"\r\n\r\n",
    "a path that goes up": b"DESCRIBE rtsp://127.0.0.1/ioc/../ioc/gate RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    "a path with an encoded zero": b"DESCRIBE rtsp://127.0.0.1/ioc/gate%00 RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    "HTTP": b"GET /ioc/gate HTTP/1.1\r\nHost: a\r\n\r\n",
    "TLS where none is": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 500,
    "a ticket of a passage": b"VONGGAC-PASSAGE/1 e30= 00\n",
}
"""From somebody who has not logged in."""


AMID_A_SESSION: dict[str, tuple[bytes, frozenset[int | None]]] = {
    "SETUP of a track that is none": (
        b"SETUP {url}/trackID=99 RTSP/1.0\r\nCSeq: 90\r\nTransport: RTP/AVP/TCP;unicast;interleaved=4-5\r\n",
        frozenset({404, 455, 459}),
    ),
    "SETUP of another camera's track": (
        (
            b"SETUP rtsp://127.0.0.1/province/gate/trackID=0 RTSP/1.0\r\nCSeq: 90\r\n"
            b"Transport: RTP/AVP/TCP;unicast;interleaved=4-5\r\n"
        ),
        frozenset({404, 455}),
    ),
    "UDP to port 22": (
        b"SETUP {url}/trackID=0 RTSP/1.0\r\nCSeq: 90\r\nTransport: RTP/AVP;unicast;client_port=22-23\r\n",
        frozenset({400, 455, 461}),
    ),
    "UDP to another host": (
        (
            b"SETUP {url}/trackID=0 RTSP/1.0\r\nCSeq: 90\r\n"
            b"Transport: RTP/AVP;unicast;destination=10.9.9.9;client_port=22-23\r\n"
        ),
        frozenset({400, 455, 461}),
    ),
    "no CSeq": (b"GET_PARAMETER {url} RTSP/1.0\r\n", frozenset({400})),
    "a length below zero": (b"OPTIONS {url} RTSP/1.0\r\nCSeq: 90\r\nContent-Length: -5\r\n", frozenset({400, None})),
    "a length beyond all": (
        b"OPTIONS {url} RTSP/1.0\r\nCSeq: 90\r\nContent-Length: 9999999999999\r\n",
        frozenset({400, None}),
    ),
    "a header of 1 MB": (b"OPTIONS {url} RTSP/1.0\r\nCSeq: 90\r\nX: " + b"a" * (1 << 20) + b"\r\n", frozenset({None})),
}
"""What a centre sends beside the media that it takes, and how it is answered; None: its connection ends."""


async def speak(served: Served, data: bytes, *, quiet_s: float = 1.0, within_s: float = 30.0) -> bytes:
    """What comes back until the connection is quiet for a while, or ended."""
    assert served.listener.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", served.listener.port)
    answer = b""
    try:
        writer.write(data)
        async with asyncio.timeout(within_s):
            while True:
                try:
                    piece = await asyncio.wait_for(reader.read(65536), quiet_s)
                except TimeoutError:
                    return answer
                if not piece:
                    return answer
                answer += piece
    except OSError:
        return answer
    finally:
        writer.transport.abort()


async def begin(sim: Simulator, serve: StartServing) -> tuple[Served, Puller]:
    """A camera that a centre plays."""
    served = serve(sim)
    await eventually(lambda: served.cause is Cause.NOT_ASKED)
    assert served.listener.port is not None
    playing = await Puller(served.listener.port, "/ioc/gate", RIGHT).connect()
    served.pullers.append(playing)
    assert await playing.play() == 200
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED)
    return served, playing


def dropped(served: Served) -> list[int]:
    return [supervisor.slot.counts.packets_dropped for supervisor in served.relay.deliveries.values()]


def memory_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def test_served_nonsense_gets_a_clear_answer_or_the_end_and_no_other_connection_notices(
    sim: Simulator, serve: StartServing, capfd: pytest.CaptureFixture[str]
) -> None:
    served, playing = await begin(sim, serve)
    before, most_kb = dropped(served), memory_kb() + MOST_GROWTH_KB
    for name, data in NONSENSE.items():
        answer = await speak(served, data)
        statuses = {line.split()[1] for line in answer.decode().split("\r\n") if line.startswith("RTSP/1.0 ")}
        assert statuses <= CLEAR, (name, answer)
        assert b"Transport:" not in answer, name
    assert dropped(served) == before
    assert not playing.ended
    assert served.state is DeliveryState.ACKNOWLEDGED
    assert memory_kb() < most_kb
    logged = "".join(capfd.readouterr())
    assert PASSWORD not in logged
    assert "VONGGAC-PASSAGE" not in logged


async def test_served_pipelined_requests_are_all_answered_in_order(sim: Simulator, serve: StartServing) -> None:
    served, playing = await begin(sim, serve)
    requests = b"".join(b"OPTIONS * RTSP/1.0\r\nCSeq: %d\r\n\r\n" % number for number in range(1000))
    answer = await speak(served, requests, quiet_s=5.0)
    answered = [line for line in answer.split(b"\r\n") if line.startswith(b"CSeq: ")]
    assert answered == [b"CSeq: %d" % number for number in range(1000)]
    assert not playing.ended


async def test_served_session_of_another_connection_opens_nothing(sim: Simulator, serve: StartServing) -> None:
    served, playing = await begin(sim, serve)
    assert served.listener.port is not None
    thief = await Puller(served.listener.port, "/ioc/gate", RIGHT).connect()
    served.pullers.append(thief)
    assert await thief.ask("DESCRIBE") == 200
    thief._session = playing._session
    for method in ("PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER"):
        assert await thief.ask(method) in {454, 455}, method
    assert not playing.ended
    taken = playing.media_bytes
    await eventually(lambda: playing.media_bytes > taken + 10_000)


async def test_served_camera_of_another_account_is_not_found_by_whatever_path(
    sim: Simulator, serve: StartServing
) -> None:
    served = serve(sim, "province")
    await eventually(lambda: served.cause is Cause.NOT_ASKED)
    assert served.listener.port is not None
    for path in ("/province/gate", "/ioc/../province/gate", "/province/gate/trackID=0", "/province/gate%00", "/%2e%2e"):
        curious = await Puller(served.listener.port, path, RIGHT).connect()
        served.pullers.append(curious)
        assert await curious.ask("DESCRIBE") in {400, 404}, path


@pytest.mark.parametrize("name", AMID_A_SESSION)
async def test_served_nonsense_amid_a_session_is_answered_or_ends_that_session_alone(
    name: str, sim: Simulator, serve: StartServing, capfd: pytest.CaptureFixture[str]
) -> None:
    served, playing = await begin(sim, serve)
    assert served.listener.port is not None
    hostile = await Puller(served.listener.port, "/ioc/gate", RIGHT).connect()
    served.pullers.append(hostile)
    assert await hostile.play() == 200
    assert hostile._pumping is not None
    hostile._pumping.cancel()
    before, most_kb = dropped(served), memory_kb() + MOST_GROWTH_KB
    sent, allowed = AMID_A_SESSION[name]
    method, _, rest = sent.partition(b" ")
    uri = rest.partition(b" ")[0].replace(b"{url}", hostile.url.encode()).decode()
    login = hostile.authenticator.answer(method.decode(), uri)
    fields = f"Session: {hostile._session}\r\nAuthorization: {login}\r\n\r\n".encode()
    hostile._writer.write(sent.replace(b"{url}", hostile.url.encode()) + fields)

    status = await find_status(hostile)

    assert status in allowed
    assert dropped(served) == before
    assert not playing.ended
    taken = playing.media_bytes
    await eventually(lambda: playing.media_bytes > taken + 10_000)
    assert memory_kb() < most_kb
    assert PASSWORD not in "".join(capfd.readouterr())


async def find_status(puller: Puller) -> int | None:
    """The status of the next answer amid media; None when the connection ends instead."""
    read = b""
    async with asyncio.timeout(15):
        while True:
            try:
                piece = await puller._reader.read(65536)
            except OSError:
                return None
            if not piece:
                return None
            read = read[-16:] + piece
            if (found := STATUS.search(read)) is not None:
                return int(found[1])


async def test_served_report_of_a_foreign_source_proves_nothing(sim: Simulator, serve: StartServing) -> None:
    served, playing = await begin(sim, serve)
    counted = served.supervisor.slot.counts.bytes_acknowledged
    report = struct.pack(">BBHI", 0x81, 201, 7, 1) + struct.pack(">IIIIII", 0xDEAD, 0, 0xFFFFFFFF, 0, 0, 0)
    playing.reading.clear()
    for _ in range(50):
        playing._writer.write(b"$\x01" + struct.pack(">H", len(report)) + report)
    await asyncio.sleep(2)
    playing.reading.set()
    # What it read counts; the reports say nothing over TCP.
    assert served.supervisor.slot.counts.bytes_acknowledged <= counted + 4_000_000
    assert not playing.ended


async def test_served_guesses_in_any_number_are_refused_and_nobody_else_is(
    sim: Simulator, serve: StartServing, capfd: pytest.CaptureFixture[str]
) -> None:
    served, playing = await begin(sim, serve)
    before = dropped(served)

    async def guess(number: int) -> int:
        assert served.listener.port is not None
        guesser = await Puller(
            served.listener.port, "/ioc/gate", Credentials("ioc", f"guess-{number}"), address="127.0.0.7"
        ).connect()
        try:
            return await guesser.ask("DESCRIBE")
        except (OSError, asyncio.IncompleteReadError):
            return 0
        finally:
            await guesser.close(reset=True)

    statuses = [status for batch in range(20) for status in await asyncio.gather(*map(guess, range(batch, batch + 25)))]
    assert set(statuses) <= {0, 401, 403}
    assert dropped(served) == before
    assert not playing.ended
    late = await Puller(served.listener.port or 0, "/ioc/gate", RIGHT).connect()
    served.pullers.append(late)
    assert await late.ask("DESCRIBE") == 200
    assert "guess-" not in "".join(capfd.readouterr())


async def test_served_byte_a_second_is_ended_within_the_time_of_a_handshake(
    sim: Simulator, serve: StartServing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.rtsp.server.liveness.HANDSHAKE_S", 1.0)
    monkeypatch.setattr("vonggac.rtsp.server.connection.HANDSHAKE_S", 1.0)
    served = serve(sim)
    await eventually(lambda: served.cause is Cause.NOT_ASKED)
    assert served.listener.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", served.listener.port)

    async def trickle() -> None:
        while True:
            writer.write(b"O")
            await asyncio.sleep(0.2)

    trickling = asyncio.create_task(trickle())
    try:
        async with asyncio.timeout(8):
            try:
                assert await reader.read() == b""
            except ConnectionResetError:
                return
    finally:
        trickling.cancel()
        writer.transport.abort()
