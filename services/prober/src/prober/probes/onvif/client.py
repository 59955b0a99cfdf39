"""Calls to one device: first without a login, then with the one it asks for, and never with a refused one again.

A device that wants no login is sent none. One that wants it gets the better of what it takes: HTTP Digest when it
offers that (it needs no clock), else a WS-UsernameToken dated by the device's own clock. After one refusal nothing
that carries a login is sent any more: cameras lock out whoever fails a few times (domain.md 5.4).
"""

from datetime import timedelta
from enum import Enum
from typing import Any

from prober.probes.onvif.errors import OnvifError
from prober.probes.onvif.model import OnvifCause
from prober.probes.onvif.soap import LoginWantedError, Soap
from prober.probes.onvif.transport import Http, Reply
from vonggac.auth import Credentials
from vonggac.net.http_auth import Authenticator, parse_challenges

_ATTEMPTS = 3
"""Without a login, with it, and once more when the device has only replaced its nonce."""


class _Scheme(Enum):
    NONE = 0
    TOKEN = 1
    DIGEST = 2


class Device:
    """One device for one look. `clock_offset` is what its clock is ahead of ours, for signing."""

    def __init__(self, http: Http, soap: Soap, credentials: Credentials | None) -> None:
        self._http, self._soap, self._credentials = http, soap, credentials
        self._digest = Authenticator(credentials)
        self._scheme = _Scheme.NONE
        self._refused = False
        self.clock_offset = timedelta()

    async def call(self, port: int, path: str, service: str, operation: str, **parameters: Any) -> Any:
        """The answer as plain data. Raises OnvifError; FaultError when the device has no such operation."""
        for _ in range(_ATTEMPTS):
            reply = await self._send(port, path, service, operation, parameters)
            try:
                answer = await self._read(reply, service, operation)
            except LoginWantedError:
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
        if self._scheme is _Scheme.DIGEST and (answer := self._digest.answer("POST", path)) is not None:
            headers["Authorization"] = answer
        return await self._http.post(port, path, request.body, headers)

    async def _read(self, reply: Reply, service: str, operation: str) -> Any:
        if reply.status == 401 and (_digests(reply) or self._scheme is not _Scheme.NONE):
            raise LoginWantedError
        try:
            return await self._soap.read(service, operation, reply.body)
        except OnvifError as error:
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
    """The Digest challenges that can be answered. Basic is never answered: it would show the password."""
    return [
        found.encode() for found in parse_challenges(reply.challenges) if found.scheme == "digest" and found.strength
    ]
