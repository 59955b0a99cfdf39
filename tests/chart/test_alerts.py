"""Each alert fires when it must, and stays quiet in a case close to that; promtool decides."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
import yaml
from tests.chart.rendering import ROOT

FOLDER = ROOT / "deploy/prometheus"
TESTS = FOLDER / "vonggac-rules-test.yml"
LESS_GARBAGE = {"GOGC": "400"}
"""A fifth of promtool's time goes into collecting garbage, by default."""
NAME = re.compile(r"(\w+) (fires|stays quiet), ")


def promtool() -> str | None:
    return os.environ.get("PROMTOOL") or shutil.which("promtool")


@pytest.mark.heavy
def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    document = yaml.safe_load((FOLDER / "vonggac-rules.yml").read_text("utf-8"))
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
@pytest.mark.skipif(promtool() is None, reason="no promtool: set PROMTOOL, or install Debian's package prometheus")
def test_promtool_agrees(record_property: Callable[[str, object], None]) -> None:
    program = promtool()
    assert program is not None
    for arguments in (["check", "rules", "vonggac-rules.yml"], ["test", "rules", TESTS.name]):
        environment = {**LESS_GARBAGE, **os.environ}
        done = subprocess.run(
            [program, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "SUCCESS" in done.stdout
    named = [NAME.match(case["name"]) for case in yaml.safe_load(TESTS.read_text("utf-8"))["tests"]]
    record_property("alerts_fired", len({one[1] for one in named if one is not None and one[2] == "fires"}))
