"""Every bench starts, and docs/benchmarks.md lists it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHES = sorted(path for path in (ROOT / "bench").glob("*/*.py") if "__main__" in path.read_text("utf-8"))
_START_EACH = """
import contextlib, io, json, runpy, sys, traceback
said = {}
for module in sys.argv[1:]:
    sys.argv = [module, "--help"]
    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text):
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        ended = "it went on after --help"
    except SystemExit as exit:
        ended = exit.code or 0
    except Exception:
        ended = traceback.format_exc()
    said[module] = [ended, text.getvalue()]
print(json.dumps(said))
"""


def module_of(bench: Path) -> str:
    return ".".join(bench.relative_to(ROOT).with_suffix("").parts)


@pytest.fixture(scope="module")
def said() -> dict[str, tuple[object, str]]:
    """How each ended that was asked for its options, and what it printed; in one process, for they import the same."""
    command = [sys.executable, "-c", _START_EACH, *map(module_of, BENCHES)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert answer.returncode == 0, answer.stderr
    return {module: (ended, text) for module, (ended, text) in json.loads(answer.stdout).items()}


@pytest.mark.server
@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.stem)
def test_bench_starts(said: dict[str, tuple[object, str]], bench: Path) -> None:
    ended, text = said[module_of(bench)]
    assert ended == 0
    assert text.startswith("usage:")


@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.stem)
def test_bench_is_in_the_page_of_figures(bench: Path) -> None:
    assert f"{bench.relative_to(ROOT)}" in (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
