"""JSON Web Tokens: verified against a JWKS, issued by the embedded default.

Accepted algorithms are asymmetric only, so that a public key can never be used as a shared secret (RFC 8725 §3.1), and
only tokens that are meant for calling (§3.11): an ID or refresh token of the same provider is none.
"""

import time
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vonggac.auth.key_set import KeySet, UnknownKeyError
from vonggac.auth.rights import Principal, Role
from vonggac.auth.scope import MAX_PARTS, AccessScope
from vonggac.auth.wrong_tokens import WrongTokens
from vonggac.settings import RecordKeeperSettings, ServiceSettings

ALGORITHMS = ("EdDSA", "RS256", "PS256", "ES256", "ES384")
TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
"""Of the header (RFC 9068 §4)."""
CLAIMED_TYPES = frozenset({"", "bearer", "jwt", "at+jwt"})
"""Of the claim `typ`, by which Keycloak tells its kinds of tokens apart."""
LEEWAY = timedelta(seconds=10)
MAX_LIFETIME = timedelta(days=31)
MAX_CHARACTERS = 16_384
MAX_SUBJECT = 255
SCOPE_CLAIM = "vonggac_scope"
"""`scope` is another thing of OAuth."""
AGENCY_CLAIM = "vonggac_agency"
"""The id of the agency that the caller speaks for."""
NAME_CLAIM, POST_CLAIM = "name", "vonggac_post"
"""Full name (OpenID Connect Core §5.1) and post of who calls, unless settings name others."""
MAX_NAME = 255
NO_JWT = (
    "the token is no JWT that can be read (three parts with dots between them): it was cut or changed; "
    "send the whole token as it was issued"
)
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError, AttributeError)
"""What a token can make of its reader: Infinity for a time, a thousand brackets for a header."""


class TokenError(Exception):
    """The token is missing, malformed, expired, or signed by nobody known. The message is safe to show."""


