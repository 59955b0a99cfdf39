"""Codes and refresh tokens, in memory: each is used once, and none outlives the process."""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from local.issuer.people import DemoPerson

CODE_S = 60.0
REFRESH_S = 31 * 86_400.0
"""Longer than a wall screen of the console lasts."""
MOST = 1000
"""Of either kind; the oldest give way."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the console asked when it sent a browser here."""

    client_id: str
    redirect_uri: str
    state: str
    nonce: str
    challenge: str


@dataclass(frozen=True, slots=True)
class Grant:
    """Who was chosen, for which request."""

    person: DemoPerson
    client_id: str
    nonce: str | None
    challenge: str | None
    expires_at: float


class Grants:
    """What was given out and not yet used."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._codes: dict[str, Grant] = {}
        self._refreshing: dict[str, Grant] = {}

    def give_code(self, person: DemoPerson, request: Request) -> str:
        """Make a code for the console, valid for a minute."""
        expires = self._now() + CODE_S
        grant = Grant(person, request.client_id, request.nonce, request.challenge, expires)
        return self._store(self._codes, grant)

    def use_code(self, code: str, verifier: str, client_id: str) -> Grant | None:
        """None: unknown, used, over, or somebody else's (RFC 7636 §4.6)."""
        grant = self._codes.pop(code, None)
        if grant is None or grant.expires_at < self._now() or grant.client_id != client_id:
            return None
        return grant if challenge_of(verifier) == grant.challenge else None

    def give_refresh(self, grant: Grant) -> str:
        """Make a token with which the same person gets new ones."""
        return self._store(self._refreshing, Grant(grant.person, grant.client_id, None, None, self._now() + REFRESH_S))

    def use_refresh(self, token: str, client_id: str) -> Grant | None:
        """None: unknown, used, or over. Each is used once."""
        grant = self._refreshing.pop(token, None)
        fits = grant is not None and grant.expires_at >= self._now() and grant.client_id == client_id
        return grant if fits else None

    def _store(self, grants: dict[str, Grant], grant: Grant) -> str:
        while len(grants) >= MOST:
            del grants[next(iter(grants))]
        value = secrets.token_urlsafe(32)
        grants[value] = grant
        return value


def challenge_of(verifier: str) -> str:
    """Compute the S256 challenge of a verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
