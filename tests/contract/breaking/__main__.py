"""`python -m tests.contract.breaking [REVISION]` (`make api-diff BASE=v0.1.0`): what breaks callers since a release.

Compares the OpenAPI and AsyncAPI documents of the four services with those of a revision: the newest tag `v*` if none
is given, and nothing where there is none yet. A line for each break. Exit status 1 where there is one.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.contract.breaking.contracts import compare_asyncapi, compare_openapi
from tests.contract.breaking.schemas import Documents

ROOT = Path(__file__).parents[3]
SERVICES = ("inventory", "prober", "forwarder", "reporting")


def main(arguments: list[str]) -> int:
    """Return the exit status."""
    revision = arguments[0] if arguments else newest_release()
    if not revision:
        sys.stdout.write("api-diff: nothing is released yet: give a revision, as in make api-diff BASE=main~100\n")
        return 0
    if _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        sys.stderr.write(f"api-diff: {revision!r} is no revision here: git fetch --tags, or name another one\n")
        return 2
    breaks = find_breaks(Documents(_reader_of(revision)), Documents(read_here))
    for line in breaks:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"api-diff: {len(breaks)} breaking changes since {revision}\n")
    return 1 if breaks else 0


def find_breaks(before: Documents, now: Documents) -> list[str]:
    """Return a line for each break, with the service's name."""
    return [
        f"{service}: {line}"
        for service in SERVICES
        for lines in (
            compare_openapi(f"services/{service}/src/{service}/api/openapi.json", before, now),
            compare_asyncapi(f"services/{service}/asyncapi.json", before, now),
        )
        for line in lines
    ]


def newest_release() -> str:
    """Return the newest tag of a release, or nothing."""
    return (_git("describe", "--tags", "--abbrev=0", "--match", "v*") or "").strip()


def _reader_of(revision: str) -> Callable[[str], str | None]:
    return lambda path: _git("show", f"{revision}:{path}")


def read_here(path: str) -> str | None:
    file = ROOT / path
    return file.read_text("utf-8") if file.exists() else None


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
