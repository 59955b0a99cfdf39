"""Makes each fault in a copy, runs its test, and keeps what was found, so that a stopped run goes on."""

import contextlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import Self

from tests.unit.files import has_chosen_tests
from tests.unit.guard.copies import Outcome, Run, copy_again, import_packages, make_copy, snapshot
from tests.unit.guard.faults import ROOT, Fault, FaultError, Mend

RESULTS = ROOT / ".tools/guard"
"""A file a tree: the faults that were found red."""
UNITS = ("-m", "not server and not slow")
_FAILED = re.compile(r"^FAILED ([^\s\[]+)", re.MULTILINE)
_TEST = re.compile(r"^[+@].*?def (test_\w+)", re.MULTILINE)


def select[F: Fault](faults: Iterable[F], text: str) -> list[F]:
    """Return the faults whose line has the text."""
    return [each for each in faults if text in f"{each.key} {each.title} {each.test}"] if text else list(faults)


class Guard:
    """Copies of the working tree, thrown away at the end."""

    def __init__(self, workers: int, results: Path = RESULTS) -> None:
        """Make nothing yet: `workers` runs go side by side."""
        self._workers = workers
        self._tree = snapshot()
        self._results = results / f"{self._tree}.jsonl"
        self._place = tempfile.TemporaryDirectory(prefix="guard-", ignore_cleanup_errors=True)
        self._running: list[Run] = []

    def __enter__(self) -> Self:
        import_packages()
        self._copies = [make_copy(self._tree, Path(self._place.name) / "1")]
        return self

    def __exit__(self, *_: object) -> None:
        for run in self._running:
            run.stop()
            run.finish()
        self._place.cleanup()

    def judge(self, faults: Sequence[Fault], *, anew: bool) -> set[str]:
        """Return the keys of the faults whose test turned red, now or earlier in this tree."""
        red = set() if anew else self._read() & {each.key for each in faults}
        left = [each for each in faults if each.key not in red]
        if red:
            sys.stdout.write(f"{len(red)} found red in this tree before\n")
        if not left:
            return red
        self._check(sorted({each.test for each in left}))
        for number, (fault, outcome) in enumerate(self._run_all([(each, (each.test,)) for each in left]), len(red) + 1):
            is_red = isinstance(outcome, Outcome) and outcome.red
            if is_red:
                red.add(fault.key)
                self._keep(fault.key)
            said = f"{outcome.seconds:.0f} s" if isinstance(outcome, Outcome) else str(outcome)
            sys.stdout.write(f"{number}/{len(faults)} {_describe(outcome)}: {fault.title}: {fault.test} ({said})\n")
            sys.stdout.flush()
        return red

    def find(self, mends: Sequence[Mend]) -> int:
        """Print a line of mends.csv for the first test that turns red without each mend: unit tests, which are quick.

        Exit status 1 where there is none for any.
        """
        found = 0
        jobs = [(mend, (*UNITS, *tests)) for mend in mends if (tests := sorted(filter(_has_units, _tests_of(mend))))]
        for mend, outcome in self._run_all(jobs):
            failed = _FAILED.findall(outcome.text) if isinstance(outcome, Outcome) and outcome.red else []
            if failed:
                sys.stdout.write(f"{mend.key},{failed[0]}\n")
                sys.stdout.flush()
                found += 1
            else:
                sys.stderr.write(f"{mend.key}: {_describe(outcome)}\n")
        return 0 if found else 1

    def _check(self, tests: Sequence[str]) -> None:
        """Run all tests without a fault. Raises FaultError: one that is red without it proves nothing."""
        sys.stdout.write(f"{len(tests)} tests without a fault ... ")
        sys.stdout.flush()
        run = Run(self._copies[0], tests)
        self._running.append(run)
        outcome = run.finish()
        self._running.remove(run)
        if outcome.status:
            sys.stdout.write("\n")
            msg = f"{outcome.text}\nred without a fault, or not there: mend these tests or their names first"
            raise FaultError(msg)
        sys.stdout.write(f"green ({outcome.seconds:.0f} s)\n")

    def _run_all(self, jobs: Iterable[tuple[Fault, Sequence[str]]]) -> Iterator[tuple[Fault, Outcome | FaultError]]:
        """Yield each fault with how its tests ended, or why it could not be made, as they end."""
        left = list(jobs)
        while len(self._copies) < min(self._workers, len(left)):
            self._copies.append(copy_again(self._copies[0], Path(self._place.name) / str(len(self._copies) + 1)))
        free = list(self._copies)
        while left or self._running:
            while free and left:
                fault, tests = left.pop(0)
                copy = free.pop()
                try:
                    self._running.append(Run(copy, tests, fault))
                except FaultError as error:
                    free.append(copy)
                    yield fault, error
            if self._running:
                wait([run.process.sentinel for run in self._running], timeout=5)
            for run in [run for run in self._running if run.too_long]:
                run.stop()
            for run in [run for run in self._running if not run.process.is_alive()]:
                self._running.remove(run)
                free.append(run.copy)
                assert run.fault is not None
                yield run.fault, run.finish()

    def _read(self) -> set[str]:
        if not self._results.exists():
            return set()
        return {json.loads(line) for line in self._results.read_text("utf-8").splitlines()}

    def _keep(self, key: str) -> None:
        self._results.parent.mkdir(parents=True, exist_ok=True)
        with self._results.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(key) + "\n")


def _describe(outcome: Outcome | FaultError) -> str:
    if isinstance(outcome, FaultError):
        return "NOT MADE"
    if outcome.red:
        return "red"
    return "NOT RED" if outcome.status == 0 else f"NOT RUN (pytest's exit status {outcome.status})"


def _tests_of(mend: Mend) -> set[str]:
    """Return today's files with tests that a commit names in its changes."""
    change = _git("show", "--format=", "-U0", mend.commit, "--", "*test_*.py")
    names = set(_TEST.findall(change))
    if not names:
        return set()
    pattern = "|".join(rf"def {name}\b" for name in sorted(names))
    with contextlib.suppress(subprocess.CalledProcessError):
        return {
            f"{file}::{name}"
            for line in _git("grep", "-oE", pattern, "--", "*test_*.py").splitlines()
            for file, _, text in [line.partition(":")]
            for name in [text.removeprefix("def ")]
        }
    return set()


def _has_units(test: str) -> bool:
    return has_chosen_tests(ROOT / test.partition("::")[0], UNITS[1])


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
