"""The `commit-msg` hook: `hook.py FILE`. Exit status 1, with a line for each rule that the message breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from message import find_mistakes


def main(path: str) -> int:
    """Return the exit status for the message in the file `path`."""
    listed = ["git", "diff", "--cached", "--name-only"]
    changed = subprocess.run(listed, capture_output=True, text=True, check=False).stdout.splitlines()
    changes_source = any("/src/" in name and name.endswith(".py") for name in changed)
    mistakes = find_mistakes(Path(path).read_text(encoding="utf-8"), changes_source=changes_source)
    for mistake in mistakes:
        sys.stderr.write(f"{path}: {mistake}\n")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
