"""JSON Web Tokens: verified against a JWKS, issued by the embedded default.

Accepted algorithms are asymmetric only, so that a public key can never be used as a shared secret (RFC 8725 §3.1).
"""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vonggac.auth.rights import Principal, Role

ALGORITHMS = ("EdDSA", "RS256", "PS256", "ES256", "ES384")
REFRESH_AFTER_S = 300.0
REFRESH_NOT_BEFORE_S = 10.0
FETCH_TIMEOUT_S = 5.0


class TokenError(Exception):
    """The token is missing, malformed, expired, or signed by nobody known. The message is safe to show."""


class TokenVerifier:
    """Checks tokens against a JWKS file or URL; keys are read again for an unknown key id, and now and then."""

    def __init__(self, *, jwks_file: Path | None, jwks_url: str | None, issuer: str, audience: str) -> None:
        """Raises ValueError when neither file nor URL is given."""
        if jwks_file is None and jwks_url is None:
            msg = "set jwks_file or jwks_url: without public keys no caller can be recognised"
            raise ValueError(msg)
        self._file, self._url = jwks_file, jwks_url
        self._issuer, self._audience = issuer, audience
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = -REFRESH_AFTER_S

    async def verify(self, token: str) -> Principal:
        """The caller behind `token`. Raises TokenError."""
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid", ""))
            claims = jwt.decode(
                token,
                key=key.key,
                algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else [],
                issuer=self._issuer,
                audience=self._audience,
                options={"require": ["exp", "iss", "aud", "sub"]},
                leeway=timedelta(seconds=10),
            )
        except jwt.ExpiredSignatureError:
            msg = "the token has expired; ask for a new one"
            raise TokenError(msg) from None
        except jwt.PyJWTError as error:
            msg = f"the token is not valid: {error}"
            raise TokenError(msg) from None
        return _principal(claims)

    async def _key(self, key_id: str) -> jwt.PyJWK:
        age_s = time.monotonic() - self._read_at
        unknown = key_id not in self._keys
        if age_s >= REFRESH_AFTER_S or (unknown and age_s >= REFRESH_NOT_BEFORE_S):
            await self._read()
        if key_id not in self._keys:
            msg = "the token is signed by a key this service does not know"
            raise TokenError(msg)
        return self._keys[key_id]

    async def _read(self) -> None:
        try:
            document = await self._document()
            keys = jwt.PyJWKSet.from_dict(document).keys
        except (httpx.HTTPError, OSError, ValueError, jwt.PyJWTError) as error:
            if self._keys:
                return
            msg = f"the public keys cannot be read: {type(error).__name__}"
            raise TokenError(msg) from None
        self._keys = {key.key_id or "": key for key in keys}
        self._read_at = time.monotonic()

    async def _document(self) -> dict[str, Any]:
        if self._url is not None:
            async with httpx.AsyncClient(timeout=FETCH_TIMEOUT_S) as client:
                answer = await client.get(self._url)
                answer.raise_for_status()
                return dict(answer.json())
        assert self._file is not None
        return dict(json.loads(self._file.read_text("utf-8")))


def _principal(claims: dict[str, Any]) -> Principal:
    named = claims.get("roles", [])
    known = {role.value for role in Role}
    roles = frozenset(Role(name) for name in named if name in known) if isinstance(named, list) else frozenset()
    return Principal(subject=str(claims["sub"]), roles=roles)


class TokenIssuer:
    """Signs tokens with the platform's own key: the embedded default where there is no OIDC provider."""

    def __init__(
        self, key: Ed25519PrivateKey, *, key_id: str, issuer: str = "vong-gac", audience: str = "vong-gac"
    ) -> None:
        self._key, self._key_id, self._issuer, self._audience = key, key_id, issuer, audience

    def issue(self, *, subject: str, roles: frozenset[Role], valid_for: timedelta, now: datetime | None = None) -> str:
        """A signed token for `subject`."""
        issued = now or datetime.now(UTC)
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "roles": sorted(roles),
            "iat": issued,
            "exp": issued + valid_for,
            "jti": str(uuid4()),
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._key_id})
