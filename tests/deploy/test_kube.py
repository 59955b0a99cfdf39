"""The rendered chart runs as pods: it gets ready, an observation goes through, and a backup fills it again.

CONTAINERS names a tool that plays manifests with Services (`kube play`, `kube wait`); podman alone does
not. One pod of each, no cluster: what that cannot show is listed in deploy/k8s/README.md.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.containers import ROOT, Tool, image

from vonggac.embedded import free_port

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
    "nats": {"replicas": 1, "storage": {"gibibytes": 1}, "observationsMaxBytes": 64 << 20, "cameras": 100},
    **{service: {"replicas": 1} for service in ("inventory", "prober", "forwarder", "reporting")},
}
"""One of each, as podman runs it."""
INSIDE = {"enabled": True, "storage": {"gibibytes": 1}}
DATABASE_PORT, NATS_PORT, API_PORT = 5432, 4222, 8080


def local(*arguments: str, within_s: float = HEALTHY_WITHIN_S) -> str:
    """What `vonggac …` prints, as an operator types it."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("vonggac")), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=within_s,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def secrets(safe: Path) -> list[dict[str, Any]]:
    """As an operator makes them."""
    printed = local("cluster-secrets", "--folder", str(safe), "--prefix", PREFIX, "--namespace", NAMESPACE)
    return list(json.loads(printed)["items"])


def database(safe: Path, image_of_postgres: str) -> list[dict[str, Any]]:
    """The external PostgreSQL that the chart is given: a plain role and a database for each record keeper."""
    statements = []
    for role in ("inventory", "reporting"):
        password = (safe / "postgres" / f"{role}.password").read_text("utf-8").strip()
        statements += [f"create role {role} login password '{password}';", f"create database {role} owner {role};"]
    files = {"roles.sql": "\n".join(statements), "superuser": "only-in-this-test"}
    ready = ["pg_isready", "-h", "127.0.0.1", "-U", "reporting", "-d", "reporting"]
    container = {
        "name": "postgres",
        "image": image_of_postgres,
        "env": [{"name": "POSTGRES_PASSWORD_FILE", "value": "/files/superuser"}],
        "ports": [{"containerPort": DATABASE_PORT}],
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
            "spec": {"selector": labels, "ports": [{"port": DATABASE_PORT}]},
        },
    ]


