"""HTTP to one device: bounded in every direction.

Only the checked address is connected to, redirections are not followed, a body is read up to a limit and never
unpacked, no proxy of the environment is used, no cookie is kept. There is no time limit here but for the connection:
the deadline of a look stands outside (`asyncio.timeout`), so that no trick of a device can get around it.
"""

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from prober.probes.onvif.errors import OnvifError
from prober.probes.onvif.model import OnvifCause

MAX_BODY = 1 << 20
"""Bytes of one answer; 64 profiles with everything that belongs to them are about 250 KB."""
CONNECT_WITHIN_S = 3.0
_CHUNK = 1 << 16
_ROUTE_ERRORS = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. `challenges`: the WWW-Authenticate fields."""

    status: int
    body: bytes
    challenges: tuple[str, ...]


class Http:
    """POSTs to one IP address; an async context manager that leaves no connection behind."""

    def __init__(self, ip: str) -> None:
        self._host = f"[{ip}]" if ":" in ip else ip
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            # A kept connection that the device has closed meanwhile would look like a failure of the device.
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
        """Raises OnvifError: refused, route, timeout (of the connection), not_onvif, protocol_error."""
        assert self._session is not None
        url = URL(f"http://{self._host}:{port}{path}", encoded=True)
        sent = {"Accept-Encoding": "identity", "User-Agent": "vonggac", **headers}
        try:
            async with self._session.post(url, data=body, headers=sent, allow_redirects=False) as response:
                return Reply(
                    response.status,
                    await _read(response),
                    tuple(response.headers.getall("WWW-Authenticate", [])),
                )
        except aiohttp.ConnectionTimeoutError:
            raise OnvifError(OnvifCause.TIMEOUT, "no answer to the connection attempt in time") from None
        except aiohttp.ClientConnectorError as error:
            if error.os_error.errno in _ROUTE_ERRORS:
                raise OnvifError(OnvifCause.ROUTE, "there is no route to the address") from None
            raise OnvifError(OnvifCause.REFUSED, "the address refused the connection") from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            raise OnvifError(OnvifCause.NOT_ONVIF, "the connection was closed without an answer") from None
        except aiohttp.ClientError:
            raise OnvifError(OnvifCause.NOT_ONVIF, "what listens there does not speak HTTP") from None


async def _read(response: aiohttp.ClientResponse) -> bytes:
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
