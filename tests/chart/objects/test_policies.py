"""checkov finds nothing wrong in what the chart renders; what it must not ask is justified where it is skipped."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.chart.rendering import CI, ROOT, rendered, values_of

CONFIGURATION = ROOT / "deploy/k8s/checkov.yaml"


def checkov() -> str | None:
    brought = ROOT / ".tools/bin/checkov"
    return os.environ.get("CHECKOV") or shutil.which("checkov") or (str(brought) if brought.exists() else None)


def test_every_skip_is_justified() -> None:
    skipped = [line for line in CONFIGURATION.read_text("utf-8").splitlines() if line.startswith("  - CKV")]
    assert skipped
    assert [line for line in skipped if not re.search(r"# \w.{20,}", line)] == []
    templates = (ROOT / "deploy/k8s/vonggac/templates").rglob("*")
    annotated = [
        line
        for path in templates
        if path.is_file()
        for line in path.read_text("utf-8").splitlines()
        if "checkov.io" in line
    ]
    assert [line for line in annotated if not re.search(r"=\w.{15,}", line)] == []


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(checkov() is None, reason="no checkov: `make chart-tools` brings it, or set CHECKOV")
def test_no_policy_fails(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    for path in CI:
        (tmp_path / f"{path.stem}.yaml").write_text(rendered(values_of(path)), "utf-8")
    program = checkov()
    assert program is not None
    command = [program, "--directory", str(tmp_path), "--config-file", str(CONFIGURATION), "--output", "json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "LOG_LEVEL": "ERROR"}
    )
    report = json.loads(done.stdout)
    failed = [(one["check_id"], one["resource"]) for one in report["results"]["failed_checks"]]
    record_property("policies_failed", len(failed))
    assert failed == []
    assert report["summary"]["passed"] > 1000
    assert report["summary"]["parsing_errors"] == 0
