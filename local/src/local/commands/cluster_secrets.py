"""The Secrets that the Helm chart expects: `python -m local cluster-secrets --folder SAFE | kubectl apply -f -`.

Keys, passwords and the certificate of NATS are made once and kept in a folder of the operator's own. It holds the key
that signs tokens as well; that one never goes to the cluster. The same folder gives the same Secrets again, with a
certificate that is renewed in time. Each Secret has what one component needs, so inventory's pods never see the key
that opens what they seal.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from local.commands.nats_certificate import ensure_certificate, names_of_servers
from local.platform import environment
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, REPORTING_SEAL, WORKERS_PRIVATE, WORKERS_PUBLIC, ensure_keys, token_issuer
from vonggac.bus.declared import accounts, permissions
from vonggac.settings.passwords import ensure_password

TEST_TOKEN_LASTS = timedelta(days=7)
NAMES = {
    "jwks": JWKS,
    "workers-public": WORKERS_PUBLIC,
    "workers-private": WORKERS_PRIVATE,
    "reporting-key": REPORTING_SEAL,
}


@dataclass(frozen=True, slots=True)
class Release:
    """Where the chart is installed. `fullname` begins the names of its objects."""

    prefix: str
    fullname: str
    namespace: str


def print_secrets(folder: Path, release: Release) -> int:
    """Print a List of Secrets as JSON, which kubectl reads. Raises OSError when the folder is not writable."""
    items = [_secret(release, name, kind, data) for name, kind, data in _contents(folder, release)]
    json.dump({"apiVersion": "v1", "kind": "List", "items": items}, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 0


def _contents(folder: Path, release: Release) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Name without prefix, type, and files of each Secret."""
    ensure_keys(folder)
    for name, file in NAMES.items():
        yield name, "Opaque", {file: (folder / file).read_text("ascii")}
    users = {user.name: ensure_password(folder / "nats" / f"{user.name}.password") for user in permissions.USERS}
    for user, password in users.items():
        yield f"nats-{user}", "Opaque", {"nats.password": password}
    yield "nats-server", "Opaque", {"passwords.conf": accounts.passwords(users)}
    names = names_of_servers(f"{release.fullname}-nats", release.namespace)
    made = ensure_certificate(folder / "nats-tls", names)
    pair = {"tls.crt": made.certificate, "tls.key": made.key}
    yield "nats-tls", "kubernetes.io/tls", {**pair, "ca.crt": made.authority}
    yield "nats-ca", "Opaque", {"ca.crt": made.authority}
    for role in environment.RECORD_KEEPERS:
        password = ensure_password(folder / "postgres" / f"{role}.password")
        yield f"postgres-{role}", "kubernetes.io/basic-auth", {"username": role, "password": password}
    issued = token_issuer(folder).issue(
        subject="helm-test", roles=frozenset({Role.PROVINCE_LEAD}), valid_for=TEST_TOKEN_LASTS
    )
    yield "test-token", "Opaque", {"token": issued}


def _secret(release: Release, name: str, kind: str, data: dict[str, str]) -> dict[str, Any]:
    metadata = {
        "name": f"{release.prefix}-{name}",
        "namespace": release.namespace,
        "labels": {"app.kubernetes.io/part-of": "vonggac"},
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "stringData": data}
