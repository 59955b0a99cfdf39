"""Who reads a calendar feed: calendar programs send no token, but a user and a password (HTTP Basic).

The user is the feed's id, the password 32 random bytes that were shown once. Web calendars (Google, Outlook) send no
login at all: a feed that was made so has an address that carries the password. `SecretAddresses` turns it into the
login before any route, so that nothing behind it, no route, log, error or span, has the address.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi.security.utils import get_authorization_scheme_param
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from reporting.storage.mandate import calendar_feeds
from vonggac.auth import Principal, Role
from vonggac.auth.dependencies import refuse_wrong
from vonggac.auth.wrong_tokens import WrongTokens
from vonggac.database import Database
from vonggac.http import ProblemError
from vonggac.http.protection.callers import Authenticate

_CALLER = "vonggac.caller"
_BY_ADDRESS = "reporting.calendar_by_address"
_FEED = re.compile(r"/v1/calendar-feeds/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\.ics")
_ADDRESS = re.compile(r"/v1/calendar-feeds/([^/]+)/(.*?)(?:\.ics)?")
"""Whatever stands below a feed is taken for its password: one that was copied badly is not shown either."""


class SecretAddresses:
    """ASGI middleware, outside of all others: an address that carries a feed's password becomes the feed's own address
    with a login."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (found := _ADDRESS.fullmatch(scope["path"])) is not None:
            feed_id, password = found.groups()
            login = base64.b64encode(f"{feed_id}:{password}".encode())
            headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
            scope["headers"] = [*headers, (b"authorization", b"Basic " + login)]
            scope["path"] = f"/v1/calendar-feeds/{feed_id}.ics"
            scope["raw_path"] = quote(scope["path"]).encode()
            scope[_BY_ADDRESS] = True
        await self.app(scope, receive, send)


def address_of(feed_id: UUID, password: str) -> str:
    """Build the path that carries the password."""
    return f"/v1/calendar-feeds/{feed_id}/{password}.ics"


def new_password() -> str:
    """As it is shown, once: 43 letters, digits, `-` and `_`."""
    return secrets.token_urlsafe(32)


def digest(password: str) -> bytes:
    """Compute the digest to keep of a password. It is random, so no slow hash is needed."""
    return hashlib.sha256(password.encode()).digest()


def knows_feeds(database: Database, otherwise: Authenticate, wrong_tokens: WrongTokens) -> Authenticate:
    """Callers of a feed's address by its password, all others as before. A wrong one counts as a wrong token does."""

    async def authenticate(scope: Scope) -> None:
        found = _FEED.fullmatch(scope["path"])
        given = Headers(scope=scope).getlist("authorization")
        scheme, value = get_authorization_scheme_param(given[0] if len(given) == 1 else None)
        if found is None or scheme.lower() == "bearer":
            await otherwise(scope)
            return
        user, password = _parts(value) if scheme.lower() == "basic" else ("", "")
        row = await _find_feed(database, UUID(user), password) if user == found[1] else None
        if row is None or (scope.get(_BY_ADDRESS, False) and not row.by_address):
            # A program that sent no login yet has tried none: it asks whether one is needed.
            raise refuse_wrong(wrong_tokens, scope, _refused()) if given else _refused()
        role = Role.SERVICE if row.restricted else Role.READER
        scope[_CALLER] = Principal(f"calendar-feed:{user}", frozenset({role}))

    return authenticate


def _parts(value: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password


async def _find_feed(database: Database, feed_id: UUID, password: str) -> Any:
    """Find the feed that has this password and is not revoked, or None."""
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
