"""Tokens of links: random words that a service keeps the digest of, beside the signed tokens of the callers."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable

from vonggac.auth.rights import Principal

PREFIX = "vgl_"
"""By which a link's token is known from a JWT, and hidden in any text."""

type FindLink = Callable[[bytes], Awaitable[Principal | None]]
"""The caller behind the digest of a token; None: unknown, over or revoked."""


def new_link_token() -> str:
    """As it is shown, once: 32 random bytes in 43 letters, digits, `-` and `_`."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_link_token(token: str) -> bytes:
    """Compute the digest to keep of a token. It is random, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).digest()


def is_link_token(token: str) -> bool:
    """Whether a bearer token is one of a link."""
    return token.startswith(PREFIX)
