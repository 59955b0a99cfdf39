"""How long each test file takes: `make test` writes `seconds.csv`, and names the files that grew most since.

A file of which tests are left for another day keeps what is on record of it. Seconds of a busy machine are not those of
a quiet one: they show where time goes, and no test fails by them.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.unit.day import is_every_case

TABLE = Path(__file__).parent / "seconds.csv"
_COLUMNS = ("file", "tests", "seconds")
_MOST_NAMED = 10
_LEAST_GROWTH_S = 1.0
"""Less is the noise of a machine."""


class FileTime(NamedTuple):
    """Tests of a file, and the seconds of them with their fixtures."""

    tests: int
    seconds: float


class _Times:
    """Adds up what each test reports."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._tests: Counter[str] = Counter()

    def add(self, report: pytest.TestReport) -> None:
        name = report.nodeid.partition("::")[0]
        self._seconds[name] += report.duration
        self._tests[name] += report.when == "call"

    def by_file(self) -> dict[str, FileTime]:
        return {name: FileTime(self._tests[name], self._seconds[name]) for name in sorted(self._seconds)}


_KEY = pytest.StashKey[_Times]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that `make test` gives."""
    text = f"write the seconds of each test file to {TABLE.name} and name the files that grew most"
    parser.addoption("--record-seconds", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Record in the process that gets every report: a worker of xdist has none of the others'."""
    if config.getoption("--record-seconds") and not hasattr(config, "workerinput"):
        config.stash[_KEY] = _Times()
        config.pluginmanager.register(_Recorder(config.stash[_KEY]), "seconds-recorder")


class _Recorder:
    """The hooks of one run."""

    def __init__(self, times: _Times) -> None:
        self._times = times

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the report of one phase of one test."""
        self._times.add(report)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name the files that grew, then write the table."""
        before = read_table(TABLE)
        ran = self._times.by_file()
        now = ran if is_every_case() else only_whole_files(ran, before)
        for line in describe_growth(before, now):
            terminalreporter.write_line(line)
        write_table(TABLE, now if is_every_case() else {**before, **now})


def only_whole_files(ran: Mapping[str, FileTime], before: Mapping[str, FileTime]) -> dict[str, FileTime]:
    """Return the files of which a run that leaves something to other days left out nothing."""
    none = FileTime(0, 0.0)
    return {name: time for name, time in ran.items() if time.tests >= before.get(name, none).tests}


def describe_growth(before: Mapping[str, FileTime], now: Mapping[str, FileTime]) -> list[str]:
    """Return a line for each of the ten files that grew most in seconds, the most first; none for a first run."""
    if not before:
        return []
    growth = {name: time.seconds - before.get(name, FileTime(0, 0.0)).seconds for name, time in now.items()}
    largest = sorted(growth, key=lambda name: growth[name], reverse=True)[:_MOST_NAMED]
    return [
        f"seconds: {name} took {now[name].seconds:.1f} s, {growth[name]:+.1f} s, with {now[name].tests} tests"
        for name in largest
        if growth[name] >= _LEAST_GROWTH_S
    ]


def read_table(path: Path) -> dict[str, FileTime]:
    """Return the times on record by file; none where there is no table."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["file"]: FileTime(int(row["tests"]), float(row["seconds"])) for row in csv.DictReader(lines)}


def write_table(path: Path, times: Mapping[str, FileTime]) -> None:
    """Write the times as CSV: file, number of tests, seconds with one decimal."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(_COLUMNS)
        table.writerows((name, time.tests, f"{time.seconds:.1f}") for name, time in sorted(times.items()))
