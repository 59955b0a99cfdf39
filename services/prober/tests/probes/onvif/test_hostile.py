"""Devices that hang, dribble, flood, redirect, or send what no parser should follow."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from prober.probes.onvif import OnvifCause, Remark
from prober.probes.onvif.client import MAX_BODY
from prober.probes.onvif.model import OnvifError
from prober.probes.onvif.soap import load, parse_envelope
from vonggac.auth import Credentials
from vonggac.testing import eventually

type Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE s:Envelope [<!ENTITY l0 "ha">{LAUGHS}]>'
HUGE_HOUR = (
    f"<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>{'9' * 9000}</tt:Hour>"
    "</tt:Time></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
)
SOAP = "http://www.w3.org/2003/05/soap-envelope"


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[Callable[[Speak], Awaitable[Any]]]:
    """`await peer(speak)` listens and lets `speak` deal with each connection; gives address and open connections."""
    servers, writers = [], set()

    async def start(speak: Speak) -> Any:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.add(writer)
            try:
                await speak(reader, writer)
            except ConnectionError:
                return
            finally:
                writers.discard(writer)
                writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        servers.append(server)
        return f"127.0.0.1:{server.sockets[0].getsockname()[1]}", writers

    yield start
    for server in servers:
        server.close()
    for writer in writers:
        writer.transport.abort()


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        pass


async def dribble_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _dribble(reader, writer, b"HTTP/1.1 200 OK\r\nX-Slow: ")


async def dribble_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _dribble(reader, writer, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n<?xml ")


async def _dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, start: bytes) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(start)
    while True:
        await asyncio.sleep(0.02)
        writer.write(b"a")
        await writer.drain()


@pytest.mark.parametrize("speak", [silence, dribble_header, dribble_body])
async def test_a_device_that_never_ends_is_left_at_the_deadline(probe: Any, peer: Any, speak: Speak) -> None:
    await load()  # once per process, and not what is measured here
    address, connections = await peer(speak)
    before = asyncio.all_tasks()
    started = time.monotonic()
    found = await probe(address, deadline_s=0.5)
    assert (found.cause, found.onvif) == (OnvifCause.TIMEOUT, False)
    assert time.monotonic() - started < 1.5
    await eventually(lambda: not connections, what="its connection is closed")
    await eventually(lambda: asyncio.all_tasks() <= before, what="no task of the probe is left")


async def test_what_was_answered_before_the_deadline_is_kept(probe: Any, device: Any) -> None:
    found = await probe(await device(hang_at="GetProfiles"), deadline_s=0.5)
    assert (found.cause, found.onvif, found.device.model) == (OnvifCause.TIMEOUT, True, "C1")
    assert found.clock is not None


async def test_a_cancelled_probe_leaves_no_connection(probe: Any, peer: Any) -> None:
    address, connections = await peer(silence)
    task = asyncio.create_task(probe(address, deadline_s=30))
    await eventually(lambda: connections)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: not connections)


async def test_a_flood_is_read_up_to_its_limit(probe: Any, peer: Any) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()
            sent += 0x10000

    address, connections = await peer(flood)
    found = await probe(address, deadline_s=20)
    await eventually(lambda: not connections)
    assert found.cause is OnvifCause.PROTOCOL_ERROR
    assert sent < 20 * MAX_BODY


async def test_an_announced_flood_is_not_read_at_all(probe: Any, device: Any) -> None:
    flood = await device(raw=f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode())
    assert (await probe(flood, deadline_s=5)).cause is OnvifCause.PROTOCOL_ERROR


async def test_a_packed_answer_is_not_unpacked(probe: Any, device: Any, answers: Any) -> None:
    packed = answers.http(gzip.compress(b"0" * 10_000_000), headers="Content-Encoding: gzip\r\n")
    assert (await probe(await device(raw=packed))).cause is OnvifCause.PROTOCOL_ERROR


@pytest.mark.parametrize("where", ["<s:Header>&l9;</s:Header>", '<s:Header a="&l9;"/>', "<s:Body/>"])
async def test_an_entity_bomb_is_a_protocol_error_at_once(probe: Any, device: Any, answers: Any, where: str) -> None:
    body = f'{BOMB}<s:Envelope xmlns:s="{SOAP}">{where}<s:Body/></s:Envelope>'
    started = time.process_time()
    found = await probe(await device(raw=answers.http(body)))
    assert found.cause in (OnvifCause.PROTOCOL_ERROR, OnvifCause.NOT_ONVIF)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-7"])
async def test_an_outside_file_is_never_fetched(
    probe: Any, device: Any, answers: Any, peer: Any, encoding: str
) -> None:
    visits: list[bytes] = []

    async def note(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        visits.append(await reader.read(1000))

    address, _ = await peer(note)
    body = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE s:Envelope SYSTEM "http://{address}/x.dtd" ['
        f'<!ENTITY outside SYSTEM "http://{address}/x"><!ENTITY file SYSTEM "file:///etc/hostname">'
        f'<!ENTITY % more SYSTEM "http://{address}/y"> %more;]>'
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body>&outside;&file;</s:Body></s:Envelope>'
    )
    found = await probe(await device(raw=answers.http(body.encode(encoding))))
    assert found.cause in (OnvifCause.PROTOCOL_ERROR, OnvifCause.NOT_ONVIF)
    assert visits == []


async def test_a_schema_location_in_an_answer_is_never_fetched(probe: Any, device: Any, peer: Any) -> None:
    visits: list[bytes] = []

    async def note(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        visits.append(await reader.read(1000))

    address, _ = await peer(note)
    schema = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://{address}/x.xsd"'
    answer = f"<tds:GetDeviceInformationResponse {schema}><tds:Model>C2</tds:Model></tds:GetDeviceInformationResponse>"
    found = await probe(await device(answers={"GetDeviceInformation": answer}))
    assert (found.device.model, visits) == ("C2", [])


def test_a_million_levels_are_no_message() -> None:
    with pytest.raises(OnvifError):
        parse_envelope(b"<a>" * 300_000)


@pytest.mark.parametrize(
    "inside",
    [
        "<tds:GetDeviceInformationResponse " + " ".join(f'a{number}="1"' for number in range(80_000)) + "/>",
        "<tds:GetDeviceInformationResponse>" + "<a/>" * 200_000 + "</tds:GetDeviceInformationResponse>",
    ],
    ids=["attributes", "elements"],
)
async def test_an_answer_that_costs_much_to_read_is_not_read(probe: Any, device: Any, inside: str) -> None:
    started = time.process_time()
    found = await probe(await device(answers={"GetDeviceInformation": inside}))
    assert (found.onvif, found.cause) == (True, OnvifCause.PROTOCOL_ERROR)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n<html><p>Router</p></html>\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\x00\xff\xfe\x01\x02\x03",
        b"RTSP/1.0 400 Bad Request\r\nCSeq: 1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
)
async def test_what_does_not_speak_onvif_is_published_so(probe: Any, device: Any, raw: bytes) -> None:
    found = await probe(await device(raw=raw), deadline_s=5)
    assert (found.onvif, found.cause) == (False, OnvifCause.NOT_ONVIF)


async def test_a_device_that_takes_only_basic_is_one_and_gets_no_login(
    probe: Any, device: Any, login: Credentials
) -> None:
    asked_device = await device(login="basic")
    found = await probe(asked_device, login)
    assert (found.onvif, found.cause) == (True, OnvifCause.AUTH_FAILED)
    assert found.detail.startswith("GetDeviceInformation needs a login in a way that is not spoken here")
    assert not any(asked.has_login for asked in asked_device.asked)


async def test_an_answer_that_breaks_off_is_a_protocol_error(probe: Any, device: Any) -> None:
    found = await probe(await device(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<s:Envelope"))
    assert (found.cause, found.detail) == (OnvifCause.PROTOCOL_ERROR, "the answer breaks off before its end")


async def test_a_redirection_is_not_followed(probe: Any, device: Any, login: Credentials) -> None:
    elsewhere = await device()
    to = f"Location: http://{elsewhere.address}/onvif/device_service\r\nContent-Length: 0\r\n\r\n".encode()
    found = await probe(await device(raw=b"HTTP/1.1 307 Temporary Redirect\r\n" + to), login)
    assert (found.cause, elsewhere.connections) == (OnvifCause.NOT_ONVIF, 0)


async def test_a_service_named_on_another_host_is_asked_on_the_asked_one(probe: Any, device: Any) -> None:
    inner = await device()
    camera = await device(media="http://127.0.0.2:" + str(inner.port) + "/onvif/media")
    found = await probe(camera)
    assert (found.cause, len(found.profiles), inner.connections) == (None, 1, 0)
    assert "/onvif/media" in {asked.path for asked in camera.asked}


async def test_a_service_on_another_port_of_the_asked_host_is_asked_there(probe: Any, device: Any) -> None:
    media = await device()
    found = await probe(await device(media=f"http://{media.address}/onvif/media"))
    assert len(found.profiles) == 1
    assert {asked.operation for asked in media.asked} == {"GetProfiles", "GetStreamUri", "GetSnapshotUri"}


async def test_a_service_at_a_port_of_the_platform_is_not_asked(probe: Any, device: Any) -> None:
    """As where a hostile device has the address of the platform, or is forwarded there."""
    ours = await device()
    found = await probe(await device(media=f"http://{ours.address}/v1/cameras"), denied=[f"127.0.0.0/8:{ours.port}"])
    assert (found.onvif, found.cause, ours.connections) == (True, OnvifCause.ADDRESS_NOT_ALLOWED, 0)
    assert "the platform's own" in found.detail


@pytest.mark.parametrize("xaddr", ["file:///etc/passwd", "http://[", "http://127.0.0.1:80/a b", "http://x:99999/", "x"])
async def test_a_service_address_that_is_none_is_not_asked(probe: Any, device: Any, xaddr: str) -> None:
    found = await probe(await device(media=xaddr.replace("{", "").replace("}", "")))
    assert (found.cause, found.profiles, found.remarks) == (None, (), (Remark.NO_MEDIA_SERVICE,))


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("GetSystemDateAndTime", "<tds:GetDeviceInformationResponse/>"),
        ("GetProfiles", "<trt:GetProfilesResponse><trt:Profiles token='p'><tt:Name>n"),
        ("GetSystemDateAndTime", HUGE_HOUR),
        ("GetProfiles", "<trt:GetProfilesResponse>12</trt:GetProfilesResponse>"),
        ("GetServices", "<tds:GetServicesResponse><tds:Service>x</tds:Service></tds:GetServicesResponse>"),
    ],
)
async def test_an_answer_that_does_not_fit_never_raises(
    probe: Any, device: Any, operation: str, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = await probe(await device(answers={operation: answer}))
    assert found.onvif
    assert found.cause in (None, OnvifCause.PROTOCOL_ERROR)
    assert caplog.records == []


@pytest.mark.slow
async def test_a_large_answer_does_not_hold_up_the_loop(probe: Any, device: Any, answers: Any) -> None:
    many = [(f"p{number}", "vs", "H264", 640, 360) for number in range(1200)]
    text = answers.profiles(*many)
    assert MAX_BODY / 2 < len(text) < MAX_BODY
    camera = await device(answers={"GetProfiles": text}, hang_at="GetStreamUri")
    await probe(await device())
    longest, last = 0.0, time.monotonic()

    async def beat() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0.001)
            now = time.monotonic()
            longest, last = max(longest, now - last), now

    beating = asyncio.create_task(beat())
    found = await probe(camera, deadline_s=3)
    beating.cancel()
    assert found.cause is OnvifCause.TIMEOUT
    assert camera.asked[-1].operation == "GetStreamUri"
    assert longest < 0.25, f"the loop stood still for {longest:.3f} s"
