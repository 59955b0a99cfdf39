"""Who may play: challenges, right and wrong answers, and nonces that are too old."""

import base64

import pytest

from vonggac.net.http_auth import Authenticator, Challenge, parse_challenges
from vonggac.net.url import Credentials
from vonggac.rtsp.server.login import NONCE_LIFE_S, Account, Login, Scheme
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.wire.messages import Headers, Request

RIGHT = Credentials("centre", "s3cret-of-the-centre")
WRONG = Credentials("centre", "guessed")
URI = "rtsp://front/ioc/cam-7"


def request(authorization: str | None = None, *, method: str = "DESCRIBE", uri: str = URI) -> Request:
    fields = [("CSeq", "1")] + ([("Authorization", authorization)] if authorization is not None else [])
    return Request(method, uri, Headers(fields))


def challenges_of(reply: Reply | None) -> list[Challenge]:
    assert reply is not None
    assert reply.status == 401
    return parse_challenges([value for name, value in reply.headers if name == "WWW-Authenticate"])


def answer(challenge: Challenge, credentials: Credentials = RIGHT, *, method: str = "DESCRIBE", uri: str = URI) -> str:
    given = Authenticator(credentials, challenge).answer(method, uri)
    assert given is not None
    return given


def login(scheme: Scheme = "digest", *, secure: bool = False) -> Login:
    return Login(Account("Vong Gac", RIGHT, scheme), secure=secure)


@pytest.mark.parametrize(
    ("scheme", "algorithms"),
    [("digest", [None]), ("digest-sha256", ["SHA-256"]), ("digest-both", [None, "SHA-256", None])],
)
def test_challenges_are_those_that_players_answer(scheme: Scheme, algorithms: list[str | None]) -> None:
    offered = challenges_of(login(scheme).denial(request(), 0.0))
    assert [each.algorithm for each in offered] == algorithms
    assert all(each.qop == () for each in offered)


@pytest.mark.parametrize("scheme", ["digest", "digest-sha256", "digest-both"])
def test_every_challenge_that_is_offered_can_be_answered(scheme: Scheme) -> None:
    guard = login(scheme)
    for index in range(len(challenges_of(guard.denial(request(), 0.0)))):
        offered = challenges_of(guard.denial(request(), 0.0))
        assert guard.denial(request(answer(offered[index])), 1.0) is None
        assert guard.denial(request(answer(offered[index], WRONG)), 1.0) is not None


def test_algorithm_that_was_not_offered_is_wrong() -> None:
    guard = login("digest-sha256")
    (offered,) = challenges_of(guard.denial(request(), 0.0))
    weaker = Challenge("digest", offered.realm, offered.nonce)
    assert guard.denial(request(answer(weaker)), 1.0) is not None
    assert guard.failures == 1


def test_nonce_that_is_too_old_or_of_another_connection_is_stale_and_no_failure() -> None:
    guard = login()
    (old,) = challenges_of(guard.denial(request(), 0.0))
    (renewed,) = challenges_of(guard.denial(request(answer(old)), NONCE_LIFE_S + 1))
    assert renewed.stale
    assert renewed.nonce != old.nonce
    assert guard.denial(request(answer(renewed)), NONCE_LIFE_S + 2) is None
    (other,) = challenges_of(login().denial(request(), 0.0))
    (again,) = challenges_of(guard.denial(request(answer(other)), NONCE_LIFE_S + 3))
    assert again.stale
    assert guard.failures == 0
    (guessed,) = challenges_of(guard.denial(request(answer(other, WRONG)), NONCE_LIFE_S + 4))
    assert not guessed.stale
    assert guard.failures == 1


@pytest.mark.parametrize("uri", [URI, f"{URI}/", "/ioc/cam-7", "rtsp://another-name:8554/ioc/cam-7"])
def test_answer_for_the_stream_passes_for_its_tracks_too(uri: str) -> None:
    guard = login()
    (offered,) = challenges_of(guard.denial(request(), 0.0))
    given = answer(offered, method="SETUP", uri=uri)
    assert guard.denial(request(given, method="SETUP", uri=f"{URI}/trackID=1"), 1.0) is None


@pytest.mark.parametrize(
    "uri", ["rtsp://front/ioc/cam-8", "rtsp://front/ioc/cam-70", "rtsp://front/ioc/cam-7/trackID=2"]
)
def test_answer_for_another_address_is_wrong(uri: str) -> None:
    guard = login()
    (offered,) = challenges_of(guard.denial(request(), 0.0))
    assert guard.denial(request(answer(offered, uri=uri), uri=f"{URI}/trackID=1"), 1.0) is not None


def test_answer_for_another_method_is_wrong() -> None:
    guard = login()
    (offered,) = challenges_of(guard.denial(request(), 0.0))
    assert guard.denial(request(answer(offered, method="OPTIONS")), 1.0) is not None


@pytest.mark.parametrize(
    "given", ["", "Basic", "Basic !", "Digest", "Bearer x", 'Digest username="centre"', "x" * 9_000]
)
def test_answers_that_are_none_are_wrong(given: str) -> None:
    guard = login()
    guard.denial(request(), 0.0)
    assert guard.denial(request(given), 1.0) is not None


def test_basic_is_offered_inside_tls_alone() -> None:
    with pytest.raises(ValueError, match="TLS"):
        login("basic")
    guard = login("basic", secure=True)
    assert [each.scheme for each in challenges_of(guard.denial(request(), 0.0))] == ["basic"]
    pair = base64.b64encode(b"centre:s3cret-of-the-centre").decode()
    assert guard.denial(request(f"Basic {pair}"), 1.0) is None
    assert login().denial(request(f"Basic {pair}"), 1.0) is not None, "what is not offered is not taken"


def test_options_is_open_and_an_account_that_is_none_admits_everybody() -> None:
    assert login().denial(request(method="OPTIONS"), 0.0) is None
    assert Login(None, secure=False).denial(request(), 0.0) is None