class Installation:
    """The chart and its PostgreSQL, played; ports of this machine reach what `kubectl port-forward` would."""

    def __init__(self, tool: Tool, folder: Path, image_of_postgres: str) -> None:
        self._tool, self.safe, self._folder = tool, folder / "safe", folder
        self._postgres = image_of_postgres
        self._made = secrets(self.safe)
        services = {
            "postgres": DATABASE_PORT,
            "vonggac-nats": NATS_PORT,
            "vonggac-inventory": API_PORT,
            "vonggac-reporting": API_PORT,
        }
        self._inside = services
        self.ports = {service: free_port() for service in services}

    def start(self, **values: Any) -> None:
        """Everything is ready at the end. podman knows no hooks: what needs the migrations waits for them."""
        self._play([*self._made, *database(self.safe, self._postgres)], "postgres")
        self.upgrade(**values)

    def upgrade(self, **values: Any) -> None:
        """The chart over what runs, or what was restored."""
        manifests = self._rendered(**values)
        services = [] if values.get("restoring") else ["vonggac-inventory", "vonggac-reporting"]
        assert (f"{image('forwarder')}:latest" in str(manifests)) == bool(services)
        self._play(manifests, "vonggac-nats", *services)
        done = self._tool.call("kube", "wait", "--timeout", str(HEALTHY_WITHIN_S), within_s=HEALTHY_WITHIN_S + 30)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    def _rendered(self, **values: Any) -> list[dict[str, Any]]:
        given = yaml.safe_dump(VALUES | values)
        rendered = self._tool.call(
            "helm", "template", "vonggac", str(CHART), "--namespace", NAMESPACE, "--values", "-", given=given
        )
        assert rendered.returncode == 0, rendered.stderr
        return [one for one in yaml.safe_load_all(rendered.stdout) if one]

    def stop(self) -> None:
        """With its volumes."""
        self._tool.call("kube", "down", "--volumes", within_s=180)

    def copy(self, *command: str) -> Mapping[str, object]:
        """`vonggac backup` or `restore` as docs/operations/backup.md has it for Kubernetes; its last line."""
        logins = self._folder / "logins"
        if not logins.exists():
            logins.mkdir(mode=0o700)
            for password in (self.safe / "postgres").glob("*.password"):
                shutil.copy(password, logins)
            shutil.copy(self.safe / "nats" / "setup.password", logins / "nats.password")
        databases = [
            f"--{name}-database=postgresql://{name}@127.0.0.1:{self.ports['postgres']}/{name}"
            for name in ("inventory", "reporting")
        ]
        printed = local(
            *command,
            "--logins",
            str(logins),
            "--keys",
            str(self.safe),
            *databases,
            "--nats",
            f"tls://localhost:{self.ports['vonggac-nats']}",
            "--nats-ca-file",
            str(self.safe / "nats-tls" / "ca.crt"),
        )
        return dict(json.loads(printed.splitlines()[-1]))

    def back_up_inside(self) -> Mapping[str, object]:
        """What `kubectl create job --from=cronjob/vonggac-backup` runs; its last line."""
        [schedule] = [one for one in self._rendered(backup=INSIDE) if one["kind"] == "CronJob"]
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "backup-now"}}
        self._play([job | {"spec": schedule["spec"]["jobTemplate"]["spec"]}])
        return self._last_line("backup-now")

    def restore_inside(self) -> Mapping[str, object]:
        """What the chart makes for `restoring` and `backup.restoreFrom`, into empty servers; its last line."""
        made = self._rendered(restoring=True, backup=INSIDE | {"restoreFrom": "newest"})
        [job] = [one for one in made if one["kind"] == "Job"]
        self._play([job])
        return self._last_line(job["metadata"]["name"])

    def lose_all_but_backups(self) -> None:
        """Pods, with the database in one of them, and the volumes of NATS."""
        self._tool.call("kube", "down", within_s=180)
        volumes = self._tool.ask("volume", "ls", "--format", "{{.Name}}").split()
        of_nats = [volume for volume in volumes if volume.startswith("data-vonggac-nats")]
        assert of_nats, volumes
        for volume in of_nats:
            self._tool.ask("volume", "rm", volume)

    def _last_line(self, job: str) -> Mapping[str, object]:
        done = self._tool.call("kube", "wait", "--timeout", str(HEALTHY_WITHIN_S), within_s=HEALTHY_WITHIN_S + 30)
        names = self._tool.ask("ps", "--all", "--format", "{{.Names}}").split()
        [container] = [name for name in names if name.startswith(job) and name.endswith("-backup")]
        logs = self._tool.engine_call("logs", container)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:] + logs.stdout + logs.stderr
        [line] = [line for line in (logs.stdout + logs.stderr).splitlines() if line.startswith("{")]
        return dict(json.loads(line))

    def round_trip(self) -> Mapping[str, object]:
        """What `helm test` runs; its last line."""
        addresses = [
            f"--{name}=http://127.0.0.1:{self.ports[f'vonggac-{name}']}" for name in ("inventory", "reporting")
        ]
        return dict(json.loads(local("round-trip", *addresses, "--keys", str(self.safe)).splitlines()[-1]))

    def _play(self, manifests: list[dict[str, Any]], *published: str) -> None:
        ports = [word for name in published for word in ("-p", f"{self.ports[name]}:{name}:{self._inside[name]}")]
        done = self._tool.call(
            "kube", "play", *ports, "-", given=yaml.safe_dump_all(manifests), within_s=HEALTHY_WITHIN_S
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.fixture(scope="module")
def installation(images: Tool, postgres_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Played and ready, with nothing of kube running before and after."""
    if images.call("kube", "--help").returncode != 0 or images.call("helm", "version").returncode != 0:
        pytest.skip(f"{images.program} runs no Kubernetes manifests")
    made = Installation(images, tmp_path_factory.mktemp("kube"), postgres_image)
    # What a killed run has left would be waited for.
    made.stop()
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_the_rendered_chart_gets_ready_and_an_observation_goes_through(
    installation: Installation, record_property: Callable[[str, object], None]
) -> None:
    seen = installation.round_trip()
    assert (seen["state"], seen["cause"]) == ("unknown", "address_not_allowed")
    record_property("kube", "ok")


def test_an_installation_that_was_lost_is_filled_from_its_backup(installation: Installation, tmp_path: Path) -> None:
    made = installation.copy("backup", "--to", str(tmp_path))
    installation.stop()
    installation.start(restoring=True)
    restored = installation.copy("restore", "--from", str(tmp_path))
    assert restored["restored"] == made["backup"]
    installation.upgrade()
    assert installation.round_trip()["cause"] == "address_not_allowed"


def test_an_installation_backs_itself_up_and_is_filled_again_in_the_cluster(installation: Installation) -> None:
    """The CronJob's pod and the Job that restores, as the chart makes them, with no key and no way but their own."""
    installation.stop()
    installation.start(backup=INSIDE)
    installation.round_trip()
    made = installation.back_up_inside()
    assert str(made["backup"]).startswith("/backups/vonggac/2")
    installation.lose_all_but_backups()
    installation.start(restoring=True, backup=INSIDE)
    restored = installation.restore_inside()
    assert restored["restored"] == made["backup"]
    installation.upgrade(backup=INSIDE)
    assert installation.round_trip()["cause"] == "address_not_allowed"
