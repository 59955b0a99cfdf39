"""Computed figures stand in the pages and in the chart as they are computed now."""

from pathlib import Path

import pytest
import yaml

from bench.figures import pages
from forwarder.settings import Settings as Forwarder

CHART = Path(__file__).parents[3] / "deploy/k8s/vonggac"


def test_nothing_computed_is_stale() -> None:
    assert pages.stale() == []


def test_a_page_that_was_edited_by_hand_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "scaling.md"
    page.write_text(pages.SCALING.read_text("utf-8").replace("| 2 | 6 | 21 |", "| 2 | 6 | 2 |"), "utf-8")
    monkeypatch.setattr(pages, "SCALING", page)
    assert pages.stale() == [page]


def test_a_block_that_nobody_computes_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "scaling.md"
    page.write_text("<!-- figures: other; x -->\n<!-- end of figures -->\n", "utf-8")
    monkeypatch.setattr(pages, "SCALING", page)
    with pytest.raises(ValueError, match="no figures are called other"):
        list(pages.documents())


def test_the_chart_says_what_settings_and_sums_say() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    assert values["forwarder"]["maxCameras"] == Forwarder.model_fields["max_cameras"].default
    assert values["forwarder"]["autoscaling"]["camerasPerReplica"] == values["forwarder"]["keda"]["camerasPerReplica"]
    assert values["maxSurge"] == f"{pages.SURGE_PERCENT}%"


def test_the_page_names_the_probers_for_proof_and_the_memory_of_empty_forwarders() -> None:
    text = pages.SCALING.read_text("utf-8")
    assert "| probers that read every delivery back in 60 s: the least | 2 | 6 | 21 |" in text
    assert "9.5 GB" in text
