import time

import pytest

from vonggac.net.errors import MalformedError
from vonggac.net.http_auth import (
    Authenticator,
    Challenge,
    new_challenge,
    parse_authorization,
    parse_challenges,
    verify_authorization,
)
from vonggac.net.url import Credentials

RFC_2617 = (
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
MUFASA = Credentials("Mufasa", "Circle Of Life")


def answer(credentials: Credentials, challenge: str, cnonce: str, method: str, uri: str) -> str:
    authenticator = Authenticator(credentials, _make_cnonce=lambda: cnonce)
    assert authenticator.challenged([challenge], answered=False)
    value = authenticator.answer(method, uri)
    assert value is not None
    return value


def test_rfc_2617_section_3_5_example() -> None:
    value = answer(MUFASA, RFC_2617, "0a4f113b", "GET", "/dir/index.html")
    given = parse_authorization(value).parameters
    assert given["response"] == "6629fae49393a05397450978507c4ef1"
    assert (given["nc"], given["qop"], given["opaque"]) == (
        "00000001", "auth", "5ccc069c403ebaf9f0171e9517f40e41",
    )  # fmt: skip
    assert "algorithm" not in given


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_section_3_9_1_examples(algorithm: str, response: str) -> None:
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    credentials = Credentials("Mufasa", "Circle of Life")
    value = answer(credentials, RFC_7616.format(algorithm), cnonce, "GET", "/dir/index.html")
    given = parse_authorization(value).parameters
    assert (given["response"], given["algorithm"]) == (response, algorithm)


@pytest.mark.parametrize("body", [b"", b"v=0\r\n"])
def test_a_server_that_protects_bodies_alone_gets_the_body_in_the_answer(body: bytes) -> None:
    challenge = new_challenge("r", qop=("auth-int",))
    authenticator = Authenticator(MUFASA)
    assert authenticator.challenged([challenge.encode()], answered=False)
    value = authenticator.answer("ANNOUNCE", "rtsp://h/a", body) or ""

    def accepts(received: bytes) -> bool:
        return verify_authorization(value, method="ANNOUNCE", credentials=MUFASA, challenge=challenge, body=received)

    assert accepts(body)
    assert not accepts(body + b"x")


def test_rfc_7617_basic_examples() -> None:
    basic = Authenticator(Credentials("Aladdin", "open sesame"))
    assert basic.challenged(['Basic realm="WallyWorld"'], answered=False)
    assert basic.answer("OPTIONS", "*") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    utf8 = Authenticator(Credentials("test", "123£"))
    assert utf8.challenged(['Basic realm="foo", charset="UTF-8"'], answered=False)
    assert utf8.answer("OPTIONS", "*") == "Basic dGVzdDoxMjPCow=="


def test_several_challenges_in_one_field_and_in_several_are_read() -> None:
    found = parse_challenges(['Digest realm="a, b", nonce="n", Basic realm="c"', "Negotiate", 'BASIC realm="d"'])
    assert [(challenge.scheme, challenge.realm) for challenge in found] == [
        ("digest", "a, b"), ("basic", "c"), ("negotiate", ""), ("basic", "d"),
    ]  # fmt: skip


def test_the_strongest_challenge_is_answered() -> None:
    authenticator = Authenticator(MUFASA)
    authenticator.challenged(
        [
            'Basic realm="r"',
            'Digest realm="r", nonce="1"',
            'Digest realm="r", nonce="2", algorithm=SHA-256',
            'Digest realm="r", nonce="3", algorithm=SHA-999',
            'Digest realm="r", nonce="4", qop="auth-int"',
        ],
        answered=False,
    )
    assert authenticator.challenge is not None
    assert authenticator.challenge.nonce == "2"


def test_the_nonce_count_goes_up_with_every_request() -> None:
    authenticator = Authenticator(MUFASA)
    authenticator.challenged([RFC_2617], answered=False)
    counts = [parse_authorization(authenticator.answer("PLAY", "rtsp://h/") or "").parameters["nc"] for _ in range(3)]
    assert counts == ["00000001", "00000002", "00000003"]


def test_a_rejected_login_is_never_answered_again() -> None:
    authenticator = Authenticator(MUFASA)
    assert authenticator.challenged([RFC_2617], answered=False)
    fresh = 'Digest realm="r", nonce="other"'
    assert not authenticator.challenged([fresh], answered=True)
    assert authenticator.rejected
    assert authenticator.answer("DESCRIBE", "rtsp://h/") is None
    assert not authenticator.challenged([fresh], answered=False)


def test_a_stale_nonce_is_renewed_and_a_repeated_one_is_not() -> None:
    authenticator = Authenticator(MUFASA)
    authenticator.challenged(['Digest realm="r", nonce="1"'], answered=False)
    assert authenticator.challenged(['Digest realm="r", nonce="2", stale=TRUE'], answered=True)
    assert not authenticator.challenged(['Digest realm="r", nonce="2", stale=true'], answered=True)


def test_a_new_nonce_is_taken_once_for_a_login_that_was_accepted() -> None:
    authenticator = Authenticator(MUFASA)
    authenticator.challenged(['Digest realm="r", nonce="1"'], answered=False)
    authenticator.accepted()
    assert authenticator.challenged(['Digest realm="r", nonce="2"'], answered=True)
    assert not authenticator.challenged(['Digest realm="r", nonce="3"'], answered=True)


def test_without_credentials_there_is_no_answer() -> None:
    authenticator = Authenticator(None)
    assert not authenticator.challenged([RFC_2617], answered=False)
    assert authenticator.answer("PLAY", "x") is None


@pytest.mark.parametrize(
    "challenge",
    [
        new_challenge('r "quoted" \\ realm'),
        new_challenge("r", algorithm="SHA-256"),
        new_challenge("r", algorithm="SHA-512-256"),
        new_challenge("r", qop=("auth-int",)),
        new_challenge("r", algorithm="MD5-sess"),
        new_challenge("r", algorithm=None, qop=()),
        new_challenge("r", scheme="basic"),
    ],
    ids=["md5", "sha256", "sha512-256", "auth-int", "md5-sess", "rfc2069", "basic"],
)
def test_client_and_server_agree(challenge: Challenge) -> None:
    credentials = Credentials('người "dùng"', "mật:khẩu")
    if challenge.scheme == "digest":
        assert parse_challenges([challenge.encode()]) == [challenge]
    value = answer(credentials, challenge.encode(), "abc", "DESCRIBE", "rtsp://h/a")

    def accepts(method: str, expected: Credentials, against: Challenge = challenge) -> bool:
        return verify_authorization(value, method=method, credentials=expected, challenge=against)

    assert accepts("DESCRIBE", credentials)
    assert not accepts("DESCRIBE", Credentials(credentials.username, "wrong"))
    assert not accepts("DESCRIBE", Credentials("other", credentials.password))
    if challenge.scheme == "digest":
        assert not accepts("SETUP", credentials)
        assert not accepts("DESCRIBE", credentials, new_challenge("r"))


@pytest.mark.parametrize("value", ["", "Bearer x", "Basic %%%"])
def test_an_unreadable_authorization_is_refused(value: str) -> None:
    with pytest.raises(MalformedError):
        parse_authorization(value)


def test_no_text_form_shows_the_login() -> None:
    authenticator = Authenticator(Credentials("admin", "S3cret"))
    assert "S3cret" not in repr(authenticator)
    assert "S3cret" not in repr(parse_authorization("Basic YWRtaW46UzNjcmV0"))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('DIGEST  REALM = "r" ,NONCE="n",QOP="auth"', ("r", "n", None, ("auth",))),
        ('Digest realm="a, \\"b\\", c", nonce=n', ('a, "b", c', "n", None, ())),
        ('Digest realm="r"; nonce="n"; algorithm=MD5; qop=auth', ("r", "n", "MD5", ("auth",))),
        ('Digest realm="r", algorithm="sha-256", qop="foo, auth", nonce="n', ("r", "n", "sha-256", ("foo", "auth"))),
        ('Digest realm="r",, nonce="n", qop="", algorithm=, opaque', ("r", "n", None, ())),
        ('Digest\trealm="",nonce="n=="', ("", "n==", None, ())),
        ("Digest realm=r, nonce=n, algorithm=SHA256", ("r", "n", "SHA256", ())),
    ],
)  # fmt: skip
def test_challenges_are_read_as_devices_write_them(
    field: str, expected: tuple[str, str, str | None, tuple[str, ...]]
) -> None:
    found = parse_challenges([field])[0]
    assert (found.realm, found.nonce, found.algorithm, found.qop) == expected
    value = answer(MUFASA, field, "c", "PLAY", "rtsp://h/")
    assert verify_authorization(value, method="PLAY", credentials=MUFASA, challenge=found)


@pytest.mark.parametrize(
    "field", ["a" * 4095 + "!", "a-" * 2048, "a=" * 2048, 'a="' * 1365, '"' * 4096, "Digest a" + " " * 4000]
)
def test_a_long_field_is_read_in_one_go(field: str) -> None:
    began = time.process_time()
    for _ in range(10):
        parse_challenges([field])
    assert time.process_time() - began < 0.25
