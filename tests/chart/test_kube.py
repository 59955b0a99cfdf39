"""The rendered chart runs: pods get ready, the streams are declared over TLS, and `helm test`'s round trip passes.

CONTAINERS names a tool that plays manifests with Services and install hooks (`kube play`, `kube wait`); podman alone
does not. One pod of each, no cluster: what that cannot show is listed in deploy/k8s/README.md.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.rendering import CHART, ROOT, SERVICES, helm

from local.commands.cluster_secrets import Release, print_secrets
from vonggac.embedded import free_port

ALLOWED = "VONGGAC_TEST_DEPLOY"
CONTAINERS = os.environ.get("CONTAINERS")
BUILT_WITHIN_S = 1800
PLAYED_WITHIN_S = 600
READY_WITHIN_S = 300

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.timeout(BUILT_WITHIN_S * 2),
    pytest.mark.skipif(ALLOWED not in os.environ, reason="containers: `make test-deploy` runs these"),
    pytest.mark.skipif(CONTAINERS is None, reason="no tool that plays the chart: name one by CONTAINERS"),
]

TAG = "chart"
RELEASE = Release(prefix="kube", fullname="kube-vonggac", namespace="default")
VALUES: dict[str, Any] = {
    "image": {"tag": TAG, "pullPolicy": "IfNotPresent"},
    "secrets": {"prefix": RELEASE.prefix},
    "postgresql": {"host": "kube-postgres", "sslMode": "disable"},
    "media": {"allowedNetworks": ["10.64.0.0/12"]},
    "nats": {"replicas": 1, "storage": {"gibibytes": 1}, "observationsMaxBytes": 64 << 20},
    **{service: {"replicas": 1} for service in SERVICES},
}


def call(*arguments: str, given: str = "", within_s: float = PLAYED_WITHIN_S) -> str:
    """What the tool prints. Raises AssertionError with its last lines."""
    assert CONTAINERS is not None
    done = subprocess.run(
        [CONTAINERS, *arguments], input=given, capture_output=True, text=True, check=False, timeout=within_s, cwd=ROOT
    )
    text = done.stdout + done.stderr
    assert done.returncode == 0, "\n".join(text.splitlines()[-30:])
    return text


def secrets(folder: Path) -> list[dict[str, Any]]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        print_secrets(folder, RELEASE)
    return list(json.loads(printed.getvalue())["items"])


def external_postgresql(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A server with the two roles and databases, as the operator has it before the install."""
    passwords = {
        one["stringData"]["username"]: one["stringData"]["password"] for one in made if "username" in one["stringData"]
    }
    sql = "".join(
        f"create role {role} login password '{password}'; create database {role} owner {role};\n"
        for role, password in passwords.items()
    )
    name = "kube-postgres"
    container = {
        "name": "postgres",
        "image": "postgres:17",
        "env": [{"name": "POSTGRES_PASSWORD_FILE", "value": "/given/superuser"}],
        "ports": [{"name": "client", "containerPort": 5432}],
        "volumeMounts": [
            {"name": "given", "mountPath": "/given"},
            {"name": "given", "mountPath": "/docker-entrypoint-initdb.d/roles.sql", "subPath": "roles.sql"},
        ],
        "readinessProbe": {
            "exec": {"command": ["pg_isready", "-h", "127.0.0.1", "-U", "reporting", "-d", "reporting"]},
            "periodSeconds": 2,
        },
    }
    given = {"superuser": os.urandom(12).hex(), "roles.sql": sql}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": given},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "containers": [container],
                "volumes": [{"name": "given", "secret": {"secretName": name}}],
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": {"app": name}, "ports": [{"port": 5432, "targetPort": "client"}]},
        },
    ]


@pytest.fixture
def played(tmp_path: Path) -> Iterator[dict[str, int]]:
    """The chart, installed. Ports of the APIs by service."""
    for service in SERVICES:
        dockerfile = str(ROOT / "deploy/docker/Dockerfile")
        arguments = ["-t", f"vonggac-{service}:{TAG}", "-f", dockerfile, "--build-arg", f"SERVICE={service}"]
        call("build", *arguments, str(ROOT), within_s=BUILT_WITHIN_S)
    made = secrets(tmp_path / "safe")
    base, chart = tmp_path / "base.yaml", tmp_path / "chart.yaml"
    base.write_text(yaml.safe_dump_all(external_postgresql(made)), "utf-8")
    rendered = helm("template", "kube", str(CHART), "--namespace", RELEASE.namespace, values=VALUES)
    assert rendered.returncode == 0, rendered.stderr
    chart.write_text(f"{rendered.stdout}\n---\n{yaml.safe_dump_all(made)}", "utf-8")
    ports = {"inventory": free_port(), "reporting": free_port()}
    published = [word for service, port in ports.items() for word in ("-p", f"{port}:kube-vonggac-{service}:8080")]
    try:
        call("kube", "play", str(base))
        call("kube", "play", *published, str(chart))
        call("kube", "wait", "--timeout", str(READY_WITHIN_S))
        yield ports
    finally:
        for file in (chart, base):
            with contextlib.suppress(AssertionError):
                call("kube", "down", "--volumes", str(file))


def test_the_rendered_chart_gets_ready_and_an_observation_goes_through(
    played: dict[str, int], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    addresses = [f"--{service}=http://127.0.0.1:{port}" for service, port in played.items()]
    command = [sys.executable, "-m", "local", "round-trip", *addresses, "--keys", str(tmp_path / "safe")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert (seen["state"], seen["cause"]) == ("unknown", "address_not_allowed")
    record_property("kube", "ok")
