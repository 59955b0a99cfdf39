"""docker-compose.yml, for real: the truth of `make smoke`, two of each worker, and a lost platform restored."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.deploy.containers import ROOT, Tool

from local.demo import content
from vonggac.embedded import free_port

pytestmark = [pytest.mark.server, pytest.mark.slow]

PROJECT = "vonggac-test-deploy"
UP_WITHIN_S = 300
TWICE = ("--scale", "forwarder=2", "--scale", "prober=2")


class Compose:
    """The project of the compose file, on ports and in a folder of backups of its own."""

    def __init__(self, tool: Tool, backups: Path) -> None:
        self._tool = tool
        names = ("INVENTORY", "REPORTING", "SIMULATOR", "NATIONAL_CENTRE", "PROVINCIAL_CENTRE")
        self._environment = {f"{name}_PORT": str(free_port()) for name in names}
        self._environment |= {"BACKUPS": str(backups), "WITH_KEYS": "1"}

    def call(self, *arguments: str, within_s: float = UP_WITHIN_S) -> subprocess.CompletedProcess[str]:
        return self._tool.call(
            "compose", "--project-name", PROJECT, "--file", str(ROOT / "docker-compose.yml"), *arguments,
            within_s=within_s, environment=self._environment,
        )  # fmt: skip

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


@pytest.fixture(scope="module")
def compose(images: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    project = Compose(images, tmp_path_factory.mktemp("backups"))
    yield project
    project.call("--profile", "demo", "--profile", "tools", "down", "--volumes", "--timeout", "40")


def test_compose_reaches_the_truth_with_two_of_each_worker(
    compose: Compose, record_property: Callable[[str, object], None]
) -> None:
    compose.do("--profile", "demo", "up", "--detach", "--no-build", *TWICE)
    truth = compose.truth()
    assert truth["cameras"] == content.EXPECTATION.cameras
    assert truth["delivered_both"] == content.EXPECTATION.delivered_both
    assert (compose.running("forwarder"), compose.running("prober")) == (2, 2)
    record_property("compose", "ok")


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
