"""Every bench starts, docs/benchmarks.md lists it, and every row there names the command that repeats it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STARTED_BY_BENCHES = {"guard/idle.py", "guard/watching.py"}
"""Processes of a bench: they speak to it, and to nobody else."""
BENCHES = sorted(
    path
    for path in (ROOT / "bench").glob("*/*.py")
    if "__main__" in path.read_text("utf-8") and path.relative_to(ROOT / "bench").as_posix() not in STARTED_BY_BENCHES
)
PAGE = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
ROWS = [row.split(" | ") for row in PAGE.splitlines() if row.startswith("| ")][1:]
COMMAND = re.compile(r"`(?:make [a-z-]+|python -m [\w.]+|\.ci/run)[^`]*`|the same")
MODULE = re.compile(r"`python -m ([\w.]+)([^`]*)`")
STARTER = """
import json, os, runpy, sys, tempfile, traceback
import fastapi, httpx, nats, numpy, psycopg, pydantic_settings, sqlalchemy.ext.asyncio, uvicorn

def start(module):
    try:
        sys.argv = [module, "--help"]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

for line in sys.stdin:
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as mistakes:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(mistakes.fileno(), 2)
            status = start(line.strip())
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status if isinstance(status, int) else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = [os.pread(file.fileno(), 1 << 20, 0).decode("utf-8", "replace") for file in (said, mistakes)]
        print(json.dumps([status, *texts]), flush=True)
"""
"""A process that runs the modules that it reads, each in a child of its own. It has imported nothing of the house's
code, and what the benches use of others once for all: half of the cost of a start."""

type Start = Callable[[str], tuple[int, str, str]]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Run `python -m module --help`: its status, its output and its errors."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdin is not None
    assert starter.stdout is not None
    asked, answered = starter.stdin, starter.stdout

    def ask(module: str) -> tuple[int, str, str]:
        print(module, file=asked, flush=True)
        status, said, mistakes = json.loads(answered.readline())
        return int(status), str(said), str(mistakes)

    with starter:
        yield ask
        asked.close()


@pytest.mark.server
@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.stem)
def test_bench_starts(start: Start, bench: Path) -> None:
    status, said, mistakes = start(".".join(bench.relative_to(ROOT).with_suffix("").parts))
    assert status == 0, mistakes
    assert said.startswith("usage:")


@pytest.mark.parametrize("module", ["bench.no_such_bench", "bench"])
@pytest.mark.server
def test_what_does_not_start_is_noticed(start: Start, module: str) -> None:
    status, said, mistakes = start(module)
    assert status == 1
    assert said == ""
    assert "No module named" in mistakes


@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.stem)
def test_bench_is_in_the_page_of_figures(bench: Path) -> None:
    name = str(bench.relative_to(ROOT))
    assert f"`{name}" in PAGE or name.removesuffix(".py").replace("/", ".") in {
        found[0] for found in MODULE.findall(PAGE)
    }


def test_every_row_of_the_page_names_the_command_that_repeats_it() -> None:
    assert len(ROWS) > 40
    assert [row[0] for row in ROWS if len(row) != 5 or not COMMAND.match(row[-1])] == []
    assert COMMAND.match("cProfile, 1,000 probes |") is None


@pytest.mark.server
@pytest.mark.parametrize(("module", "arguments"), sorted(set(MODULE.findall(PAGE))))
def test_the_commands_of_the_page_are_understood(start: Start, module: str, arguments: str) -> None:
    status, said, mistakes = start(module)
    assert status == 0, mistakes
    assert set(re.findall(r"--[a-z-]+", arguments)) - set(re.findall(r"--[a-z-]+", said)) == set()
