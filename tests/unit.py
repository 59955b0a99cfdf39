"""`python -m tests.unit [pytest's arguments]` (`make test-unit`): the unit tests, by four processes side by side.

Each imports and collects its own part of the folders only. The workers of pytest-xdist collect all tests each, which
takes them longer than running theirs. Four for two cores: some tests wait for time-outs.

`--counted` as the first argument (`make coverage`): the heavy ones too, with lines and branches counted and the floor
of `tests/branches.toml` kept.

Arguments that name a file or a folder choose that one, in this process alone. Last line: how many tests, and how long.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = (
    ("shared/tests",),
    ("services/forwarder", "simulator/tests"),
    ("services/prober", "services/inventory", "local/tests"),
    ("services/reporting", "tests"),
)
_UNITS = "not server and not slow"
CHOSEN = ("-m", f"{_UNITS} and not heavy", "-p", "no:schemathesis", "--hypothesis-profile", "unit")
BRANCHES = "tests/branches.toml"
# The floor is that of all parts together.
COUNTED = (*("-m", _UNITS), *CHOSEN[2:], "--cov", f"--cov-config={BRANCHES}", "--cov-report=", "--cov-fail-under=0")
DATA = ".coverage.branches"
NONE_FOUND = int(pytest.ExitCode.NO_TESTS_COLLECTED)
_COUNTED = re.compile(r"(\d+) (passed|failed|errors?)\b")


def main(arguments: list[str]) -> int:
    """Exit status: pytest's of the part that went worst; that nothing was found only where none found anything."""
    if arguments[:1] == ["--counted"]:
        return _in_parts([*COUNTED, *arguments[1:]], counted=True) or _judge_coverage()
    if any((ROOT / argument.partition("::")[0]).exists() for argument in arguments if not argument.startswith("-")):
        return int(pytest.main(["-q", *CHOSEN, *arguments]))
    return _in_parts([*CHOSEN, *arguments])


def _in_parts(arguments: list[str], *, counted: bool = False) -> int:
    begun = time.monotonic()
    parts = [
        subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "--no-header", *folders, *arguments],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "COVERAGE_FILE": f"{DATA}.{number}"} if counted else None,
        )
        for number, folders in enumerate(PARTS)
    ]  # fmt: skip
    try:
        said = [_shown(part) for part in parts]
    except KeyboardInterrupt:
        for part in parts:
            part.wait()
        return int(pytest.ExitCode.INTERRUPTED)
    numbers: dict[str, int] = {}
    for text in said:
        for number, word in _COUNTED.findall(text.rstrip().rpartition("\n")[2]):
            numbers[word] = numbers.get(word, 0) + int(number)
    total = ", ".join(f"{number} {word}" for word, number in numbers.items())
    sys.stdout.write(f"{total or 'no tests'} in {time.monotonic() - begun:.1f} s\n")
    found = [part.returncode for part in parts if part.returncode != NONE_FOUND]
    return max(found, default=NONE_FOUND)


def _judge_coverage() -> int:
    """Put together what the parts counted, and print the total. Exit status: 2 below the floor."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "-q", f"--rcfile={BRANCHES}"], cwd=ROOT, check=True)
    sys.stdout.write("lines and branches of the unit tests, per cent:\n")
    sys.stdout.flush()
    return subprocess.call([*coverage, "report", "--format=total", "--precision=2", f"--rcfile={BRANCHES}"], cwd=ROOT)


def _shown(part: subprocess.Popen[str]) -> str:
    """What it writes, shown line by line meanwhile; those of the others wait in their pipes."""
    assert part.stdout is not None
    lines = []
    for line in part.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        lines.append(line)
    part.wait()
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
