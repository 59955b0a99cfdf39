"""The rendered chart runs as pods: migrations and set-up end, and every Deployment becomes healthy."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.containers import ROOT, Tool, image

pytestmark = [pytest.mark.server, pytest.mark.slow]

CHART = ROOT / "deploy" / "k8s" / "vonggac"
NAMESPACE = "default"
PREFIX = "vonggac"
HEALTHY_WITHIN_S = 300
VALUES = {
    "image": {"registry": "", "tag": "latest", "pullPolicy": "IfNotPresent"},
    "secrets": {"prefix": PREFIX},
    "postgresql": {"host": "postgres", "sslMode": "disable"},
    "media": {"allowedNetworks": ["10.64.0.0/12"]},
    "nats": {"replicas": 1, "storage": {"gibibytes": 1}, "observationsMaxBytes": 64 << 20},
    **{service: {"replicas": 1} for service in ("inventory", "prober", "forwarder", "reporting")},
}
"""One of each, as podman runs it."""


def secrets(safe: Path) -> list[dict[str, Any]]:
    """As an operator makes them."""
    done = subprocess.run(
        [sys.executable, "-m", "local", "cluster-secrets", "--folder", str(safe), "--prefix", PREFIX,
         "--namespace", NAMESPACE],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return list(json.loads(done.stdout)["items"])


def database(safe: Path) -> list[dict[str, Any]]:
    """The external PostgreSQL that the chart is told of: a plain role and a database for each record keeper."""
    statements = []
    for role in ("inventory", "reporting"):
        password = (safe / "postgres" / f"{role}.password").read_text("utf-8").strip()
        statements += [f"create role {role} login password '{password}';", f"create database {role} owner {role};"]
    files = {"roles.sql": "\n".join(statements), "superuser": "only-in-this-test"}
    ready = ["pg_isready", "-h", "127.0.0.1", "-U", "reporting", "-d", "reporting"]
    container = {
        "name": "postgres",
        "image": "postgres:17",
        "env": [{"name": "POSTGRES_PASSWORD_FILE", "value": "/files/superuser"}],
        "ports": [{"containerPort": 5432}],
        "readinessProbe": {"exec": {"command": ready}, "periodSeconds": 2},
        "volumeMounts": [
            {"name": "files", "mountPath": "/files"},
            {"name": "files", "mountPath": "/docker-entrypoint-initdb.d/roles.sql", "subPath": "roles.sql"},
        ],
    }
    pod = {"containers": [container], "volumes": [{"name": "files", "secret": {"secretName": "postgres-files"}}]}
    labels = {"app": "postgres"}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "postgres-files"}, "stringData": files},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "postgres", "labels": labels}, "spec": pod},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "postgres"},
            "spec": {"selector": labels, "ports": [{"port": 5432}]},
        },
    ]


@pytest.fixture
def kube(images: Tool) -> Iterator[Tool]:
    """The tool, with nothing of kube running before and after."""
    if not CHART.is_dir():
        pytest.skip("the chart is not in this checkout")
    if images.call("kube", "--help").returncode != 0 or images.call("helm", "version").returncode != 0:
        pytest.skip(f"{images.program} runs no Kubernetes manifests")
    yield images
    images.call("kube", "down", "--volumes", within_s=180)


def play(tool: Tool, manifests: list[dict[str, Any]]) -> None:
    done = tool.call("kube", "play", "-", given=yaml.safe_dump_all(manifests), within_s=HEALTHY_WITHIN_S)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def wait(tool: Tool) -> None:
    done = tool.call("kube", "wait", "--timeout", str(HEALTHY_WITHIN_S), within_s=HEALTHY_WITHIN_S + 30)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_the_rendered_deployments_become_healthy(
    kube: Tool, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    safe, values = tmp_path / "safe", tmp_path / "values.yaml"
    made = secrets(safe)
    values.write_text(yaml.safe_dump(VALUES), "utf-8")
    rendered = kube.call("helm", "template", "vonggac", str(CHART), "--namespace", NAMESPACE, "--values", str(values))
    assert rendered.returncode == 0, rendered.stderr
    assert image("forwarder") in rendered.stdout
    # podman knows no hooks: what helm runs before is there first, and what needs it waits for it.
    play(kube, [*made, *database(safe)])
    wait(kube)
    play(kube, [one for one in yaml.safe_load_all(rendered.stdout) if one and not is_test(one)])
    wait(kube)
    record_property("kube", "ok")


def is_test(manifest: dict[str, Any]) -> bool:
    """Whether only `helm test` runs it."""
    hook = str((manifest["metadata"].get("annotations") or {}).get("helm.sh/hook", ""))
    return hook.startswith("test")
