"""What operators are given fits the code: dashboards, alert rules and runbooks name only what exists."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from console.metrics import Metrics as ConsoleMetrics
from forwarder.metrics import Metrics as ForwarderMetrics
from inventory.metrics import Metrics as InventoryMetrics
from prober.metrics import Metrics as ProberMetrics
from reporting.metrics import registry as reporting_registry
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.prober import ProbeKind, Verdict
from vonggac.http.metrics.service import ServiceMetrics
from vonggac.http.openapi.inlined_parts import inline_repeated_parts
from vonggac.telemetry import Health

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/operations"
DASHBOARDS = sorted((ROOT / "deploy/k8s/vonggac/files/dashboards").glob("*.json"))
RULES = ROOT / "deploy/k8s/vonggac/files/rules/vonggac-rules.yml"
RUNBOOKS = sorted((OPERATIONS / "runbooks").glob("*.md"))

SERVICES = ("inventory", "prober", "forwarder", "reporting")
WITH_CONSOLE = (*SERVICES, "console")
"""Jobs of Prometheus: the console has what all services have."""
FROM_PROMETHEUS = {"up", "ALERTS"}
FROM_EXPORTERS = {"pg_up"}
"""Of the options `monitoring.exporters` of the chart."""
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
LABELS_OF_PROMETHEUS = {"job", "instance", "le", "alertname", "alertstate", "severity", "namespace", "release"}
WORDS = {"and", "or", "unless", "on", "ignoring", "by", "without", "group_left", "group_right", "offset", "bool"}
LABEL_VALUES = {
    "state": {state.value for state in DeliveryState} | {"current", "behind", "offline"},
    "verdict": {verdict.value for verdict in Verdict},
    "cause": {cause.value for cause in Cause} | {"none"},
    "kind": {kind.value for kind in ProbeKind} | {"inventory", "observation"},
}
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
MATCHER = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')


@cache
def exported() -> set[str]:
    registries: list[CollectorRegistry] = [
        ForwarderMetrics().registry,
        InventoryMetrics().registry,
        ProberMetrics(per_camera=True).registry,
        reporting_registry,
        ConsoleMetrics().registry,
        *(ServiceMetrics(service, "", Health()).registry for service in WITH_CONSOLE),
    ]
    return {
        family.name + suffix
        for registry in registries
        for family in registry.collect()
        for suffix in SUFFIXES.get(family.type, ())
    }


@cache
def documented_labels() -> dict[str, set[str]]:
    """Metric (with `_total`, without a histogram's suffixes) to its labels, as the READMEs' tables have them."""
    labels: dict[str, set[str]] = {}
    for readme in (*sorted((ROOT / "services").glob("*/README.md")), ROOT / "console/README.md"):
        for row in re.finditer(r"^\| `(vonggac_\w+)` \| \w+ \|([^|]*)\|", readme.read_text("utf-8"), re.MULTILINE):
            without_values = re.sub(r"\([^)]*\)", "", row[2])
            labels[row[1]] = set(re.findall(r"[a-z_]+", without_values))
    common = re.finditer(
        r"^\| `(vonggac_<service>_\w+)` \| \w+ \|([^|]*)\|",
        (ROOT / "shared/README.md").read_text("utf-8"),
        re.MULTILINE,
    )
    for row in common:
        for service in WITH_CONSOLE:
            labels[row[1].replace("<service>", service)] = set(re.findall(r"[a-z_]+", row[2]))
    return labels


def metrics_of(expression: str) -> set[str]:
    """Names of the metrics of a PromQL expression; also names that are none of ours."""
    bare = re.sub(r"\[[^\]]*\]", "", re.sub(r"\{[^}]*\}", "", expression))
    bare = GROUPING.sub("", re.sub(r'\boffset\s+\w+|"[^"]*"', "", bare))
    return set(re.findall(r"\b([a-zA-Z_:][\w:]*)\b(?!\s*\()", bare)) - WORDS


def labels_of(expression: str) -> set[str]:
    grouped = {name.strip() for found in GROUPING.finditer(expression) for name in found[1].split(",")} - {""}
    return grouped | {found[1] for found in MATCHER.finditer(expression)}


@cache
def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


@cache
def panels(dashboard: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dashboard.read_text("utf-8"))["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Where, and what: every PromQL expression of rules, dashboards and their variables."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for dashboard in DASHBOARDS:
        for panel in panels(dashboard):
            for target in panel.get("targets", []):
                yield f"{dashboard.stem}: {panel['title']}", target["expr"]


def test_an_expression_names_only_metrics_that_exist() -> None:
    used = [(place, metrics_of(expression)) for place, expression in expressions()]
    assert [place for place, metrics in used if not metrics] == []
    unknown = {place: metrics - exported() - FROM_PROMETHEUS - FROM_EXPORTERS for place, metrics in used}
    assert {place: metrics for place, metrics in unknown.items() if metrics} == {}


def test_an_expression_names_only_labels_and_values_that_exist() -> None:
    documented = documented_labels()
    wrong = []
    for place, expression in expressions():
        known = set(LABELS_OF_PROMETHEUS)
        for metric in metrics_of(expression) - FROM_PROMETHEUS - FROM_EXPORTERS:
            known |= documented[re.sub(r"_(bucket|sum|count)$", "", metric)]
        wrong += [(place, label) for label in labels_of(expression) - known]
        for label, values in MATCHER.findall(expression):
            wrong += [
                (place, f"{label}={value}")
                for value in set(values.split("|")) - LABEL_VALUES.get(label, set(values.split("|")))
            ]
    assert wrong == []


def test_the_variables_of_dashboards_ask_for_what_exists() -> None:
    documented = documented_labels()
    for dashboard in DASHBOARDS:
        for variable in json.loads(dashboard.read_text("utf-8"))["templating"]["list"]:
            if variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((\w+)(?:\{[^}]*\})?, (\w+)\)", variable["query"]["query"])
                assert asked is not None
                assert asked[1] in exported()
                assert asked[2] in documented[asked[1]] | LABELS_OF_PROMETHEUS


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_shows_the_chosen_releases_alone(dashboard: Path) -> None:
    """Whatever it asks, of whichever metric: where several share one Prometheus, none is added to another."""
    text = json.loads(dashboard.read_text("utf-8"))
    variables = {variable["name"]: variable for variable in text["templating"]["list"]}
    assert variables["namespace"]["allValue"] == variables["release"]["allValue"] == ".*", "where no label is, too"
    asked = [target["expr"] for panel in panels(dashboard) for target in panel.get("targets", [])]
    asked += [note["expr"] for note in text["annotations"]["list"] if "expr" in note]
    asked += [each["query"]["query"] for name, each in variables.items() if name == "destination"]
    selected = re.compile(r"\b(?:vonggac_\w+|ALERTS|up)\b(\{[^}]*\})?")
    chosen = 'namespace=~"$namespace", release=~"$release"}'
    found = [(expression, each[1] or "") for expression in asked for each in selected.finditer(expression)]
    assert len(found) >= len(asked) > 15
    assert [expression for expression, selector in found if not selector.endswith(chosen)] == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_what_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"Vonggac[A-Z][A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    notes = rule["annotations"]
    assert re.search(r"[à-ỹđ]", notes["summary"], re.IGNORECASE), "Vietnamese first"
    assert notes["summary_en"].isascii()
    assert notes["runbook"] == f"docs/operations/runbooks/{rule['alert']}.md"
    grouped = labels_of(rule["expr"])
    assert {label for note in notes.values() for label in re.findall(r"\$labels\.(\w+)", note)} <= grouped | {
        "instance"
    }


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_mixes_no_two_releases_of_one_prometheus(rule: dict[str, Any]) -> None:
    bare = re.sub(r'"[^"]*"', "", rule["expr"])
    aggregated = re.findall(r"\b(?:sum|min|max|avg|count|group|topk|quantile)\b(?!\w)\s*(by \([^)]*\))?", bare)
    joined = re.findall(r"\b(?:on|ignoring)\s*\(([^)]*)\)", bare)
    for labels in (*aggregated, *joined):
        assert re.search(r"\bnamespace, release\b", labels), labels or "an aggregation over all releases"
    assert "vector(" not in bare, "of no release"


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    assert {path.stem for path in RUNBOOKS} == set(names)


def test_the_index_has_every_alert_with_its_severity() -> None:
    index = (OPERATIONS / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| (\w+) \|", index, re.MULTILINE)
    assert listed == [(rule["alert"], rule["alert"], rule["labels"]["severity"]) for rule in rules()]


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_has_its_four_sections_and_the_rule_s_severity(path: Path) -> None:
    text = path.read_text("utf-8")
    [rule] = [rule for rule in rules() if rule["alert"] == path.stem]
    assert text.startswith(f"# {path.stem}\n\nSeverity `{rule['labels']['severity']}`, after {rule['for']}.")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    diagnosis = text.partition("## Diagnosis")[2].partition("## Mitigation")[0]
    assert re.search(r"curl|SELECT|in Prometheus", diagnosis)


@pytest.mark.parametrize("path", [*RUNBOOKS, OPERATIONS / "README.md"], ids=lambda path: path.stem)
def test_a_runbook_names_only_metrics_settings_and_pages_that_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    metrics = set(re.findall(r"\bvonggac_(?:inventory|prober|forwarder|reporting)_\w+", text))
    assert metrics - exported() == set()
    settings = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    assert [name for name in re.findall(r"\bVONGGAC_\w+", text) if f"| {name} |" not in settings] == []
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_a_runbook_names_what_to_type_in_kubernetes() -> None:
    """But for those of cameras and centres, whose trouble is outside the cluster, and of what an API alone mends."""
    without = {
        path.stem for path in RUNBOOKS if "kubectl " not in (text := path.read_text("utf-8")) and "helm " not in text
    }
    named = {alert for alert in without if re.match(r"Vonggac(Camera|Destination|Deliveries|Finding|Logins)", alert)}
    assert without - named == {
        "VonggacBusClockStepped",
        "VonggacDeadLetters",
        "VonggacFactsCorrected",
        "VonggacObservationsLost",
        "VonggacReportingSlow",
    }
    assert not {"VonggacCamerasNotHeld", "VonggacSomeCamerasNotHeld"} & without


def test_a_command_of_a_runbook_that_declares_streams_says_where() -> None:
    """Its default is the server of this machine, which need not be the one of the incident."""
    commands = [
        (path.stem, line)
        for path in RUNBOOKS
        for line in path.read_text("utf-8").splitlines()
        if "python -m vonggac.bus" in line
    ]
    assert commands
    assert [command for command in commands if '--nats "$NATS_URL"' not in command[1]] == []


@pytest.fixture(scope="module")
def parameters_by_route() -> dict[tuple[str, str, str], set[str]]:
    """(SERVICE, METHOD, path) to the query parameters, of the APIs as the code has them now."""
    code = (
        "import generate, json, sys; print(json.dumps({s: json.loads(generate.openapi(s)) for s in generate.SERVICES}))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "docs", capture_output=True, text=True, check=True)
    return {
        (service.upper(), method.upper(), path): {one["name"] for one in operation.get("parameters", [])}
        for service, document in json.loads(result.stdout).items()
        for path, operations in inline_repeated_parts(document)["paths"].items()
        for method, operation in operations.items()
    }


@pytest.mark.server
def test_the_commands_of_runbooks_call_routes_that_exist(
    parameters_by_route: dict[tuple[str, str, str], set[str]],
) -> None:
    call = re.compile(r"curl ([^|`\n]*?)\"\$(INVENTORY|PROBER|FORWARDER|REPORTING)(/v1/[^\"?]*)(?:\?([^\"]*))?\"")
    calls = [(path.stem, *found) for path in RUNBOOKS for found in call.findall(path.read_text("utf-8"))]
    assert len(calls) > len(RUNBOOKS)
    wrong = []
    for runbook, options, service, path, query in calls:
        method = (re.findall(r"-X ([A-Z]+)", options) or ["GET"])[0]
        shape = re.compile(re.sub(r"\\\$[A-Z]+", r"\\{[a-z_]+\\}", re.escape(path)))
        fitting = [
            known
            for key, known in parameters_by_route.items()
            if key[:2] == (service, method) and shape.fullmatch(key[2])
        ]
        asked = {pair.partition("=")[0] for pair in query.split("&") if pair}
        if not fitting or asked - fitting[0]:
            wrong.append((runbook, method, service, path, query))
    assert wrong == []


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_has_unique_panels_that_do_not_lie_over_each_other(dashboard: Path) -> None:
    document = json.loads(dashboard.read_text("utf-8"))
    assert document["uid"] == dashboard.stem
    ids = [panel["id"] for panel in document["panels"]]
    assert len(ids) == len(set(ids))
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in document["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(x < 24 for x, _ in cells)
    sources = {panel["datasource"]["uid"] for panel in document["panels"] if panel["type"] != "row"}
    assert sources == {"${datasource}"}, "chosen by the reader, not one of our Grafana"


def test_both_dashboards_are_there() -> None:
    assert [path.stem for path in DASHBOARDS] == ["vonggac-forwarder", "vonggac-overview"]


@pytest.mark.parametrize("path", [*DASHBOARDS, RULES], ids=lambda path: path.stem)
def test_no_host_is_named(path: Path) -> None:
    text = path.read_text("utf-8")
    assert (
        re.findall(
            r"https?://|\blocalhost\b|\b\d{1,3}(?:\.\d{1,3}){3}\b|\.(?:svc|local|example|vn|com|net|org)\b", text
        )
        == []
    )
