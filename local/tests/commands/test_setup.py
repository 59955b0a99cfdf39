"""What containers need once: keys and passwords in shares, streams declared."""

import io
from pathlib import Path

import pytest

from local.apis.access import admin_token
from local.commands.setup import make_secrets, setup, share_keys
from local.platform.progress import Progress
from local.platform.streams import Login, declare_streams
from vonggac.auth import Credentials, Sealer, TokenVerifier, Unsealer
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import OWNER, USERS
from vonggac.embedded import NatsServer, free_port
from vonggac.net.origin import Origin


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_public_share_holds_no_private_key(tmp_path: Path) -> None:
    share_keys(tmp_path)
    assert names(tmp_path / "public") == {"jwks.json", "workers.pub"}
    assert names(tmp_path / "workers") == {"workers.key"}
    assert names(tmp_path / "reporting") == {"reporting.key"}
    assert (tmp_path / "workers" / "workers.key").stat().st_mode & 0o077 == 0


def test_what_one_share_seals_the_other_opens(tmp_path: Path) -> None:
    share_keys(tmp_path)
    sealed = Sealer.from_file(tmp_path / "public" / "workers.pub").seal(Credentials("u", "p"), Origin.of("rtsp://h/"))
    assert Unsealer.from_file(tmp_path / "workers" / "workers.key").unseal(sealed, "rtsp://h/x") == Credentials(
        "u", "p"
    )


async def test_a_token_of_the_signing_share_is_taken_by_the_public_one(tmp_path: Path) -> None:
    share_keys(tmp_path)
    verifier = TokenVerifier(
        jwks_file=tmp_path / "public" / "jwks.json", jwks_url=None, issuer="vong-gac", audience="vong-gac"
    )
    assert (await verifier.verify(admin_token(tmp_path / "signing"))).subject == "admin"


def test_each_container_gets_the_passwords_it_needs_and_no_others(tmp_path: Path) -> None:
    make_secrets(tmp_path / "keys", tmp_path / "logins", Progress(io.StringIO()))
    logins = tmp_path / "logins"
    passwords = {user.name: (logins / user.name / "nats.password").read_text("utf-8") for user in USERS}
    assert len(set(passwords.values())) == len(USERS)
    for name, password in passwords.items():
        holders = {path.parent.name for path in logins.rglob("*") if path.is_file() and password in path.read_text()}
        assert holders == {name, "nats"} | ({"backup"} if name == OWNER.name else set())
    for role in ("inventory", "reporting"):
        password = (logins / role / "postgres.password").read_text("utf-8")
        holders = {path.parent.name for path in logins.rglob("*") if path.is_file() and password in path.read_text()}
        assert holders == {role, "postgres", "backup"}
    for path in logins.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_passwords_that_are_there_stay(tmp_path: Path) -> None:
    for _ in range(2):
        make_secrets(tmp_path / "keys", tmp_path / "logins", Progress(io.StringIO()))
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    make_secrets(tmp_path / "keys", tmp_path / "logins", Progress(io.StringIO()))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("removed", "readers"),
    [
        ("prober/nats.password", {"prober", "nats"}),
        ("setup/nats.password", {"setup", "nats", "backup"}),
        ("postgres/inventory.password", {"postgres", "inventory", "backup"}),
    ],
)
def test_a_password_that_is_removed_is_made_anew_for_each_of_its_readers(
    tmp_path: Path, removed: str, readers: set[str]
) -> None:
    """So docs/operations/secrets.md replaces them; nobody else's password changes."""
    logins = tmp_path / "logins"
    make_secrets(tmp_path / "keys", logins, Progress(io.StringIO()))
    before = {path: path.read_bytes() for path in logins.rglob("*") if path.is_file()}
    (logins / removed).unlink()
    make_secrets(tmp_path / "keys", logins, Progress(io.StringIO()))
    changed = {path.parent.name for path, content in before.items() if path.read_bytes() != content}
    assert changed == readers


def test_a_signing_key_that_is_removed_is_made_anew_and_old_tokens_end(tmp_path: Path) -> None:
    """The other keys stay: what they sealed is still opened."""
    share_keys(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "signing" / "signing-key.pem").unlink()
    share_keys(tmp_path)
    changed = {str(path.relative_to(tmp_path)) for path, content in before.items() if path.read_bytes() != content}
    assert changed == {"signing/signing-key.pem", "signing/jwks.json", "public/jwks.json"}


def test_keys_that_are_there_stay(tmp_path: Path) -> None:
    share_keys(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    share_keys(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


async def test_streams_are_declared_once(bus: Bus, nats_server: NatsServer) -> None:
    await bus.js.delete_stream(topology.PROBE_JOBS)
    out = io.StringIO()
    for _ in range(2):
        login = Login("setup", nats_server.password_file("setup"))
        await setup(nats_server.url, login, replicas=1, progress=Progress(out))
    lines = [line for line in out.getvalue().splitlines() if "NATS" in line]
    assert topology.PROBE_JOBS in lines[0]
    assert lines[1].endswith("streams exist already")
    assert await topology.missing(bus.js) == []


async def test_a_server_that_is_not_there_is_not_waited_for_without_end() -> None:
    with pytest.raises(TimeoutError):
        await declare_streams(f"nats://127.0.0.1:{free_port()}", None, within_s=0.5)
