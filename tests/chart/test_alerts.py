"""Each alert fires when it must and not in a case close to that; promtool decides. Targets are as rules expect."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
import yaml
from tests.chart.rendering import CHART, ROOT, SERVICES, component_of, manifests, minimal, one, parsed, values_of

FOLDER = ROOT / "deploy/prometheus"
RULES = CHART / "files/rules/vonggac-rules.yml"
TESTS = FOLDER / "vonggac-rules-test.yml"
LESS_GARBAGE = {"GOGC": "400"}
"""A fifth of promtool's time goes into collecting garbage, by default."""
NAME = re.compile(r"(\w+) (fires|stays quiet), ")


def promtool() -> str | None:
    return os.environ.get("PROMTOOL") or shutil.which("promtool")


@pytest.mark.heavy
def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    document = yaml.safe_load(RULES.read_text("utf-8"))
    alerts = {rule["alert"] for group in document["groups"] for rule in group["rules"]}
    tested: dict[str, set[str]] = {"fires": set(), "stays quiet": set()}
    for case in yaml.safe_load(TESTS.read_text("utf-8"))["tests"]:
        named = NAME.match(case["name"])
        assert named is not None, case["name"]
        [asked] = case["promql_expr_test"]
        assert f'alertname="{named[1]}", alertstate="firing"' in asked["expr"], case["name"]
        assert bool(asked["exp_samples"]) == (named[2] == "fires"), case["name"]
        tested[named[2]].add(named[1])
    assert tested == {"fires": alerts, "stays quiet": alerts}


@pytest.mark.server
@pytest.mark.skipif(promtool() is None, reason="no promtool: set PROMTOOL, or install Debian's package promtool")
def test_promtool_agrees(record_property: Callable[[str, object], None]) -> None:
    program = promtool()
    assert program is not None
    for arguments in (["check", "rules", str(RULES)], ["test", "rules", TESTS.name]):
        environment = {**LESS_GARBAGE, **os.environ}
        done = subprocess.run(
            [program, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "SUCCESS" in done.stdout
    named = [NAME.match(case["name"]) for case in yaml.safe_load(TESTS.read_text("utf-8"))["tests"]]
    record_property("alerts_fired", len({one[1] for one in named if one is not None and one[2] == "fires"}))


@pytest.mark.server
def test_alerts_and_dashboards_are_rendered_as_they_are_written() -> None:
    objects = manifests(values_of(CHART / "ci/high-availability-values.yaml"))
    [rules] = [thing for thing in objects if thing["kind"] == "PrometheusRule"]
    assert [rules["spec"]] == parsed(RULES.read_text("utf-8"))
    for dashboard in sorted((CHART / "files/dashboards").glob("*.json")):
        [text] = one(objects, "ConfigMap", f"demo-vonggac-{dashboard.stem}")["data"].values()
        assert text.rstrip("\n") == dashboard.read_text("utf-8").rstrip("\n")
    jobs = {thing["spec"]["jobLabel"] for thing in objects if thing["kind"] == "ServiceMonitor"}
    assert jobs == {"vonggac/job"}
    for service in SERVICES:
        assert (
            one(objects, "Service", f"demo-vonggac-{service}")["metadata"]["labels"]["vonggac/job"]
            == f"vonggac-{service}"
        )


@pytest.mark.server
def test_targets_say_of_which_release_they_are_since_rules_keep_releases_apart() -> None:
    for release in ("one", "two"):
        objects = manifests(values_of(CHART / "ci/high-availability-values.yaml"), release=release)
        monitors = [thing for thing in objects if thing["kind"] == "ServiceMonitor"]
        assert {component_of(thing) for thing in monitors} == {*SERVICES, "nats", "postgres-exporter"}
        for monitor in monitors:
            [endpoint] = monitor["spec"]["endpoints"]
            assert endpoint["relabelings"] == [{"targetLabel": "release", "replacement": release}]
            chosen = [
                port["name"]
                for service in objects
                if service["kind"] == "Service"
                and monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
                for port in service["spec"]["ports"]
                if port["name"] == endpoint["port"]
            ]
            assert chosen == [endpoint["port"]], "one target a pod"


@pytest.mark.server
def test_exporters_are_there_only_when_asked_for_and_only_prometheus_reaches_them() -> None:
    without, objects = manifests(minimal()), manifests(values_of(CHART / "ci/high-availability-values.yaml"))
    assert "exporter" not in str(without)
    for component, port in (("nats", 7777), ("postgres-exporter", 9187)):
        rules = one(objects, "NetworkPolicy", f"demo-vonggac-{component}")["spec"]["ingress"]
        [rule] = [rule for rule in rules if {"port": port, "protocol": "TCP"} in rule["ports"]]
        peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
        assert rule["from"] == [peer]
    pod = one(objects, "Deployment", "demo-vonggac-postgres-exporter")["spec"]["template"]["spec"]
    [given] = [each["env"] for each in pod["containers"]]
    assert {each["name"]: each["value"] for each in given}["DATA_SOURCE_URI"].startswith("demo-vonggac-postgresql-rw:")
