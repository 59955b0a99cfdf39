"""HTTP authentication for RTSP: Digest (RFC 7616, RFC 2617, RFC 2069) and Basic (RFC 7617), both sides.

The client side guards against lock-out: cameras block an address after a few wrong logins, so a credential that
was rejected is never sent again.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from vonggac.events.causes import Cause
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.url import Credentials

_MAX_HEADER = 4096
_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "SHA-512-256": lambda data: hashlib.new("sha512_256", data).hexdigest(),
}
_STRENGTHS = {"SHA-512-256": 4, "SHA-256": 3, "MD5": 2}
_SPOKEN = "Digest (MD5, SHA-256, SHA-512-256) and Basic"
_SHOWN_SCHEMES = {"digest": "Digest of another kind", "ntlm": "NTLM", "negotiate": "Negotiate", "bearer": "Bearer"}
# No pattern here backtracks: a field that is one long word would cost its length squared. The closing
# quote of the last value may be missing.
_PARAMETER = re.compile(r'([A-Za-z][\w-]*+)\s*+=\s*+("(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[^\s,;"]*+)')
_SCHEME = re.compile(r"([A-Za-z][\w-]*+)(?=\s|,|\Z)")
_WORD = re.compile(r"[\w-]++")
_QOPS = frozenset({"auth", "auth-int"})


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge of a WWW-Authenticate field. `scheme` is "digest" or "basic"."""

    scheme: str
    realm: str = ""
    nonce: str = ""
    opaque: str | None = None
    algorithm: str | None = None
    """As the server wrote it; None means MD5 and is not echoed (RFC 2617 §3.2.1)."""
    qop: tuple[str, ...] = ()
    stale: bool = False

    @property
    def strength(self) -> int:
        """4 Digest SHA-512-256, 3 Digest SHA-256, 2 Digest MD5, 1 Basic, 0 unsupported."""
        if self.scheme == "basic":
            return 1
        if self.scheme != "digest" or not self.nonce or (self.qop and not _QOPS & set(self.qop)):
            return 0
        return _STRENGTHS.get(_base_algorithm(self.algorithm), 0)

    def encode(self) -> str:
        """Encode the WWW-Authenticate value a server sends."""
        if self.scheme == "basic":
            return f"Basic realm={_quote(self.realm)}"
        parts = [f"realm={_quote(self.realm)}", f"nonce={_quote(self.nonce)}"]
        if self.qop:
            parts.append(f"qop={_quote(','.join(self.qop))}")
        if self.opaque is not None:
            parts.append(f"opaque={_quote(self.opaque)}")
        if self.algorithm is not None:
            parts.append(f"algorithm={self.algorithm}")
        if self.stale:
            parts.append("stale=true")
        return "Digest " + ", ".join(parts)


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """All challenges of all WWW-Authenticate fields; unreadable ones are left out."""
    return [
        Challenge(
            scheme=scheme,
            realm=parameters.get("realm", ""),
            nonce=parameters.get("nonce", ""),
            opaque=parameters.get("opaque"),
            algorithm=parameters.get("algorithm") or None,
            qop=tuple(re.findall(r"[\w-]+", parameters.get("qop", "").lower())),
            stale=parameters.get("stale", "").lower() == "true",
        )
        for value in values
        for scheme, parameters in _split_schemes(value)
    ]


class ReconnectError(PeerError):
    """The peer closed the connection with its 401: `challenge` can be answered over a new one."""

    def __init__(self, challenge: Challenge) -> None:
        super().__init__(Cause.ENDED, "the peer asked for a login and closed the connection")
        self.challenge = challenge


class HungUpAtLoginError(PeerError):
    """The peer closed the connection with its 401, and the next one when it got the login: it seems to reject it.

    Of a login that it took before that is a guess: it may be a peer that ends all connections just then.
    """

    def __init__(self) -> None:
        super().__init__(Cause.AUTH_FAILED, "the peer hangs up when it gets the login")


