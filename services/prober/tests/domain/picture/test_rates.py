"""docs/reference/picture.md has what the script measures, and there is no false alarm but in the hardest light."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[5]


@pytest.mark.slow
@pytest.mark.weekly
@pytest.mark.server
@pytest.mark.timeout(400)
def test_the_page_shows_the_measured_rates_and_no_good_picture_is_called_bad() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bench.probing.picture_rates", "--check"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr + run.stdout
    summary = json.loads(run.stdout.splitlines()[-1])
    assert summary["false_alarms"] == 0
    assert summary["good_thumbnails"] > 500
    assert summary["found"] > 0.9 * summary["faulty_thumbnails"]
    assert summary["faulty_thumbnails"] > 1600
    assert summary["hard_thumbnails"] > 800
    # Overexposed until nearly all is white: no lamp by night is among them.
    assert summary["hard_down"] <= 10
