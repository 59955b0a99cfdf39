"""The authorization code flow with PKCE (RFC 6749 §4.1, RFC 7636, OpenID Connect Core §3.1).

A library for it (Authlib) was weighed and left: it is untyped, its httpx client is deprecated, and PyJWT, which is
here already, judges the only part that is hard (decision 0144).
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from console.sign_in.provider import Person, Provider, ProviderAwayError, SignInRefusedError
from vonggac.telemetry import get_logger

log = get_logger(__name__)

LEAST_LIFE_S = 30.0
"""Of an access token whose answer does not say when it ends."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What the browser keeps in a cookie while its person is at the provider."""

    state: str
    nonce: str
    verifier: str
    to: str
    """The page that was asked for."""

    def to_cookie(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode().rstrip("=")

    @classmethod
    def from_cookie(cls, value: str) -> "Pending | None":
        """None for what is none of ours."""
        try:
            given = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
            found = cls(**given)
        except (ValueError, TypeError, RecursionError):
            return None
        return found if all(isinstance(each, str) and each for each in asdict(found).values()) else None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider gives for a code or for a refresh token."""

    access: str
    refresh: str | None
    identity: str | None
    expires_at_s: float
    """Unix time."""


class CodeFlow:
    """Signs people in at one provider."""

    def __init__(
        self,
        provider: Provider,
        client: httpx.AsyncClient,
        *,
        redirect_uri: str,
        scope: str,
        secret: str | None,
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        self.provider = provider
        self._client, self._redirect_uri, self._scope, self._secret = client, redirect_uri, scope, secret
        self._unix_s = unix_s

    async def begin(self, to: str) -> tuple[str, Pending]:
        """Where to send the browser, and what it keeps meanwhile. Raises ProviderAwayError."""
        endpoints = await self.provider.endpoints()
        pending = Pending(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), to)
        query = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._scope,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge_of(pending.verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in endpoints.authorization else "?"
        return endpoints.authorization + joint + urlencode(query), pending

    async def finish(self, code: str, pending: Pending) -> tuple[Person, Tokens]:
        """Fetch the person and the tokens behind a code. Raises SignInRefusedError, ProviderAwayError."""
        tokens = await self._fetch(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect_uri,
                "code_verifier": pending.verifier,
            }
        )
        if tokens.identity is None:
            msg = "the provider gave no ID token"
            raise SignInRefusedError(msg)
        return await self.provider.person(tokens.identity, pending.nonce), tokens

    async def refresh(self, refresh_token: str) -> Tokens:
        """Refresh the tokens. Raises SignInRefusedError where the person has to sign in again, ProviderAwayError."""
        return await self._fetch({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def sign_out_address(self, identity: str | None, back_to: str) -> str | None:
        """Find the provider's own page to sign out, None where it has none. Raises ProviderAwayError."""
        end = (await self.provider.endpoints()).end_session
        if end is None:
            return None
        query = {"client_id": self.provider.client_id, "post_logout_redirect_uri": back_to}
        if identity is not None:
            query["id_token_hint"] = identity
        return end + ("&" if "?" in end else "?") + urlencode(query)

    async def _fetch(self, form: dict[str, str]) -> Tokens:
        endpoints = await self.provider.endpoints()
        login = None
        if self._secret is None:
            form = {**form, "client_id": self.provider.client_id}
        else:
            login = httpx.BasicAuth(self.provider.client_id, self._secret)
        began = self._unix_s()
        try:
            answer = await self._client.post(endpoints.token, data=form, auth=login or httpx.USE_CLIENT_DEFAULT)
            body: Any = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderAwayError(type(error).__name__) from None
        if answer.status_code >= 500:
            msg = f"it answers {answer.status_code}"
            raise ProviderAwayError(msg)
        if answer.status_code != 200 or not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
            log.warning("tokens_refused", status=answer.status_code, grant=form["grant_type"])
            msg = "the provider refused"
            raise SignInRefusedError(msg)
        return _tokens(body, began)


def challenge_of(verifier: str) -> str:
    """Compute the S256 challenge of a verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).decode().rstrip("=")


def _tokens(body: dict[str, Any], began_s: float) -> Tokens:
    given = body.get("expires_in")
    life_s = float(given) if isinstance(given, int | float) and given > 0 else LEAST_LIFE_S
    refresh, identity = body.get("refresh_token"), body.get("id_token")
    return Tokens(
        access=body["access_token"],
        refresh=refresh if isinstance(refresh, str) else None,
        identity=identity if isinstance(identity, str) else None,
        expires_at_s=began_s + life_s,
    )