@dataclass(slots=True)
class Authenticator:
    """The client's side of one connection: the current challenge, and whether the login was rejected."""

    credentials: Credentials | None = field(repr=False)
    challenge: Challenge | None = None
    rejected: bool = False
    taken: bool = False
    """The server accepted a request with our answer."""
    unspoken: str = ""
    """How the peer asks for a login, when no way that it names is spoken here; for people."""
    _accepted: bool = False
    _of_another_connection: bool = False
    _nonce_count: int = 0
    _make_cnonce: Callable[[], str] = field(default=lambda: secrets.token_hex(8), repr=False)

    def answer(self, method: str, uri: str, body: bytes = b"") -> str | None:
        """Build the Authorization value for a request, or None while no challenge is known."""
        if self.credentials is None or self.challenge is None or self.rejected:
            return None
        if self.challenge.scheme == "basic":
            pair = f"{self.credentials.username}:{self.credentials.password}"
            return "Basic " + base64.b64encode(pair.encode("utf-8", "replace")).decode("ascii")
        self._nonce_count += 1
        request = method, uri, body
        return _digest_answer(self.challenge, self.credentials, request, self._nonce_count, self._make_cnonce())

    def adopt(self, challenge: Challenge) -> None:
        """Answer a challenge of another connection, whose nonce may be good there alone."""
        self.challenge, self._of_another_connection = challenge, True

    def accepted(self) -> None:
        """Note that the server accepted a request with our answer."""
        self._accepted = self.taken = True

    def challenged(self, values: Iterable[str], *, answered: bool) -> bool:
        """Read the challenges of a 401. Returns whether the request may be sent once more with `answer`.

        `answered`: the request already carried our answer. Then only a stale nonce, or a new nonce for a login that
        this connection has seen accepted or that answered another connection's, is a reason to try again; else the
        login counts as rejected.
        """
        offered = parse_challenges(values)
        best = max(offered, key=lambda found: found.strength, default=None)
        if self.credentials is None or self.rejected:
            return False
        if best is None or best.strength == 0:
            schemes = sorted({_SHOWN_SCHEMES.get(found.scheme, "another scheme") for found in offered})
            self.unspoken = (
                f"it asks for a login by {', '.join(schemes)}, and {_SPOKEN} are spoken here" if schemes else ""
            )
            self.rejected = answered
            return False
        if answered:
            new_nonce = best.scheme == "digest" and self.challenge is not None and best.nonce != self.challenge.nonce
            if not (new_nonce and (best.stale or self._accepted or self._of_another_connection)):
                self.rejected = True
                return False
        self._accepted = self._of_another_connection = False
        self.challenge = best
        self._nonce_count = 0
        return True


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a client sent in Authorization, as a server reads it."""

    scheme: str
    parameters: dict[str, str] = field(repr=False)
    """Digest parameters by lower-case name; for Basic: username and password."""


def new_challenge(
    realm: str,
    *,
    scheme: str = "digest",
    algorithm: str | None = "MD5",
    qop: tuple[str, ...] = ("auth",),
    stale: bool = False,
) -> Challenge:
    """Make a server's challenge with a fresh nonce (Basic has none)."""
    if scheme == "basic":
        return Challenge("basic", realm)
    return Challenge("digest", realm, secrets.token_hex(16), None, algorithm, qop, stale)


