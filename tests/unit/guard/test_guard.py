"""Faults on record can be made and their tests are there; the guard tells a red test from one that finds nothing."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.guard.copies import Outcome
from tests.unit.guard.faults import CONTEXT, ROOT, Fault, FaultError, Mend, Mutation, read_mends, read_mutations
from tests.unit.guard.guard import select

MENDS, MUTATIONS = read_mends(), read_mutations()
CORES = {"backoff", "delivery", "ledger", "partition", "policy", "progress", "timeline", "verification"}
MENDED = "mended"
"""Mutations in place of mends whose lines have changed since."""


def git(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=ROOT, input=given, capture_output=True, text=True, check=False)


LEAST_FAULTS = 104
"""It only rises."""


def test_faults_are_on_record_of_each_pure_core_and_of_the_history() -> None:
    assert len(MENDS) + len(MUTATIONS) >= LEAST_FAULTS
    assert len({each.commit for each in MENDS}) == len(MENDS)
    assert {each.core for each in MUTATIONS} == CORES | {MENDED}
    assert len({each.key for each in MUTATIONS}) == len(MUTATIONS)


def test_the_named_tests_are_there() -> None:
    faults: list[Fault] = [*MENDS, *MUTATIONS]
    tests = {each.test for each in faults}
    lost = {
        test
        for test in tests
        for file, _, name in [test.partition("::")]
        if not (ROOT / file).is_file() or not re.search(rf"def {name}\b", (ROOT / file).read_text("utf-8"))
    }
    assert lost == set(), "write the new name or place into tests/unit/guard"


def test_the_text_of_each_mutation_stands_once_in_its_file() -> None:
    lost = [each.key for each in MUTATIONS if (ROOT / each.file).read_text("utf-8").count(each.was) != 1]
    assert lost == [], "write what stands there now into tests/unit/guard/mutations.toml"


def test_each_mend_can_still_be_taken_back() -> None:
    if git("rev-parse", "--is-shallow-repository").stdout.strip() != "false":
        pytest.skip("no history here: git fetch --unshallow")
    lost = [each.commit for each in MENDS if not taken_back(each)]
    mend = "put a mutation of the same place into tests/unit/guard/mutations.toml, and take the mend out of mends.csv"
    assert lost == [], mend


def taken_back(mend: Mend) -> bool:
    change = git("show", "--format=", "--no-renames", f"-U{CONTEXT}", mend.commit, "--", *mend.files()).stdout
    return bool(change) and git("apply", "--check", "-R", "-", given=change).returncode == 0


@pytest.mark.parametrize(
    ("status", "text", "red"),
    [
        (1, "F\nFAILED a/test_b.py::test_c - assert 1 == 2\n1 failed", True),
        (1, "FAILED a/test_b.py::test_c\n1 failed", True),
        (1, "E\nERROR a/test_b.py::test_c - no server\n1 error", False),
        (2, "ERROR a/test_b.py - ImportError", False),
        (0, "1 passed", False),
        (4, "no such test", False),
        (-9, "", False),
    ],
)
def test_red_is_a_test_that_ran_and_failed(status: int, text: str, red: bool) -> None:
    assert Outcome(status, text, 1.0).red is red


def test_a_fault_is_chosen_by_its_place_its_words_or_its_test() -> None:
    fault = Mutation("ledger", "a/ledger.py", "x < y", "x <= y", "a/test_ledger.py::test_days")
    for text in ("ledger:", "a/ledger.py", "x <= y", "test_days", ""):
        assert select([fault], text) == [fault]
    assert select([fault], "timeline") == []


@pytest.mark.parametrize("text", ["nothing", "one two one"])
def test_a_text_that_is_not_there_once_is_no_mutation(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.py").write_text(text, "utf-8")
    with pytest.raises(FaultError, match=r"a\.py has 'one' \d times, not once"):
        Mutation("ledger", "a.py", "one", "three", "").apply(tmp_path)
    assert (tmp_path / "a.py").read_text("utf-8") == text


SCRIPT = """
import json, sys
from pathlib import Path
from tests.unit.guard.faults import Mutation
from tests.unit.guard.guard import Guard
file, test = "services/forwarder/src/forwarder/domain/backoff.py", sys.argv[2]
faults = [
    Mutation("backoff", file, "FIRST_CEILING_S = 0.5", "FIRST_CEILING_S = 1.0", test),
    Mutation("backoff", file, "never given up", "given up never", test),
]
with Guard(1, Path(sys.argv[1])) as guard:
    red = guard.judge(faults, anew=False)
    again = guard.judge(faults, anew=False)
print(json.dumps([sorted(red), sorted(again)]))
"""
BACKOFF = "services/forwarder/tests/domain/test_backoff.py::test_the_longest_wait_doubles_up_to_thirty_seconds"


@pytest.mark.server
@pytest.mark.slow
def test_a_fault_is_red_a_harmless_change_is_not_and_a_second_run_goes_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), BACKOFF], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    *lines, result = done.stdout.splitlines()
    (red,), again = json.loads(result)
    assert "FIRST_CEILING_S" in red
    assert again == [red]
    assert [line.partition(":")[0] for line in lines if line.startswith(("1/", "2/"))] == [
        "1/2 red", "2/2 NOT RED", "2/2 NOT RED",
    ]  # fmt: skip
    assert "1 found red in this tree before" in done.stdout
