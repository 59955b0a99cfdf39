"""The server's side of logging in, for one connection: Digest with MD5 or SHA-256, Basic. Pure but for the nonce."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from vonggac.net.errors import MalformedError
from vonggac.net.http_auth import Challenge, new_challenge, parse_authorization, verify_authorization
from vonggac.net.url import Credentials, RtspUrl
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.wire.messages import Request

type Scheme = Literal["digest", "digest-sha256", "digest-both", "basic"]

NONCE_LIFE_S = 300.0
_MAX_NONCE = 128


class Verdict(StrEnum):
    """What a login is worth."""

    ADMITTED = "admitted"
    STALE = "stale"
    """Right, with a nonce that is no longer this connection's: no wrong login."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log in, and by which scheme.

    `digest` is MD5 alone without qop: a second line behind it, or a qop, locks out ffmpeg, GStreamer and live555 (docs/
    decisions/0136). `digest-sha256` locks out those that know MD5 alone; `digest-both` offers MD5, SHA-256, MD5.
    """

    realm: str
    credentials: Credentials
    scheme: Scheme = "digest"
    basic_in_clear: bool = False
    """Offer Basic on a connection without TLS too, as devices do."""
    basic_too: bool = False
    """Inside TLS, offer Basic behind Digest."""
    previous: Credentials | None = None
    """A login that is still good beside `credentials`: that of before a rotation."""


class Login:
    """One connection's challenges and what was wrong with the answers."""

    def __init__(self, account: Account | None, *, secure: bool) -> None:
        """`account`: None admits everybody. `secure`: inside TLS.

        Raises ValueError for Basic without TLS, unless the account allows that.
        """
        if account is not None and account.scheme == "basic" and not (secure or account.basic_in_clear):
            raise ValueError("Basic sends the password as it is: it needs TLS, or an account with basic_in_clear")
        self._account = account
        self._secure = secure
        self._challenges: tuple[Challenge, ...] = ()
        self._challenged_at = float("-inf")
        self.failures = 0
        """Requests that carried a wrong login."""

    def expect(self, account: Account) -> None:
        """Judge what comes next by `account`: where several are served, a request shows whose it is."""
        self._account = account

    def refuse(self, now: float, *, stale: bool = False) -> Reply:
        """Return 401 with a fresh nonce. The connection stays."""
        self._challenges = _new_challenges(self._account, secure=self._secure, stale=stale)
        self._challenged_at = now
        return Reply(401, tuple(("WWW-Authenticate", each.encode()) for each in self._challenges))

    def denial(self, request: Request, now: float, *, always: bool = False) -> Reply | None:
        """Return 401, or None when the request may pass. `now` in seconds; `always`: deny whatever is sent.

        OPTIONS is open. A login of which only the nonce is wrong or older than 300 s gets `stale=true` and counts as
        no failure: who answers it rightly knows the password.
        """
        if not always and (self._account is None or request.method == "OPTIONS"):
            return None
        given = request.headers.get("Authorization")
        if given is None:
            return self.refuse(now)
        verdict = Verdict.WRONG if always else self._judge(given, request, now)
        if verdict is Verdict.ADMITTED:
            return None
        self.failures += verdict is Verdict.WRONG
        return self.refuse(now, stale=verdict is Verdict.STALE)

    def _judge(self, given: str, request: Request, now: float) -> Verdict:
        assert self._account is not None
        try:
            authorization = parse_authorization(given)
            parameters = authorization.parameters
            challenge = self._challenge_for(authorization.scheme, parameters.get("algorithm"))
            if challenge is None or not (challenge.scheme == "basic" or _is_for(parameters.get("uri"), request.uri)):
                return Verdict.WRONG
            nonce = parameters.get("nonce", "")
            fresh = challenge.scheme == "basic" or (
                nonce == challenge.nonce and now - self._challenged_at < NONCE_LIFE_S
            )
            if not fresh and not 0 < len(nonce) <= _MAX_NONCE:
                return Verdict.WRONG
            asked = challenge if fresh else replace(challenge, nonce=nonce)
            right = [
                verify_authorization(
                    given, method=request.method, credentials=credentials, challenge=asked, body=request.body
                )
                for credentials in (self._account.credentials, self._account.previous)
                if credentials is not None
            ]
        except MalformedError:
            return Verdict.WRONG
        if not any(right):
            return Verdict.WRONG
        return Verdict.ADMITTED if fresh else Verdict.STALE

    def _challenge_for(self, scheme: str, algorithm: str | None) -> Challenge | None:
        """Find the challenge that an answer with this algorithm is to; MD5 is what is not named (RFC 2617 §3.2.1)."""
        challenges = self._challenges or _new_challenges(self._account, secure=self._secure, stale=False)
        name = (algorithm or "MD5").upper()
        return next(
            (
                each
                for each in challenges
                if each.scheme == scheme and (scheme == "basic" or (each.algorithm or "MD5") == name)
            ),
            None,
        )


def _is_for(answered: str | None, uri: str) -> bool:
    """Whether a Digest answer's address is the request's: its path, with or without a slash, or one above it.

    live555 and GStreamer answer every request with the stream's address, also SETUP of a track. Hosts differ behind
    address translation.
    """
    if answered is None or uri == "*":
        return True
    path, wanted = _path_of(answered), _path_of(uri)
    return path == wanted or wanted.startswith((f"{path}/", f"{path}?"))


def _path_of(uri: str) -> str:
    try:
        return RtspUrl.parse(uri).target.rstrip("/")
    except MalformedError:
        return uri.rstrip("/")


def _new_challenges(account: Account | None, *, secure: bool, stale: bool) -> tuple[Challenge, ...]:
    """No algorithm and no qop for MD5, as most cameras (RFC 2069). All lines of Digest carry one nonce."""
    if account is None:
        return (new_challenge("", algorithm=None, qop=(), stale=stale),)
    basic = (new_challenge(account.realm, scheme="basic"),)
    if account.scheme == "basic":
        return basic
    return (*_new_digests(account, stale=stale), *(basic if account.basic_too and secure else ()))


def _new_digests(account: Account, *, stale: bool) -> tuple[Challenge, ...]:
    sha256 = new_challenge(account.realm, algorithm="SHA-256", qop=(), stale=stale)
    if account.scheme == "digest-sha256":
        return (sha256,)
    md5 = replace(sha256, algorithm=None)
    return (md5,) if account.scheme == "digest" else (md5, sha256, md5)
