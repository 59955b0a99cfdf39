"""Secrets are write-only: who can close the box cannot open it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey

from vonggac.auth import Credentials, Sealer, SecretMovedError, SecretUnreadableError, Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE, WORKERS_PUBLIC
from vonggac.auth.sealing import digest_of
from vonggac.net.origin import Origin
from vonggac.testing.secrets import seal

KEY = PrivateKey.generate()
URL = "rtsp://10.0.0.1/live"
ORIGIN = Origin.of(URL)
TEXT = st.text(st.characters(codec="utf-8"), max_size=100)


@given(TEXT, TEXT)
def test_what_is_sealed_opens_with_the_workers_key(username: str, password: str) -> None:
    sealed = Sealer(bytes(KEY.public_key)).seal(Credentials(username, password), ORIGIN)
    assert Unsealer(bytes(KEY)).unseal(sealed, URL) == Credentials(username, password)


def test_two_sealings_of_one_secret_differ() -> None:
    sealer = Sealer(bytes(KEY.public_key))
    assert sealer.seal(Credentials("a", "b"), ORIGIN) != sealer.seal(Credentials("a", "b"), ORIGIN)


def test_credentials_show_nothing() -> None:
    shown = repr(Credentials("quan-tri", "S3cret!")) + str(Credentials("quan-tri", "S3cret!"))
    assert "S3cret!" not in shown
    assert "quan-tri" not in shown


@pytest.mark.parametrize("sealed", ["", "AAAA", "not base64 !", "ý"])
def test_what_cannot_be_opened_says_what_to_do(sealed: str) -> None:
    with pytest.raises(SecretUnreadableError, match="write the credentials again"):
        Unsealer(bytes(KEY)).unseal(sealed, URL)


def test_a_secret_for_another_key_cannot_be_opened() -> None:
    sealed = Sealer(bytes(PrivateKey.generate().public_key)).seal(Credentials("a", "S3cret!"), ORIGIN)
    with pytest.raises(SecretUnreadableError) as caught:
        Unsealer(bytes(KEY)).unseal(sealed, URL)
    assert "S3cret!" not in str(caught.value)


def test_key_files_fit_each_other(keys_folder: Path) -> None:
    sealed = Sealer.from_file(keys_folder / WORKERS_PUBLIC).seal(Credentials("a", "b"), ORIGIN)
    assert Unsealer.from_file(keys_folder / WORKERS_PRIVATE).unseal(sealed, URL) == Credentials("a", "b")


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.pub").write_text("AAAA", "ascii")
    with pytest.raises(ValueError, match=r"bad\.pub"):
        Sealer.from_file(tmp_path / "bad.pub")


@pytest.mark.parametrize(
    ("plain", "spelled"),
    [
        ("nvr1.site.local:554", "NVR1.Site.local:554"),
        ("nvr1.site.local:554", "nvr1.site.local.:554"),
        ("127.0.0.1:554", "127.1:554"),
        ("127.0.0.1:554", "2130706433:554"),
        ("127.0.0.1:554", "0X7F.0.0.1:554"),
        ("127.0.0.1:554", "::ffff:127.0.0.1:554"),
        ("fd00::a:554", "FD00:0::A:554"),
        ("fd00::a:80", "[fd00::a]:80"),
    ],
)
def test_a_fingerprint_is_the_same_however_the_device_is_spelled(plain: str, spelled: str) -> None:
    unsealer, login = Unsealer(bytes(KEY)), Credentials("viewer", "s3cret")
    assert unsealer.fingerprint(spelled, login) == unsealer.fingerprint(plain, login)


def test_a_fingerprint_stands_for_one_login_at_one_device_and_one_key() -> None:
    unsealer = Unsealer(bytes(KEY))
    mine = unsealer.fingerprint("10.0.0.1:554", Credentials("viewer", "s3cret"))
    assert mine == Unsealer(bytes(KEY)).fingerprint("10.0.0.1:554", Credentials("viewer", "s3cret"))
    others = {
        unsealer.fingerprint("10.0.0.2:554", Credentials("viewer", "s3cret")),
        unsealer.fingerprint("10.0.0.1:554", Credentials("viewer", "other")),
        unsealer.fingerprint("10.0.0.1:554", Credentials("viewers", "3cret")),
        Unsealer(bytes(32)).fingerprint("10.0.0.1:554", Credentials("viewer", "s3cret")),
    }
    assert mine not in others
    assert len(others) == 4


ELSEWHERE = (
    "rtsp://10.0.0.2/live",
    "rtsp://10.0.0.1:8554/live",
    "rtsps://10.0.0.1/live",
    "rtsps://10.0.0.1:554/live",
    "rtmp://10.0.0.1:554/live",
    "http://10.0.0.1:554/live",
    "rtsp://10.0.0.1@10.0.0.2/live",
    "rtsp://10.0.0.1:554@10.0.0.2:554/live",
    "rtsp://10.0.0.2/10.0.0.1:554/",
    "rtsp://10.0.0.2?10.0.0.1/",
    "rtsp://{password}.example/live",
    "rtsp://10.0.0.1:{password}/live",
    "10.0.0.1",
    "",
)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_secret_moves_nowhere_else(url: str) -> None:
    sealed = Sealer(bytes(KEY.public_key)).seal(Credentials("a", "S3cret!"), ORIGIN)
    with pytest.raises(SecretMovedError) as caught:
        Unsealer(bytes(KEY)).unseal(sealed, url)
    assert "S3cret!" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["rtsp://10.0.0.1", "RTSP://10.0.0.1:554/other?a={password}", "rtsp://10.1/x", "rtsp://u:p@[::ffff:10.0.0.1]/y"],
)
def test_a_secret_is_used_at_its_own_address_however_that_is_spelled(url: str) -> None:
    sealed = Sealer(bytes(KEY.public_key)).seal(Credentials("a", "b"), ORIGIN)
    if url == "rtsp://10.1/x":
        sealed = Sealer(bytes(KEY.public_key)).seal(Credentials("a", "b"), Origin.of("rtsp://10.0.0.1"), ORIGIN)
    assert Unsealer(bytes(KEY)).unseal(sealed, url) == Credentials("a", "b")


def test_secret_moves_not_even_from_a_box_without_an_origin_once_it_was_opened() -> None:
    old, unsealer = seal(Sealer(bytes(KEY.public_key)), "a", "b"), Unsealer(bytes(KEY))
    device = Origin.of_device_service("10.0.0.1:8080")
    assert unsealer.unseal(old, URL, device) == Credentials("a", "b")
    with pytest.raises(SecretMovedError):
        unsealer.unseal(old, "rtsp://10.0.0.9/live", Origin.of("rtsp://10.0.0.9"))
    assert unsealer.unseal(old, device) == Credentials("a", "b")


def test_secret_moves_at_no_other_worker_that_knows_the_box_that_replaced_it() -> None:
    old, first, second = seal(Sealer(bytes(KEY.public_key)), "a", "b"), Unsealer(bytes(KEY)), Unsealer(bytes(KEY))
    first.on_resealed = second.resealed.__setitem__
    first.unseal(old, URL)
    with pytest.raises(SecretMovedError):
        second.unseal(old, "rtsp://10.0.0.9/live")
    assert second.unseal(old, URL) == Credentials("a", "b")


def test_a_box_with_another_login_replaces_nothing() -> None:
    sealer, unsealer = Sealer(bytes(KEY.public_key)), Unsealer(bytes(KEY))
    old = seal(sealer, "a", "b")
    unsealer.resealed[digest_of(old)] = sealer.seal(Credentials("x", "y"), Origin.of("rtsp://10.0.0.9"))
    assert unsealer.unseal(old, URL) == Credentials("a", "b")
    with pytest.raises(SecretMovedError):
        unsealer.unseal(old, "rtsp://10.0.0.9/live")


def test_the_password_of_a_centre_that_pulls_opens_at_its_own_destination_alone() -> None:
    sealed = Sealer(bytes(KEY.public_key)).seal(Credentials("ioc", "b"), Origin.of("served://ioc"))
    unsealer = Unsealer(bytes(KEY))
    assert unsealer.unseal(sealed, "served://ioc/QT-01-C1") == Credentials("ioc", "b")
    for url in (
        "served://ioc2/QT-01-C1",
        "served://IOC/QT-01-C1",
        "served://ioc:0/c",
        "rtsp://ioc/QT-01-C1",
        "served:///c",
    ):
        with pytest.raises(SecretMovedError):
            unsealer.unseal(sealed, url)


@pytest.mark.parametrize(("code", "other"), [("10.1", "10.0.0.1"), ("a", "a."), ("1", "0x1")])
def test_codes_that_would_be_one_host_are_two_origins(code: str, other: str) -> None:
    assert Origin.of(f"served://{code}/c") == f"served://{code}"
    assert Origin.of(f"served://{code}/c") != Origin.of(f"served://{other}/c")
