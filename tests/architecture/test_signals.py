"""Every log event and metric is documented where its reader searches, and nothing documented is gone."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.architecture.modules import nodes

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("trees")
PACKAGES = {
    "shared": ROOT / "shared/src/vonggac",
    **{name: ROOT / f"services/{name}/src/{name}" for name in ("inventory", "prober", "forwarder", "reporting")},
    "simulator": ROOT / "simulator/src/simulator",
    "console": ROOT / "console/src/console",
}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
LOGGERS = {"log", "logger", "_log"}
METRICS = {"Counter", "Gauge", "Histogram", "Summary", "CounterMetricFamily", "GaugeMetricFamily"}


def readme(package: str) -> str:
    folder = ROOT / "services" / package if package not in {"shared", "simulator", "console"} else ROOT / package
    return (folder / "README.md").read_text("utf-8").partition("\n## Signals\n")[2]


def calls(package: str) -> Iterator[ast.Call]:
    for path in PACKAGES[package].rglob("*.py"):
        yield from (node for node in nodes(path) if isinstance(node, ast.Call))


@cache
def logged(package: str) -> set[str]:
    names = set()
    for call in calls(package):
        function = call.func
        if (
            isinstance(function, ast.Attribute)
            and function.attr in LEVELS
            and isinstance(function.value, ast.Name | ast.Attribute)
            and (function.value.id if isinstance(function.value, ast.Name) else function.value.attr) in LOGGERS
        ):
            assert call.args, ast.unparse(call)
            first = call.args[0]
            assert isinstance(first, ast.Constant), f"a log event's name is a literal: {ast.unparse(call)}"
            assert re.fullmatch(r"[a-z][a-z0-9_]*", str(first.value)), first.value
            names.add(str(first.value))
    return names


@cache
def measured(package: str) -> set[str]:
    names = set()
    for call in calls(package):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in METRICS and call.args and isinstance(call.args[0], ast.Constant):
            names.add(str(call.args[0].value))
        elif name in METRICS and call.args and isinstance(call.args[0], ast.JoinedStr):
            # The same of every service: `vonggac_<service>_ready`.
            names.add(re.sub(r"\{(\w+)\}", r"<\1>", ast.unparse(call.args[0])[2:-1]))
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_every_log_event_is_documented(package: str) -> None:
    documented = readme(package)
    assert {event for event in logged(package) if f"`{event}`" not in documented} == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_metric_is_documented(package: str) -> None:
    documented = readme(package)
    assert {
        name for name in measured(package) if not re.search(rf"`{re.escape(name)}(?:_total)?`", documented)
    } == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_documented_is_gone(package: str) -> None:
    rows = re.findall(r"^\| `([a-z0-9_<>]+)` \|", readme(package), re.MULTILINE)
    known = logged(package) | measured(package) | {f"{name}_total" for name in measured(package)}
    assert rows
    assert [row for row in rows if row not in known] == []
