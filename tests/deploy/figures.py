"""What `make test-deploy` shows in its last line: each figure measured by a test, or null with the reason beside it.

A test gives one by pytest's `record_property(name, value)`.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

SHOWN = (
    "images", "compose", "charts_rendered", "values_sets", "schemas", "policies_failed", "kube", "node_loss_lost",
    "amnesia_lost", "rolling_gap_s", "restore_bytes_equal", "alerts_fired",
)  # fmt: skip


class Figures:
    """A pytest plugin: collects the figures, and why tests were skipped or failed."""

    def __init__(self) -> None:
        self.measured: dict[str, Any] = {}
        self.failed: list[str] = []
        self.skipped: set[str] = set()

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.measured |= {name: value for name, value in report.user_properties if name in SHOWN}
        if report.failed:
            self.failed.append(report.nodeid)
        if report.skipped and isinstance(report.longrepr, tuple):
            self.skipped.add(str(report.longrepr[2]).removeprefix("Skipped: "))

    def line(self) -> str:
        """The last line: `reasons` is there only when something is null."""
        shown: dict[str, Any] = {name: self.measured.get(name) for name in SHOWN}
        missing = [name for name, value in shown.items() if value is None]
        if missing:
            shown["reasons"] = self._reasons(missing)
        return json.dumps(shown, ensure_ascii=False)

    def _reasons(self, missing: list[str]) -> Mapping[str, object]:
        reasons: dict[str, object] = {"not_measured": missing}
        if self.skipped:
            reasons["skipped"] = sorted(self.skipped)
        if self.failed:
            reasons["failed"] = self.failed
        return reasons
