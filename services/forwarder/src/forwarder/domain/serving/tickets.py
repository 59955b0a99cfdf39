"""What a worker says of a centre that it passes to the holder of the camera: signed, short-lived, used once."""

import base64
import binascii
import hashlib
import hmac
import json
from collections import deque
from dataclasses import asdict, dataclass

LIFE_S = 10.0
MAX_LINE_BYTES = 2048
_GREETING = b"VONGGAC-PASSAGE/1 "


class TicketError(Exception):
    """Not signed by a worker of this fleet, for another one, too old, or used before. Holds nothing of the ticket."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Who is passed on, to which worker and for which camera.

    `tls`: the version of TLS that the centre speaks with the worker in front; None without.
    """

    holder: str
    account: str
    path: str
    peer: str
    tls: str | None


def write_ticket(key: bytes, passed: Passed, unix_s: float, once: str) -> bytes:
    """Write the first line of a passage. `once`: 128 random bits, in hexadecimal digits."""
    content = {**asdict(passed), "until": unix_s + LIFE_S, "once": once}
    body = base64.urlsafe_b64encode(json.dumps(content).encode())
    return _GREETING + body + b" " + _sign(key, body) + b"\n"


class TicketReader:
    """Of one worker: it knows the tickets that were used."""

    def __init__(self, key: bytes, worker_id: str) -> None:
        self._key, self._worker_id = key, worker_id
        self._used: deque[tuple[float, str]] = deque()
        self._known: set[str] = set()

    def read_ticket(self, line: bytes, unix_s: float) -> Passed:
        """Use a ticket up. Raises TicketError."""
        greeting, _, signature = line.rstrip(b"\n").rpartition(b" ")
        if not greeting.startswith(_GREETING):
            raise TicketError("no ticket")
        body = greeting.removeprefix(_GREETING)
        if not hmac.compare_digest(_sign(self._key, body), signature):
            raise TicketError("not signed by a worker of this fleet")
        try:
            content = json.loads(base64.urlsafe_b64decode(body))
            until, once = float(content.pop("until")), str(content.pop("once"))
            passed = Passed(**content)
        except (binascii.Error, ValueError, KeyError, TypeError):
            raise TicketError("of another release") from None
        while self._used and self._used[0][0] < unix_s:
            self._known.discard(self._used.popleft()[1])
        if not unix_s <= until <= unix_s + 2 * LIFE_S:
            raise TicketError("too old, or the clocks of two workers differ")
        if passed.holder != self._worker_id:
            raise TicketError("for another worker")
        if once in self._known:
            raise TicketError("used before")
        self._known.add(once)
        self._used.append((until, once))
        return passed


def _sign(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).hexdigest().encode()
