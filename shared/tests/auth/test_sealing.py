"""Secrets are write-only: who can close the box cannot open it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey

from vonggac.auth import Credentials, Sealer, SecretUnreadableError, Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE, WORKERS_PUBLIC

KEY = PrivateKey.generate()
TEXT = st.text(st.characters(codec="utf-8"), max_size=100)


@given(TEXT, TEXT)
def test_what_is_sealed_opens_with_the_workers_key(username: str, password: str) -> None:
    sealed = Sealer(bytes(KEY.public_key)).seal(Credentials(username, password))
    assert Unsealer(bytes(KEY)).unseal(sealed) == Credentials(username, password)


def test_two_sealings_of_one_secret_differ() -> None:
    sealer = Sealer(bytes(KEY.public_key))
    assert sealer.seal(Credentials("a", "b")) != sealer.seal(Credentials("a", "b"))


def test_credentials_show_nothing() -> None:
    shown = repr(Credentials("quan-tri", "S3cret!")) + str(Credentials("quan-tri", "S3cret!"))
    assert "S3cret!" not in shown
    assert "quan-tri" not in shown


@pytest.mark.parametrize("sealed", ["", "AAAA", "not base64 !", "ý"])
def test_what_cannot_be_opened_says_what_to_do(sealed: str) -> None:
    with pytest.raises(SecretUnreadableError, match="write the credentials again"):
        Unsealer(bytes(KEY)).unseal(sealed)


def test_a_secret_for_another_key_cannot_be_opened() -> None:
    sealed = Sealer(bytes(PrivateKey.generate().public_key)).seal(Credentials("a", "S3cret!"))
    with pytest.raises(SecretUnreadableError) as caught:
        Unsealer(bytes(KEY)).unseal(sealed)
    assert "S3cret!" not in str(caught.value)


def test_key_files_fit_each_other(keys_folder: Path) -> None:
    sealed = Sealer.from_file(keys_folder / WORKERS_PUBLIC).seal(Credentials("a", "b"))
    assert Unsealer.from_file(keys_folder / WORKERS_PRIVATE).unseal(sealed) == Credentials("a", "b")


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
