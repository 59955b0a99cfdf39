"""A virtual ONVIF camera (ipycam) in a process of its own, and devices of which every answer is the test's."""

import asyncio
import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from prober.probes.onvif import OnvifFinding, probe_device
from vonggac.auth import Credentials
from vonggac.bus import ServerClock
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.http_auth import new_challenge, verify_authorization

LOGIN = Credentials("viewer", "dung-mat-khau")
MAC = "0A-1B-2C-3D-4E-5F"


@dataclass(frozen=True)
class Asked:
    """One request as the device got it."""

    operation: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def has_login(self) -> bool:
        return "UsernameToken" in self.body or "authorization" in self.headers


@dataclass
class FakeDevice:
    """An ONVIF device. Change what it is made of before it is asked.

    `login`: None (open), "token", "digest" or "basic"; `ahead`: what its clock is ahead; `strict_clock_s`: how far a
    token's time may be off; `answers`: an operation's own body (the inside of soap:Body); `raw`: the whole HTTP answer
    to everything; `hang_at`: the operation (or `*`) that is never answered.
    """

    login: str | None = None
    ahead: timedelta = timedelta()
    strict_clock_s: float = 5.0
    media: str = "http://{own}/onvif/media"
    stream: str = "rtsp://127.0.0.1:554/Streaming/Channels/101"
    answers: dict[str, str] = field(default_factory=dict)
    protected: frozenset[str] = frozenset({"GetDeviceInformation", "GetProfiles", "GetStreamUri", "GetSnapshotUri"})
    raw: bytes | None = None
    hang_at: str | None = None
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    refused_logins: int = 0
    connections: int = 0
    open_now: set[asyncio.StreamWriter] = field(default_factory=set)
    challenge: Any = field(default_factory=lambda: new_challenge("device"))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_now.add(writer)
        try:
            await self._serve_one(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self.open_now.discard(writer)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        operation = re.search(r"<soap-env:Body><\w+:(\w+)", body)
        assert operation is not None
        asked = Asked(operation[1], request.split()[1], headers, body)
        self.asked.append(asked)
        if self.hang_at in (asked.operation, "*"):
            await reader.read()
            return
        writer.write(self.raw if self.raw is not None else self._answer(asked))
        await writer.drain()

    def _answer(self, asked: Asked) -> bytes:
        if self.login is not None and asked.operation in self.protected and not self._lets_in(asked):
            self.refused_logins += asked.has_login
            if self.login == "basic":
                return http("<html>", status="401 Unauthorized", headers='WWW-Authenticate: Basic realm="d"\r\n')
            challenge = f"WWW-Authenticate: {self.challenge.encode()}\r\n" if self.login == "digest" else ""
            return http(fault("ter:NotAuthorized"), status="401 Unauthorized", headers=challenge)
        inside = self.answers.get(asked.operation) or self._usual(asked.operation)
        return http(envelope(inside) if inside is not None else fault("ter:ActionNotSupported"))

    def _lets_in(self, asked: Asked) -> bool:
        if self.login == "digest":
            given = asked.headers.get("authorization")
            return given is not None and verify_authorization(
                given, method="POST", credentials=LOGIN, challenge=self.challenge
            )
        fields = {name: re.search(rf"{name}[^>]*>([^<]+)<", asked.body) for name in ("Nonce", "Created", "Password")}
        if any(found is None for found in fields.values()):
            return False
        nonce, created, password = (found[1] for found in fields.values() if found is not None)
        off = datetime.fromisoformat(created) - (datetime.now(UTC) + self.ahead)
        digest = hashlib.sha1(base64.b64decode(nonce) + created.encode() + LOGIN.password.encode()).digest()  # noqa: S324
        return abs(off.total_seconds()) <= self.strict_clock_s and password == base64.b64encode(digest).decode()

    def _usual(self, operation: str) -> str | None:
        own = self.address
        return {
            "GetSystemDateAndTime": clock_answer(datetime.now(UTC) + self.ahead),
            "GetDeviceInformation": "<tds:GetDeviceInformationResponse><tds:Manufacturer>Acme</tds:Manufacturer>"
            "<tds:Model>C1</tds:Model><tds:FirmwareVersion>5.1</tds:FirmwareVersion><tds:SerialNumber>S1"
            "</tds:SerialNumber><tds:HardwareId>H1</tds:HardwareId></tds:GetDeviceInformationResponse>",
            "GetServices": services_answer(self.media.format(own=own)),
            "GetProfiles": profiles_answer(("main", "vs1", "H264", 1920, 1080)),
            "GetStreamUri": uri_answer("GetStreamUri", self.stream),
            "GetSnapshotUri": uri_answer("GetSnapshotUri", f"http://{own}/snapshot.jpg"),
            "GetNetworkInterfaces": interface_answer(MAC),
        }.get(operation)


def http(body: str | bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/soap+xml\r\n{headers}Content-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


def envelope(inside: str) -> str:
    spaces = {
        "s": "http://www.w3.org/2003/05/soap-envelope",
        "tds": "http://www.onvif.org/ver10/device/wsdl",
        "trt": "http://www.onvif.org/ver10/media/wsdl",
        "tt": "http://www.onvif.org/ver10/schema",
        "ter": "http://www.onvif.org/ver10/error",
    }
    names = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {names}><s:Body>{inside}</s:Body></s:Envelope>'


def fault(subcode: str) -> str:
    return envelope(
        f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
        "<s:Reason><s:Text xml:lang='en'>no</s:Text></s:Reason></s:Fault>"
    )


def clock_answer(given: datetime) -> str:
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
        "<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>ICT-7</tt:TZ></tt:TimeZone>"
        f"<tt:UTCDateTime><tt:Time><tt:Hour>{given.hour}</tt:Hour><tt:Minute>{given.minute}</tt:Minute>"
        f"<tt:Second>{given.second}</tt:Second></tt:Time><tt:Date><tt:Year>{given.year}</tt:Year>"
        f"<tt:Month>{given.month}</tt:Month><tt:Day>{given.day}</tt:Day></tt:Date></tt:UTCDateTime>"
        "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def services_answer(media: str) -> str:
    return (
        "<tds:GetServicesResponse><tds:Service><tds:Namespace>http://www.onvif.org/ver10/media/wsdl</tds:Namespace>"
        f"<tds:XAddr>{media}</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>5</tt:Minor></tds:Version>"
        "</tds:Service></tds:GetServicesResponse>"
    )


def profiles_answer(*profiles: tuple[str, str, str, int, int]) -> str:
    return "<trt:GetProfilesResponse>" + "".join(map(_profile, profiles)) + "</trt:GetProfilesResponse>"


def _profile(profile: tuple[str, str, str, int, int]) -> str:
    token, source, codec, width, height = profile
    return (
        f'<trt:Profiles token="{token}"><tt:Name>{token}</tt:Name><tt:VideoSourceConfiguration token="c">'
        f"<tt:Name>v</tt:Name><tt:UseCount>1</tt:UseCount><tt:SourceToken>{source}</tt:SourceToken>"
        '<tt:Bounds x="0" y="0" width="1" height="1"/></tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration '
        f'token="e"><tt:Name>e</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>{codec}</tt:Encoding><tt:Resolution>'
        f"<tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality>"
        "<tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>"
        "<tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl></tt:VideoEncoderConfiguration></trt:Profiles>"
    )


def uri_answer(operation: str, uri: str) -> str:
    given = uri.replace("&", "&amp;")
    return (
        f"<trt:{operation}Response><trt:MediaUri><tt:Uri>{given}</tt:Uri><tt:InvalidAfterConnect>false"
        "</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>"
        f"</trt:MediaUri></trt:{operation}Response>"
    )


def interface_answer(mac: str) -> str:
    return (
        '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info>'
        f"<tt:HwAddress>{mac}</tt:HwAddress></tt:Info></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>"
    )


class Answers:
    """The pieces of an answer, for tests."""

    http = staticmethod(http)
    envelope = staticmethod(envelope)
    fault = staticmethod(fault)
    clock = staticmethod(clock_answer)
    profiles = staticmethod(profiles_answer)
    interfaces = staticmethod(interface_answer)


@pytest.fixture(scope="session")
def answers() -> type[Answers]:
    return Answers


@pytest.fixture(scope="session")
def login() -> Credentials:
    return LOGIN


@pytest_asyncio.fixture
async def device() -> AsyncIterator[Any]:
    """`await device(login="token", …)` starts a FakeDevice that lives as long as the test."""
    async with AsyncExitStack() as stack:

        async def start(**made_of: Any) -> FakeDevice:
            made = FakeDevice(**made_of)
            server = await stack.enter_async_context(await asyncio.start_server(made.serve, "127.0.0.1", 0))
            made.port = server.sockets[0].getsockname()[1]

            def cut() -> None:
                for writer in made.open_now:
                    writer.transport.abort()

            stack.callback(cut)
            return made

        yield start


@pytest.fixture(scope="session")
def virtual_camera() -> Iterator[str]:
    """Address of ipycam's ONVIF side, which wants the login `admin`, `bi-mat-1` for everything."""
    wanted = json.dumps({"username": "admin", "password": "bi-mat-1"})
    command = [sys.executable, str(Path(__file__).with_name("virtual_camera.py")), wanted]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        port = child.stdout.readline().strip()
        yield f"127.0.0.1:{port}"
        child.terminate()


@pytest.fixture
def probe() -> Callable[..., Any]:
    """Probe a device: `await probe(device, credentials, deadline_s=…)`."""

    async def one(
        target: FakeDevice | str,
        credentials: Credentials | None = None,
        deadline_s: float = 10.0,
        denied: Sequence[str] = (),
    ) -> OnvifFinding:
        address = target if isinstance(target, str) else target.address
        networks = AllowedNetworks.parse(["127.0.0.0/8"], denied)
        return await probe_device(
            address, credentials, deadline_s=deadline_s, allowed_networks=networks, clock=ServerClock()
        )

    return one