class TokenVerifier:
    """Checks tokens against a JWKS file or URL; keys are read again for an unknown key id, and now and then."""

    def __init__(
        self,
        *,
        jwks_file: Path | None,
        jwks_url: str | None,
        issuer: str,
        audience: str,
        max_lifetime: timedelta = MAX_LIFETIME,
        person_claims: tuple[str, str] = (NAME_CLAIM, POST_CLAIM),
        unix_s: Callable[[], float] = time.time,
        wrong_tokens: WrongTokens | None = None,
    ) -> None:
        """`person_claims`: of full name and post; `unix_s`: seconds since 1970, by which tokens are valid.

        Raises ValueError without file and URL.
        """
        if jwks_file is None and jwks_url is None:
            msg = "set jwks_file or jwks_url: without public keys no caller can be recognised"
            raise ValueError(msg)
        self._keys = KeySet(file=jwks_file, url=jwks_url)
        self._issuer, self._audience, self._max_lifetime = issuer, audience, max_lifetime
        self._person_claims = person_claims
        self._unix_s = unix_s
        self.wrong_tokens = wrong_tokens if wrong_tokens is not None else WrongTokens()
        """Counted by who answers them."""

    @classmethod
    def of(cls, settings: ServiceSettings, *, unix_s: Callable[[], float] = time.time) -> Self:
        """As a service's settings have it. Raises ValueError when they name no keys."""
        if settings.jwks_file is None and settings.jwks_url is None:
            prefix = settings.model_config.get("env_prefix", "")
            msg = f"set {prefix}JWKS_FILE or {prefix}JWKS_URL: without public keys no caller can be recognised"
            raise ValueError(msg)
        person_claims = NAME_CLAIM, POST_CLAIM
        if isinstance(settings, RecordKeeperSettings):
            person_claims = settings.jwt_name_claim, settings.jwt_post_claim
        return cls(
            jwks_file=settings.jwks_file,
            jwks_url=settings.jwks_url,
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            max_lifetime=timedelta(hours=settings.jwt_max_lifetime_h),
            person_claims=person_claims,
            unix_s=unix_s,
            wrong_tokens=WrongTokens(settings.wrong_tokens_per_minute),
        )

    async def verify(self, token: str) -> Principal:
        """Verify `token`: the caller behind it. Raises TokenError, and KeysUnavailableError where nobody can know."""
        if len(token) > MAX_CHARACTERS:
            msg = f"the token is longer than {MAX_CHARACTERS} characters"
            raise TokenError(msg)
        try:
            header = jwt.get_unverified_header(token)
            _check_type(header.get("typ"), TYPES)
            key = await self._keys.get(header.get("kid", ""))
            claims = jwt.decode(
                token,
                key=key.key,
                algorithms=[key.algorithm_name] if key.algorithm_name in ALGORITHMS else [],
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "require": ["exp", "iss", "aud", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            _check_type(claims.get("typ"), CLAIMED_TYPES)
            self._check_times(claims)
            return _principal(claims, *self._person_claims)
        except UnknownKeyError:
            msg = "the token is signed by a key this service does not know"
            raise TokenError(msg) from None
        except jwt.PyJWTError as error:
            raise TokenError(self._why_refused(error)) from None
        except _UNREADABLE:
            raise TokenError(NO_JWT) from None

    def _why_refused(self, error: jwt.PyJWTError) -> str:
        """Explain to who sent the token, in a sentence: the decoder's own are for programmers."""
        match error:
            case jwt.MissingRequiredClaimError():
                return f"the token lacks '{error.claim}': ask this platform's issuer for a new one"
            case jwt.InvalidAudienceError():
                return f"the token is for another audience; its aud must be '{self._audience}'"
            case jwt.InvalidIssuerError():
                return f"the token is of another issuer; its iss must be '{self._issuer}'"
            case jwt.InvalidSignatureError():
                return "the token's signature does not fit: it was changed, or another one signed it; ask for a new one"
            case jwt.InvalidAlgorithmError():
                return f"the token is signed by an algorithm that is not taken here; taken are {', '.join(ALGORITHMS)}"
            case jwt.exceptions.InvalidSubjectError():
                return f"its subject is not 1 to {MAX_SUBJECT} printable characters"
        return NO_JWT

    def _check_times(self, claims: dict[str, Any]) -> None:
        """Not by PyJWT, which has the machine's clock alone. What compares with nothing (NaN) is refused."""
        # RFC 7519 §2: a NumericDate is a JSON number.
        if not all(type(claims[name]) in {int, float} for name in ("exp", "nbf", "iat") if name in claims):
            msg = "its times (exp, nbf, iat) are not numbers"
            raise TokenError(msg)
        now_s, leeway_s = self._unix_s(), LEEWAY.total_seconds()
        if not float(claims["exp"]) > now_s - leeway_s:
            msg = "the token has expired; ask for a new one"
            raise TokenError(msg)
        if not all(float(claims[name]) <= now_s + leeway_s for name in ("nbf", "iat") if name in claims):
            msg = "the token is not valid yet (nbf, iat)"
            raise TokenError(msg)
        if float(claims["exp"]) - now_s > self._max_lifetime.total_seconds() + leeway_s:
            hours = self._max_lifetime / timedelta(hours=1)
            msg = f"the token is valid for longer than {hours:g} hours; ask for a shorter one"
            raise TokenError(msg)


def read_caller(token: str) -> Principal | None:
    """Whom a token names, unproved: good for what to show its own bearer, never for what to allow. None: unreadable."""
    try:
        return _principal(jwt.decode(token, options={"verify_signature": False}))
    except (TokenError, KeyError, *_UNREADABLE):
        return None


def _check_type(given: object, taken: frozenset[str]) -> None:
    """Check the type. Raises TokenError for a token that is meant for something else."""
    if given is not None and (not isinstance(given, str) or given.lower() not in taken):
        msg = "the token is of another type: send an access token"
        raise TokenError(msg)


def _principal(claims: dict[str, Any], name_claim: str = NAME_CLAIM, post_claim: str = POST_CLAIM) -> Principal:
    """Build the caller from a token's claims. Raises TokenError."""
    subject, named = claims["sub"], claims.get("roles", [])
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
        # Half a surrogate pair is not printable either.
        msg = f"its subject is not 1 to {MAX_SUBJECT} printable characters"
        raise TokenError(msg)
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        msg = "its roles are not a list of words"
        raise TokenError(msg)
    known = {role.value for role in Role}
    roles = frozenset(Role(name) for name in named if name in known)
    expires_at = datetime.fromtimestamp(float(claims["exp"]), UTC)
    return Principal(
        subject,
        roles,
        scope=_scope(claims),
        agency=_agency(claims),
        name=_words(claims.get(name_claim)),
        post=_words(claims.get(post_claim)),
        expires_at=expires_at,
    )


def _words(given: object) -> str:
    """Put a name or a post on one line. One that cannot be shown is none: nobody is kept out for it."""
    if not isinstance(given, str):
        return ""
    words = unicodedata.normalize("NFC", " ".join(given.split()))
    return words if len(words) <= MAX_NAME and words.isprintable() else ""


def _scope(claims: dict[str, Any]) -> AccessScope | None:
    """Read the scope. One that cannot be read admits nobody: it was meant to narrow. Raises TokenError."""
    if SCOPE_CLAIM not in claims:
        return None
    parts = claims[SCOPE_CLAIM]
    if not isinstance(parts, list) or len(parts) > MAX_PARTS or not all(isinstance(part, str) for part in parts):
        msg = f"its {SCOPE_CLAIM} is not a list of up to {MAX_PARTS} parts such as 'facility:<id>'"
        raise TokenError(msg)
    try:
        return AccessScope.parse(parts)
    except ValueError as error:
        msg = f"its {SCOPE_CLAIM} cannot be read: {error}"
        raise TokenError(msg) from None


def _agency(claims: dict[str, Any]) -> UUID | None:
    """Read the agency. One that cannot be read makes the token invalid: who speaks must be sure. Raises TokenError."""
    given = claims.get(AGENCY_CLAIM)
    if given is None:
        return None
    try:
        return UUID(given)
    except (ValueError, AttributeError, TypeError):
        msg = f"its {AGENCY_CLAIM} is not the id of an agency"
        raise TokenError(msg) from None


class TokenIssuer:
    """Signs tokens with the platform's own key: the embedded default where there is no OIDC provider."""

    def __init__(
        self, key: Ed25519PrivateKey, *, key_id: str, issuer: str = "vong-gac", audience: str = "vong-gac"
    ) -> None:
        self._key, self._key_id, self._issuer, self._audience = key, key_id, issuer, audience

    def issue(
        self,
        *,
        subject: str,
        roles: frozenset[Role],
        valid_for: timedelta,
        scope: AccessScope | None = None,
        agency: UUID | None = None,
        name: str = "",
        post: str = "",
        now: datetime | None = None,
    ) -> str:
        """Issue a signed token for `subject`."""
        issued = now or datetime.now(UTC)
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "roles": sorted(roles),
            "iat": issued,
            "exp": issued + valid_for,
            "jti": str(uuid4()),
        }
        if scope is not None:
            claims[SCOPE_CLAIM] = scope.parts
        if agency is not None:
            claims[AGENCY_CLAIM] = str(agency)
        claims |= {claim: given for claim, given in ((NAME_CLAIM, name), (POST_CLAIM, post)) if given}
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._key_id})
