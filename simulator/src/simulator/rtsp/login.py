"""The server's side of logging in: none, Basic, Digest with MD5 or SHA-256."""

import time

from simulator.config import Auth, DeviceConfig
from simulator.rtsp.connection import Reply
from vonggac.net.errors import MalformedError
from vonggac.net.http_auth import Challenge, new_challenge, verify_authorization
from vonggac.net.url import Credentials
from vonggac.rtsp.wire.messages import Request

REALM = "Vong Gac simulator"


class Lockout:
    """A device's guard against guessing: `limit` wrong logins in a row lock it for `for_s`, for every client."""

    def __init__(self, limit: int, for_s: float) -> None:
        self._limit = limit
        self._for_s = for_s
        self._failures = 0
        self._locked_until = 0.0

    @property
    def locked(self) -> bool:
        return time.monotonic() < self._locked_until

    def failed(self) -> None:
        """A login was wrong."""
        self._failures += 1
        if self._failures >= self._limit:
            self._failures = 0
            self._locked_until = time.monotonic() + self._for_s

    def succeeded(self) -> None:
        """A login was right."""
        self._failures = 0


class Login:
    """The state of one connection: the last challenge that its client got."""

    def __init__(self, device: DeviceConfig) -> None:
        self._auth = device.auth
        self._credentials = Credentials(device.username, device.password.get_secret_value())
        self._challenge = _new_challenge(device.auth)
        self.failures = 0
        """Requests that carried a login and were denied."""

    @property
    def challenge(self) -> tuple[str, str]:
        """The header that demands a login."""
        return "WWW-Authenticate", self._challenge.encode()

    def denial(self, request: Request, *, always: bool = False) -> Reply | None:
        """401 with a fresh nonce, or None when the request may pass. `always`: deny whatever is sent."""
        if not always and (self._auth == "none" or request.method == "OPTIONS"):
            return None
        given = request.headers.get("Authorization")
        if given is not None and not always and self._admits(given, request.method):
            return None
        if given is not None:
            self.failures += 1
        self._challenge = _new_challenge(self._auth)
        return Reply(401, (self.challenge,))

    def _admits(self, given: str, method: str) -> bool:
        try:
            return verify_authorization(given, method=method, credentials=self._credentials, challenge=self._challenge)
        except MalformedError:
            return False


def _new_challenge(auth: Auth) -> Challenge:
    if auth == "basic":
        return new_challenge(REALM, scheme="basic")
    if auth == "digest-sha256":
        return new_challenge(REALM, algorithm="SHA-256")
    # As most cameras: no algorithm, no qop (RFC 2069).
    return new_challenge(REALM, algorithm=None, qop=())
