"""Calls to one device: first without a login, then with the one it asks for, and never with a refused one again.

A device that wants no login is sent none. One that wants it gets the better of what it takes: HTTP Digest when it
offers that (it needs no clock), else a WS-UsernameToken dated by the device's own clock. After one refusal nothing
that carries a login is sent any more: cameras lock out whoever fails a few times.

HTTP is bounded in every direction: only the checked address is connected to, redirections are not followed, a body is
read up to a limit and never unpacked, no proxy of the environment is used, no cookie is kept. Only the connection has a
time limit here: the deadline of a probe is outside (`asyncio.timeout`), so that no trick of a device gets around it.
"""

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from prober.probes.onvif.model import OnvifCause, OnvifError
from prober.probes.onvif.soap import LoginWantedError, Soap
from vonggac.auth import Credentials
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.http_auth import Authenticator, parse_challenges

MAX_BODY = 1 << 20
"""Bytes of one answer; 64 profiles with everything that belongs to them are about 250 KB."""
CONNECT_WITHIN_S = 3.0
_CHUNK = 1 << 16
_ROUTE_ERRORS = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
_ATTEMPTS = 3
"""Without a login, with it, and once more when the device has only replaced its nonce."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. `challenges`: the WWW-Authenticate fields."""

    status: int
    body: bytes
    challenges: tuple[str, ...]


class Http:
    """POSTs to one IP address; an async context manager that leaves no connection behind.

    A device names the ports of its services itself: each is checked, since some may be the platform's own.
    """

    def __init__(self, ip: str, allowed: AllowedNetworks) -> None:
        self._ip, self._allowed = ip, allowed
        self._host = f"[{ip}]" if ":" in ip else ip
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            # A kept connection that the device has closed meanwhile would seem a failure of the device.
            connector=aiohttp.TCPConnector(force_close=True, use_dns_cache=False, limit=2),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_WITHIN_S),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def post(self, port: int, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Post a body. Raises OnvifError: address_not_allowed, refused, route, timeout (of the connection), not_onvif,
        protocol_error."""
        assert self._session is not None
        if not self._allowed.allow(self._ip, port):
            raise OnvifError(OnvifCause.ADDRESS_NOT_ALLOWED, self._allowed.why_not(self._ip, port))
        url = URL(f"http://{self._host}:{port}{path}", encoded=True)
        sent = {"Accept-Encoding": "identity", "User-Agent": "vonggac", **headers}
        try:
            async with self._session.post(url, data=body, headers=sent, allow_redirects=False) as response:
                return Reply(
                    response.status,
                    await _read_body(response),
                    tuple(response.headers.getall("WWW-Authenticate", [])),
                )
        except aiohttp.ConnectionTimeoutError:
            raise OnvifError(OnvifCause.TIMEOUT, "no answer to the connection attempt in time") from None
        except aiohttp.ClientConnectorError as error:
            if error.os_error.errno in _ROUTE_ERRORS:
                raise OnvifError(OnvifCause.ROUTE, "there is no route to the address") from None
            raise OnvifError(OnvifCause.REFUSED, "the address refused the connection") from None
        except aiohttp.ClientPayloadError:
            raise OnvifError(OnvifCause.PROTOCOL_ERROR, "the answer breaks off before its end") from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            raise OnvifError(OnvifCause.NOT_ONVIF, "the connection was closed without an answer") from None
        except aiohttp.ClientError:
            raise OnvifError(OnvifCause.NOT_ONVIF, "what listens there does not speak HTTP") from None


class _Scheme(Enum):
    NONE = 0
    TOKEN = 1
    DIGEST = 2


class Device:
    """One device for one probe. `clock_offset` is what its clock is ahead of ours, for signing."""

    def __init__(self, http: Http, soap: Soap, credentials: Credentials | None) -> None:
        self._http, self._soap, self._credentials = http, soap, credentials
        self._digest = Authenticator(credentials)
        self._scheme = _Scheme.NONE
        self._refused = False
        self._answered = False
        """Whether it has answered in SOAP, so that what listens there is a device."""
        self._wants_login = False
        self.clock_offset = timedelta()

    @property
    def wants_login(self) -> bool:
        """Whether any call so far was answered by asking for a login."""
        return self._wants_login

    async def call(self, port: int, path: str, service: str, operation: str, **parameters: Any) -> Any:
        """Call an operation; return plain data. Raises OnvifError; FaultError when the device has no such operation."""
        for _ in range(_ATTEMPTS):
            reply = await self._send(port, path, service, operation, parameters)
            try:
                answer = await self._read(reply, service, operation)
            except LoginWantedError:
                self._wants_login = True
                if not self._may_answer(reply):
                    break
                continue
            if self._scheme is _Scheme.DIGEST:
                self._digest.accepted()
            return answer
        raise OnvifError(OnvifCause.AUTH_FAILED, self._why_no_login(operation))

    async def _send(self, port: int, path: str, service: str, operation: str, parameters: dict[str, Any]) -> Reply:
        request = self._soap.request(
            service,
            operation,
            parameters,
            login=self._credentials if self._scheme is _Scheme.TOKEN else None,
            clock_offset=self.clock_offset,
        )
        headers = {"Content-Type": request.content_type}
        if self._scheme is _Scheme.DIGEST and (answer := self._digest.answer("POST", path, request.body)) is not None:
            headers["Authorization"] = answer
        return await self._http.post(port, path, request.body, headers)

    async def _read(self, reply: Reply, service: str, operation: str) -> Any:
        if reply.status == 401 and (_digests(reply) or self._scheme is not _Scheme.NONE):
            raise LoginWantedError
        try:
            answer = await self._soap.read(service, operation, reply.body)
            self._answered = True
            return answer
        except OnvifError as error:
            if reply.status == 401 and self._answered and error.cause is OnvifCause.NOT_ONVIF:
                self._wants_login = True
                msg = f"{operation} needs a login in a way that is not spoken here (Basic shows the password)"
                raise OnvifError(OnvifCause.AUTH_FAILED, msg) from None
            if reply.status == 401 and error.cause is not OnvifCause.NOT_ONVIF:
                raise LoginWantedError from None
            raise

    def _may_answer(self, reply: Reply) -> bool:
        """Whether the request may be sent once more, with a login that has not been refused."""
        if self._credentials is None or self._refused:
            return False
        digests = _digests(reply)
        if self._scheme is _Scheme.NONE:
            self._scheme = _Scheme.DIGEST if digests else _Scheme.TOKEN
            return not digests or self._digest.challenged(digests, answered=False)
        if self._scheme is _Scheme.DIGEST and self._digest.challenged(digests, answered=True):
            return True
        self._refused = True
        return False

    def _why_no_login(self, operation: str) -> str:
        if self._credentials is None:
            return f"{operation} needs a login and none was given"
        return f"the login was refused at {operation}; it is not tried again"


def _digests(reply: Reply) -> list[str]:
    """List the Digest challenges that can be answered. Basic is never answered: it would show the password."""
    return [
        found.encode() for found in parse_challenges(reply.challenges) if found.scheme == "digest" and found.strength
    ]


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise OnvifError(OnvifCause.PROTOCOL_ERROR, "the answer is compressed although that was not asked for")
    if (response.content_length or 0) > MAX_BODY:
        raise _too_long()
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MAX_BODY:
            raise _too_long()
    return bytes(body)


def _too_long() -> OnvifError:
    return OnvifError(OnvifCause.PROTOCOL_ERROR, f"the answer is longer than {MAX_BODY} bytes")
