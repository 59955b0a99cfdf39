"""Every bench starts, and docs/benchmarks.md lists it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHES = sorted(path for path in (ROOT / "bench").glob("*/*.py") if "__main__" in path.read_text("utf-8"))


@pytest.mark.server
@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.stem)
def test_bench_starts(bench: Path) -> None:
    module = ".".join(bench.relative_to(ROOT).with_suffix("").parts)
    answer = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("usage:")


@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.stem)
def test_bench_is_in_the_page_of_figures(bench: Path) -> None:
    assert f"{bench.relative_to(ROOT)}" in (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
