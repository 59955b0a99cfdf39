"""The OIDC provider: its discovery document, the public keys of its ID tokens, and what they say of a person."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from console.settings import is_loopback
from vonggac.auth.key_set import KeySet, KeysUnavailableError, UnknownKeyError
from vonggac.telemetry import get_logger

log = get_logger(__name__)

ALGORITHMS = ("EdDSA", "RS256", "PS256", "ES256", "ES384")
DISCOVERY = "/.well-known/openid-configuration"
KEPT_S = 3600.0
"""The document is read anew after so long."""
LEEWAY_S = 10
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderAwayError(Exception):
    """The provider does not answer, or with what is no answer. The message is safe to show."""


class SignInRefusedError(Exception):
    """What came back does not sign anybody in. The message is safe to show."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Of the discovery document what the console uses."""

    authorization: str
    token: str
    keys: str
    end_session: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who an ID token is about."""

    subject: str
    name: str


class Provider:
    """One provider, by the address that its discovery document names."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client: httpx.AsyncClient,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer, self.client_id = issuer, client_id
        self._client, self._now = client, now
        self._endpoints: Endpoints | None = None
        self._read_at = 0.0
        self._keys: KeySet | None = None

    async def endpoints(self) -> Endpoints:
        """Return the endpoints, read or kept. Raises ProviderAwayError where nobody knows them."""
        if self._endpoints is not None and self._now() - self._read_at < KEPT_S:
            return self._endpoints
        try:
            answer = await self._client.get(self.issuer.rstrip("/") + DISCOVERY)
            answer.raise_for_status()
            found = self._read(answer.json())
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            log.warning("provider_not_read", error=type(error).__name__)
            if self._endpoints is not None:
                return self._endpoints
            raise ProviderAwayError(type(error).__name__) from None
        if self._endpoints is None or self._endpoints.keys != found.keys:
            self._keys = KeySet(file=None, url=found.keys)
        self._endpoints, self._read_at = found, self._now()
        return found

    async def person(self, id_token: str, nonce: str | None) -> Person:
        """Whom an ID token is about (OpenID Connect Core §3.1.3.7). `nonce`: None at a refresh.

        Raises SignInRefusedError for a token that is not the answer to our question, ProviderAwayError without keys.
        """
        await self.endpoints()
        assert self._keys is not None
        try:
            key = await self._keys.get(str(jwt.get_unverified_header(id_token).get("kid", "")))
            claims = jwt.decode(
                id_token,
                key=key.key,
                algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else [],
                issuer=self.issuer,
                audience=self.client_id,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
                leeway=LEEWAY_S,
            )
        except KeysUnavailableError as error:
            raise ProviderAwayError(str(error)) from None
        except (UnknownKeyError, jwt.PyJWTError, ValueError, TypeError) as error:
            log.warning("id_token_refused", error=type(error).__name__)
            raise SignInRefusedError(type(error).__name__) from None
        self._check(claims, nonce)
        name = claims.get("name") or claims.get("preferred_username") or claims["sub"]
        return Person(str(claims["sub"]), str(name))

    def _check(self, claims: dict[str, Any], nonce: str | None) -> None:
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if ("azp" in claims or several) and claims.get("azp") != self.client_id:
            msg = "the ID token was made for another client"
            raise SignInRefusedError(msg)
        if nonce is not None and claims.get("nonce") != nonce:
            msg = "the ID token answers another question"
            raise SignInRefusedError(msg)

    def _read(self, document: dict[str, Any]) -> Endpoints:
        """Read a document. Raises ValueError or KeyError if it is of another issuer, or its addresses are not safe."""
        if document["issuer"] != self.issuer:
            msg = "the document is of another issuer"
            raise ValueError(msg)
        authorization, token, keys = (str(document[name]) for name in _ENDPOINTS)
        for address in (authorization, token, keys):
            url = httpx.URL(address)
            if url.scheme != "https" and not is_loopback(url.host):
                msg = "an address without TLS"
                raise ValueError(msg)
        end = document.get("end_session_endpoint")
        return Endpoints(authorization, token, keys, str(end) if end else None)
