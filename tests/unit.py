"""`python -m tests.unit [pytest's arguments]` (`make test-unit`): the unit tests, by two processes side by side.

Each imports and collects its own half of the folders only. The workers of pytest-xdist collect all tests each, which
takes them longer than running theirs.

Arguments that name a file or a folder choose that one, in this process alone. Last line: how many tests, and how long.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HALVES = (
    ("services/forwarder", "services/prober", "simulator/tests", "shared/tests"),
    ("services/inventory", "services/reporting", "local/tests", "tests"),
)
CHOSEN = ("-m", "not server and not slow and not heavy", "-p", "no:schemathesis", "--hypothesis-profile", "unit")
NONE_FOUND = int(pytest.ExitCode.NO_TESTS_COLLECTED)
_COUNTED = re.compile(r"(\d+) (passed|failed|errors?)\b")


def main(arguments: list[str]) -> int:
    """Exit status: pytest's of the half that went worse; that nothing was found only where neither found anything."""
    if any((ROOT / argument.partition("::")[0]).exists() for argument in arguments if not argument.startswith("-")):
        return int(pytest.main(["-q", *CHOSEN, *arguments]))
    begun = time.monotonic()
    halves = [
        subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "--no-header", *CHOSEN, *folders, *arguments],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for folders in HALVES
    ]  # fmt: skip
    try:
        said = [_shown(half) for half in halves]
    except KeyboardInterrupt:
        for half in halves:
            half.wait()
        return int(pytest.ExitCode.INTERRUPTED)
    counted: dict[str, int] = {}
    for text in said:
        for number, word in _COUNTED.findall(text.rstrip().rpartition("\n")[2]):
            counted[word] = counted.get(word, 0) + int(number)
    total = ", ".join(f"{number} {word}" for word, number in counted.items())
    sys.stdout.write(f"{total or 'no tests'} in {time.monotonic() - begun:.1f} s\n")
    found = [half.returncode for half in halves if half.returncode != NONE_FOUND]
    return max(found, default=NONE_FOUND)


def _shown(half: subprocess.Popen[str]) -> str:
    """What it writes, shown line by line meanwhile; the other one's waits in its pipe."""
    assert half.stdout is not None
    lines = []
    for line in half.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        lines.append(line)
    half.wait()
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
