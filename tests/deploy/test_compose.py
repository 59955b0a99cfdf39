"""docker-compose.yml, for real: the truth of `make smoke`, two of each worker, its bounds, a lost platform restored."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.deploy.containers import ROOT, Tool

from local.apis.simulator import SimulatorApi
from local.demo import content
from local.demo.centres import PULLS
from vonggac.embedded import free_port
from vonggac.testing import eventually

pytestmark = [pytest.mark.server, pytest.mark.slow]

PROJECT = "vonggac-test-deploy"
UP_WITHIN_S = 300
TWICE = ("--scale", "forwarder=2", "--scale", "prober=2")
LONG_RUNNING = ("postgres", "nats", "inventory", "reporting", "prober", "forwarder", "simulator")


class Compose:
    """The project of the compose file, on ports and in a folder of backups of its own."""

    def __init__(self, tool: Tool, backups: Path, project: str = PROJECT, *, subnet: str, **images: str) -> None:
        self._tool, self._project = tool, project
        names = ("INVENTORY", "REPORTING", "SIMULATOR", "NATIONAL_CENTRE", "PROVINCIAL_CENTRE", "PROMETHEUS", "GRAFANA")
        self.ports = {name: free_port() for name in names}
        self._environment = {f"{name}_PORT": str(port) for name, port in self.ports.items()}
        self._environment |= {"BACKUPS": str(backups), "WITH_KEYS": "1", "VONGGAC_CAMERAS_SUBNET": subnet, **images}

    def change(self, **variables: str) -> None:
        """What `.env` would say from now on."""
        self._environment |= variables

    def call(self, *arguments: str, within_s: float = UP_WITHIN_S) -> subprocess.CompletedProcess[str]:
        return self._tool.call(
            "compose",
            "--project-name",
            self._project,
            "--file",
            str(ROOT / "docker-compose.yml"),
            *arguments,
            within_s=within_s,
            environment=self._environment,
        )

    def do(self, *arguments: str) -> str:
        """What it prints. Raises AssertionError when it fails."""
        done = self.call(*arguments)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:] + self.call("logs", "--tail=20").stdout
        return done.stdout

    def truth(self) -> dict[str, object]:
        """The last line of the service `truth`, which ends with status 0 only when all holds."""
        return dict(json.loads(self.do("run", "--rm", "truth").strip().splitlines()[-1]))

    def running(self, service: str) -> int:
        listed = self.do("ps", "--status", "running", "--quiet", service)
        return len(listed.split())

    def settings_of(self, service: str) -> dict[str, Any]:
        """HostConfig of its first container, as the engine has it."""
        container = self.do("ps", "--all", "--quiet", service).split()[0]
        return dict(json.loads(self._tool.ask("inspect", container))[0]["HostConfig"])

    def lose(self, *volumes: str) -> None:
        """What they hold; nothing that runs uses them."""
        for volume in volumes:
            self._tool.ask("volume", "rm", f"{self._project}_{volume}")

    def destroy(self) -> None:
        """Everything of it, data too."""
        self.call("--profile", "*", "down", "--volumes", "--timeout", "40")


@pytest.fixture(scope="module")
def compose(images: Tool, postgres_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    backups = tmp_path_factory.mktemp("backups")
    project = Compose(images, backups, subnet="10.213.65.0/24", POSTGRES_IMAGE=postgres_image)
    yield project
    project.destroy()


def test_compose_reaches_the_truth_with_two_of_each_worker(
    compose: Compose, record_property: Callable[[str, object], None]
) -> None:
    compose.do("--profile", "demo", "up", "--detach", "--no-build", *TWICE)
    truth = compose.truth()
    assert truth["cameras"] == content.EXPECTATION.cameras
    assert truth["delivered_both"] == content.EXPECTATION.delivered_both
    assert (compose.running("forwarder"), compose.running("prober")) == (2, 2)
    record_property("compose", "ok")


async def test_compose_reaches_the_truth_by_sessions_that_the_province_opens_itself(compose: Compose) -> None:
    """Whatever forwarder holds the camera: one of three has a port for centres."""
    [province] = [one for one in content.destinations() if one.mode == PULLS]
    simulator = SimulatorApi(f"http://127.0.0.1:{compose.ports['SIMULATOR']}")

    async def all_are_pulled() -> bool:
        return len(await simulator.pulled(province.simulator_id)) == content.EXPECTATION.delivered_both

    # A camera that has just moved to another forwarder is asked for anew.
    await eventually(all_are_pulled, within_s=60, poll_s=1)


def test_logs_memory_and_restarts_are_bounded_by_the_engine_itself(compose: Compose) -> None:
    for service in LONG_RUNNING:
        found = compose.settings_of(service)
        assert found["Memory"] >= 1 << 30, service
        assert found["RestartPolicy"]["Name"] == "unless-stopped", service
        # podman calls its file of JSON lines otherwise, and states the size in bytes.
        assert found["LogConfig"]["Type"] in {"json-file", "k8s-file"}, service
        options = {**(found["LogConfig"].get("Config") or {}), "size": found["LogConfig"].get("Size", "")}
        assert {options.get("max-size"), options["size"]} & {"10m", "10MB"}, (service, found["LogConfig"])


def test_a_container_that_logs_without_end_keeps_its_newest_lines_alone(compose: Compose, images: Tool) -> None:
    name, lines = f"{PROJECT}-chatty", 30_000
    compose.change(LOG_SIZE="100k", LOG_FILES="2")
    script = f"i=0; while [ $i -lt {lines} ]; do echo line $i of a container that logs without end; i=$((i+1)); done"
    try:
        compose.do("run", "--detach", "--no-deps", "--name", name, "--entrypoint", "/bin/sh", "nats", "-c", script)
        images.ask("wait", name)
        kept = images.ask("logs", name)
    finally:
        compose.change(LOG_SIZE="10m", LOG_FILES="5")
        images.engine_call("rm", "--force", name)
    assert f"line {lines - 1} of" in kept
    assert len(kept) < 250_000 < lines * len("line 10000 of a container that logs without end")


async def test_prometheus_asks_every_replica_and_has_the_rules_of_this_release(
    compose: Compose, prometheus_image: str
) -> None:
    compose.change(PROMETHEUS_IMAGE=prometheus_image)
    compose.do("--profile", "monitoring", "up", "--detach", "--no-build", "prometheus")
    address = f"http://127.0.0.1:{compose.ports['PROMETHEUS']}"

    async def all_are_asked() -> bool:
        async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
            targets = (await client.get("/api/v1/targets")).json()["data"]["activeTargets"]
            rules = (await client.get("/api/v1/rules")).json()["data"]["groups"]
        up = sorted(target["labels"]["job"] for target in targets if target["health"] == "up")
        workers = 2 * ["vonggac-forwarder"], 2 * ["vonggac-prober"]
        assert up == sorted(["vonggac-inventory", "vonggac-reporting", *workers[0], *workers[1]])
        evaluated = [rule for group in rules for rule in group["rules"]]
        assert len(evaluated) > 40
        assert [rule["name"] for rule in evaluated if rule["health"] == "err"] == []
        named = {rule["name"] for rule in evaluated if rule["state"] == "firing"}
        assert named & {"VonggacServiceDown", "VonggacNotReady"} == set()
        return True

    await eventually(all_are_asked, within_s=120, poll_s=2)


def test_the_password_of_grafana_is_made_once_and_printed_to_who_runs_compose(compose: Compose) -> None:
    first, second = (compose.do("run", "--rm", "grafana-password").strip() for _ in range(2))
    assert first == second
    assert len(first) >= 32


async def test_grafana_shows_both_dashboards_to_who_has_the_password(compose: Compose, grafana_image: str) -> None:
    compose.change(GRAFANA_IMAGE=grafana_image)
    compose.do("--profile", "monitoring", "up", "--detach", "--no-build", "grafana")
    login = ("admin", compose.do("run", "--rm", "grafana-password").strip())
    address = f"http://127.0.0.1:{compose.ports['GRAFANA']}"

    async def are_there() -> bool:
        async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
            assert (await client.get("/api/search")).status_code == httpx.codes.UNAUTHORIZED
            found = (await client.get("/api/search?type=dash-db", auth=login)).json()
            healthy = await client.get("/api/datasources/uid/prometheus/health", auth=login)
        assert {one["uid"] for one in found} == {"vonggac-forwarder", "vonggac-overview"}
        assert healthy.status_code == httpx.codes.OK, healthy.text
        return True

    await eventually(are_there, within_s=120, poll_s=2)


def test_pinned_images_are_those_that_are_here_and_other_lines_stay(images: Tool, tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "docker" / "pin-images.sh"
    script.parent.mkdir(parents=True)
    script.write_bytes((ROOT / "deploy" / "docker" / "pin-images.sh").read_bytes())
    [nats] = [line for line in (ROOT / "docker-compose.yml").read_text("utf-8").splitlines() if "{NATS_IMAGE:-" in line]
    (tmp_path / "docker-compose.yml").write_text(f"services:\n  nats:\n{nats}\n", "utf-8")
    (tmp_path / ".env").write_text("INVENTORY_PORT=1\nNATS_IMAGE=nats:1\nFORWARDERS=2\n", "utf-8")
    for _ in range(2):
        done = subprocess.run(
            ["sh", script],
            capture_output=True,
            text=True,
            env={**os.environ, "PULL": "no", "ENGINE": " ".join(images.engine)},
        )
        assert done.returncode == 0, done.stderr
    kept, pinned = (tmp_path / ".env").read_text("utf-8").rsplit("\n", 2)[:2]
    assert kept == "INVENTORY_PORT=1\nFORWARDERS=2"
    named = re.fullmatch(r"NATS_IMAGE=(nats:[\w.-]+@sha256:[0-9a-f]{64})", pinned)
    assert named is not None, pinned
    images.ask("image", "inspect", named[1])


def test_up_again_changes_nothing(compose: Compose) -> None:
    said = compose.do("--profile", "demo", "up", "--detach", "--no-build", *TWICE)
    assert "rror" not in said
    assert compose.truth()["delivered_both"] == content.EXPECTATION.delivered_both


def test_what_was_thrown_away_comes_back_from_the_backup(compose: Compose) -> None:
    made = json.loads(compose.do("run", "--rm", "backup").strip().splitlines()[-1])
    compose.do("--profile", "demo", "--profile", "tools", "down", "--volumes", "--timeout", "40")
    restored = json.loads(compose.do("run", "--rm", "restore").strip().splitlines()[-1])
    assert restored["restored"] == made["backup"]
    compose.do("--profile", "demo", "up", "--detach", "--no-build")
    assert compose.truth()["delivered_both"] == content.EXPECTATION.delivered_both


def test_a_platform_with_data_is_not_restored_over(compose: Compose) -> None:
    done = compose.call("run", "--rm", "restore")
    assert done.returncode == 1
    assert "is not empty" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
