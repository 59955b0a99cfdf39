"""The Secrets of the chart: each component gets its own, the signing key stays with the operator."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from local.commands.cluster_secrets import Release, print_secrets
from local.commands.nats_certificate import CERTIFICATE_LASTS, RENEWED_BEFORE, ensure_certificate, names_of_servers
from vonggac.auth import TokenVerifier
from vonggac.auth.keys import SIGNING_KEY

NATS_USERS = ("setup", "inventory", "prober", "forwarder", "reporting", "console")

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
RELEASE = Release("vg", "demo-vonggac", "cameras")
NAMES = names_of_servers("demo-vonggac-nats", "cameras")


@pytest.fixture
def printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """Secrets by name."""
    assert print_secrets(tmp_path, RELEASE) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["apiVersion"]) == ("List", "v1")
    return {item["metadata"]["name"]: item for item in document["items"]}


def test_every_secret_of_the_chart_is_there(printed: dict[str, dict[str, Any]]) -> None:
    assert {name: sorted(item["stringData"]) for name, item in printed.items()} == {
        "vg-jwks": ["jwks.json"],
        "vg-workers-public": ["workers.pub"],
        "vg-workers-private": ["workers.key"],
        "vg-reporting-key": ["reporting.key"],
        **{f"vg-nats-{user}": ["nats.password"] for user in NATS_USERS},
        "vg-nats-server": ["passwords.conf"],
        "vg-nats-tls": ["ca.crt", "tls.crt", "tls.key"],
        "vg-nats-ca": ["ca.crt"],
        "vg-postgres-inventory": ["password", "username"],
        "vg-postgres-reporting": ["password", "username"],
        "vg-test-token": ["token"],
    }
    assert {item["metadata"]["namespace"] for item in printed.values()} == {"cameras"}


def test_the_signing_key_and_the_authority_s_key_stay_in_the_folder(
    printed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    text = json.dumps(printed)
    for kept in (tmp_path / SIGNING_KEY, tmp_path / "nats-tls/ca.key"):
        secret = kept.read_text("ascii").splitlines()[1]
        assert secret not in text
        assert kept.stat().st_mode & 0o077 == 0


def test_the_server_knows_the_password_of_each_user(printed: dict[str, dict[str, Any]]) -> None:
    known = printed["vg-nats-server"]["stringData"]["passwords.conf"]
    for user in ("setup", "inventory", "prober", "forwarder", "reporting"):
        password = printed[f"vg-nats-{user}"]["stringData"]["nats.password"]
        assert f'{user.upper()}_PASSWORD: "{password}"' in known


async def test_the_test_token_is_one_that_the_services_take(printed: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "served.json").write_text(printed["vg-jwks"]["stringData"]["jwks.json"], "ascii")
    verifier = TokenVerifier(jwks_file=tmp_path / "served.json", jwks_url=None, issuer="vong-gac", audience="vong-gac")
    principal = await verifier.verify(printed["vg-test-token"]["stringData"]["token"])
    assert principal.subject == "helm-test"


def test_the_same_folder_gives_the_same_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def without_token() -> list[dict[str, Any]]:
        print_secrets(tmp_path, RELEASE)
        items = json.loads(capsys.readouterr().out)["items"]
        return [item for item in items if not item["metadata"]["name"].endswith("-token")]

    assert without_token() == without_token()


def test_the_certificate_has_every_name_of_every_server(tmp_path: Path) -> None:
    made = ensure_certificate(tmp_path, NAMES, NOW)
    certificate = x509.load_pem_x509_certificate(made.certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    listed = names.get_values_for_type(x509.DNSName)
    assert {"demo-vonggac-nats", "demo-vonggac-nats.cameras.svc", "demo-vonggac-nats-2.demo-vonggac-nats-nodes"} <= set(
        listed
    )
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(made.authority.encode()))


def test_a_certificate_is_renewed_before_it_ends_by_the_same_authority(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path, NAMES, NOW)
    ends = NOW + CERTIFICATE_LASTS
    assert ensure_certificate(tmp_path, NAMES, ends - RENEWED_BEFORE - timedelta(days=1)) == first
    second = ensure_certificate(tmp_path, NAMES, ends - RENEWED_BEFORE + timedelta(days=1))
    assert second.certificate != first.certificate
    assert second.authority == first.authority


def test_a_release_of_another_name_gets_a_certificate_of_its_own(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path, NAMES, NOW)
    assert ensure_certificate(tmp_path, names_of_servers("other-nats", "cameras"), NOW) != first
