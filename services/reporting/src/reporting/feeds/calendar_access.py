"""Who reads a calendar feed: calendar programs send no token, but a user and a password (HTTP Basic).

The user is the feed's id, the password 32 random bytes that were shown once. Neither an address nor a log has it.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi.security.utils import get_authorization_scheme_param
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.types import Scope

from reporting.storage.mandate import calendar_feeds
from vonggac.auth import Principal, Role
from vonggac.database import Database
from vonggac.http import ProblemError
from vonggac.http.protection.callers import Authenticate

_CALLER = "vonggac.caller"
_FEED = re.compile(r"/v1/calendar-feeds/([0-9a-f-]{36})\.ics")


def new_password() -> str:
    """As it is shown, once: 43 letters, digits, `-` and `_`."""
    return secrets.token_urlsafe(32)


def digest(password: str) -> bytes:
    """What is kept of it. It is random, so no slow hash is needed."""
    return hashlib.sha256(password.encode()).digest()


def knows_feeds(database: Database, otherwise: Authenticate) -> Authenticate:
    """Callers of a feed's address by its password, all others as before."""

    async def authenticate(scope: Scope) -> None:
        found = _FEED.fullmatch(scope["path"])
        given = Headers(scope=scope).getlist("authorization")
        scheme, value = get_authorization_scheme_param(given[0] if len(given) == 1 else None)
        if found is None or scheme.lower() == "bearer":
            await otherwise(scope)
            return
        user, password = _parts(value) if scheme.lower() == "basic" else ("", "")
        row = await _found(database, UUID(user), password) if user == found[1] else None
        if row is None:
            raise _refused()
        role = Role.SERVICE if row.restricted else Role.READER
        scope[_CALLER] = Principal(f"calendar-feed:{user}", frozenset({role}))

    return authenticate


def _parts(value: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password


async def _found(database: Database, feed_id: UUID, password: str) -> Any:
    """The feed that has this password and is not revoked, or None."""
    try:
        async with database.transaction() as session:
            row = await calendar_feeds.get(session, feed_id)
    except (SQLAlchemyError, OSError):
        detail = "the feeds cannot be read now; ask again"
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, headers={"Retry-After": "10"}
        ) from None
    known = b"" if row is None or row.revoked_at is not None else row.password_sha256
    return row if hmac.compare_digest(known, digest(password)) else None


def _refused() -> ProblemError:
    detail = "give the feed's id as the user and its password; a feed that was revoked has none"
    headers = {"WWW-Authenticate": 'Basic realm="vong-gac", charset="UTF-8"'}
    return ProblemError(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers=headers)
