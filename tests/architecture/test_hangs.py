"""A run with a test whose fixtures never come down ends, and names the test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest, threading

@pytest.fixture
def held():
    yield
    threading.Event().wait()

def test_that_hangs(held):
    threading.Event().wait()

def test_after_it():
    pass
"""

pytestmark = pytest.mark.server


def test_a_test_whose_fixtures_never_come_down_fails_by_its_name_and_the_rest_runs(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.unit.hangs"]\n', "utf-8")
    (tmp_path / "test_it.py").write_text(TESTS, "utf-8")
    settings = ["-o", "timeout=0.2", "-o", "hang_grace_s=0.3", "-p", "no:cacheprovider", "--import-mode=importlib"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "1", "--dist", "loadfile", "-v", *settings],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "crashed while running 'test_it.py::test_that_hangs'" in done.stdout
    assert "test_it.py::test_after_it PASSED" in done.stdout or "PASSED test_it.py::test_after_it" in done.stdout
    assert "Timeout" in done.stderr
    assert "in held" in done.stderr, "the stack names the fixture"
