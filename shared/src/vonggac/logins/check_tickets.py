"""The mark of our own checks of an address that a centre pulls from: signed by the fleet's key, short-lived, used once.

Without it a check would count as the centre: it would take one of its sessions, and a dead centre would seem alive.
A ticket opens nothing: whoever shows one must log in as everybody.
"""

import hashlib
import hmac
from collections import deque

CHECK_HEADER = "X-Vonggac-Check"
"""Of the request that a check begins with."""
PURPOSE = b"vonggac check"
"""What the key of tickets is derived for."""
LIFE_S = 30.0
CLOCKS_DIFFER_S = 30.0
"""Between prober and forwarder, at most."""


def write_check_ticket(key: bytes, path: str, unix_s: float, once: str) -> str:
    """`path`: of the stream that is checked. `once`: 128 random bits, in hexadecimal digits."""
    head = f"{unix_s + LIFE_S:.0f}.{once}"
    return f"{head}.{_sign(key, path, head)}"


class CheckTickets:
    """Of one worker: it knows the tickets that were used."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._used: deque[tuple[float, str]] = deque()
        self._known: set[str] = set()

    def use(self, ticket: str, path: str, unix_s: float) -> bool:
        """Use a ticket up; False of one that is not ours, of another path, too old, or used before."""
        head, _, signature = ticket.rpartition(".")
        if not hmac.compare_digest(_sign(self._key, path, head).encode(), signature.encode()):
            return False
        until_s, once = float(head.partition(".")[0]), head.partition(".")[2]
        oldest_s = unix_s - CLOCKS_DIFFER_S
        while self._used and self._used[0][0] < oldest_s:
            self._known.discard(self._used.popleft()[1])
        if not oldest_s <= until_s <= unix_s + LIFE_S + CLOCKS_DIFFER_S or once in self._known:
            return False
        self._known.add(once)
        self._used.append((until_s, once))
        return True


def _sign(key: bytes, path: str, head: str) -> str:
    return hmac.new(key, f"{path}\n{head}".encode(), hashlib.sha256).hexdigest()