def parse_authorization(value: str) -> Authorization:
    """Parse an authorization. Raises MalformedError when it is neither Basic nor Digest."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(rest.strip(), validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            raise MalformedError("the Basic authorization is not base64") from None
        username, _, password = pair.partition(":")
        return Authorization("basic", {"username": username, "password": password})
    if scheme.lower() == "digest":
        found = _split_schemes(value)
        if found:
            return Authorization("digest", found[0][1])
    raise MalformedError("the authorization is neither Basic nor Digest")


def verify_authorization(
    value: str, *, method: str, credentials: Credentials, challenge: Challenge, body: bytes = b""
) -> bool:
    """Check, as a server, whether `value` answers `challenge` with these credentials for this method.

    False for another scheme, another nonce or realm, or a wrong login. Raises MalformedError as
    parse_authorization does. Replay protection beyond the nonce is the caller's.
    """
    authorization = parse_authorization(value)
    given = authorization.parameters
    if authorization.scheme != challenge.scheme:
        return False
    if challenge.scheme == "basic":
        return _same(given["username"], credentials.username) & _same(given["password"], credentials.password)
    if given.get("nonce") != challenge.nonce or given.get("username") != credentials.username:
        return False
    if challenge.qop and given.get("qop") not in challenge.qop:
        return False
    expected = _digest_response(
        challenge,
        credentials,
        method,
        given.get("uri", ""),
        body,
        cnonce=given.get("cnonce", ""),
        nonce_count=given.get("nc", ""),
        qop=given.get("qop") if challenge.qop else None,
    )
    return _same(given.get("response", "").lower(), expected)


def _digest_answer(
    challenge: Challenge, credentials: Credentials, request: tuple[str, str, bytes], count: int, cnonce: str
) -> str:
    """`request`: method, address and body."""
    method, uri, body = request
    qop = next((word for word in ("auth", "auth-int") if word in challenge.qop), None)
    nonce_count = f"{count:08x}"
    response = _digest_response(
        challenge, credentials, method, uri, body, cnonce=cnonce, nonce_count=nonce_count, qop=qop
    )
    parts = [
        f"username={_quote(credentials.username)}",
        f"realm={_quote(challenge.realm)}",
        f"nonce={_quote(challenge.nonce)}",
        f"uri={_quote(uri)}",
        f'response="{response}"',
    ]
    if challenge.algorithm is not None:
        parts.append(f"algorithm={challenge.algorithm}")
    if qop is not None:
        parts += [f"qop={qop}", f"nc={nonce_count}", f'cnonce="{cnonce}"']
    elif _is_session(challenge.algorithm):
        parts.append(f'cnonce="{cnonce}"')
    if challenge.opaque is not None:
        parts.append(f"opaque={_quote(challenge.opaque)}")
    return "Digest " + ", ".join(parts)


def _digest_response(
    challenge: Challenge,
    credentials: Credentials,
    method: str,
    uri: str,
    body: bytes = b"",
    *,
    cnonce: str,
    nonce_count: str,
    qop: str | None,
) -> str:
    digest = _HASHES[_base_algorithm(challenge.algorithm)]

    def hashed(text: str) -> str:
        return digest(text.encode("utf-8", "replace"))

    secret = hashed(f"{credentials.username}:{challenge.realm}:{credentials.password}")
    if _is_session(challenge.algorithm):
        secret = hashed(f"{secret}:{challenge.nonce}:{cnonce}")
    request = hashed(f"{method}:{uri}" + (f":{digest(body)}" if qop == "auth-int" else ""))
    if qop is None:
        return hashed(f"{secret}:{challenge.nonce}:{request}")
    return hashed(f"{secret}:{challenge.nonce}:{nonce_count}:{cnonce}:{qop}:{request}")


def _split_schemes(value: str) -> list[tuple[str, dict[str, str]]]:
    """`Digest a="b", c=d, Basic realm="x"` -> [("digest", {...}), ("basic", {...})]."""
    text = value[:_MAX_HEADER]
    found: list[tuple[str, dict[str, str]]] = []
    pos = 0
    while pos < len(text):
        if parameter := _PARAMETER.match(text, pos):
            if found:
                found[-1][1].setdefault(parameter[1].lower(), _unquote(parameter[2]))
            pos = parameter.end()
        elif scheme := _SCHEME.match(text, pos):
            found.append((scheme[1].lower(), {}))
            pos = scheme.end()
        else:
            word = _WORD.match(text, pos)
            pos = word.end() if word else pos + 1
    return found


def _base_algorithm(algorithm: str | None) -> str:
    name = (algorithm or "MD5").upper().removesuffix("-SESS")
    return {"SHA256": "SHA-256", "SHA-512/256": "SHA-512-256"}.get(name, name)


def _is_session(algorithm: str | None) -> bool:
    return (algorithm or "").upper().endswith("-SESS")


def _quote(text: str) -> str:
    escaped = re.sub(r"[\r\n]", " ", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unquote(text: str) -> str:
    if text[:1] != '"':
        return text
    return re.sub(r"\\(.)", r"\1", text[1:].removesuffix('"'))


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
