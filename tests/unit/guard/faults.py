"""The faults that tests must find: mends of the history taken back, and mutations of the pure cores.

`mends.csv` has a commit that changed source and a test, and the test that turns red without it. `mutations.toml` has a
text of a file, what it becomes, and that test. A mend whose place has changed since is replaced by a mutation.
"""

import csv
import subprocess
import tomllib
from pathlib import Path
from typing import NamedTuple, Protocol

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
MENDS = HERE / "mends.csv"
MUTATIONS = HERE / "mutations.toml"
CONTEXT = 1
"""Lines around a change that must stand as they stood: more of them are another commit's business."""


class FaultError(Exception):
    """A fault cannot be made here; the text says why and what to do."""


class Fault(Protocol):
    """One change for the worse, and the test that finds it."""

    @property
    def key(self) -> str:
        """Name the fault in results and lines: the same as long as it is the same fault."""

    @property
    def title(self) -> str:
        """Say what is made worse."""

    @property
    def test(self) -> str:
        """Name the test that turns red, as pytest does."""

    def files(self) -> list[str]:
        """List the files that change, from the root of the repository."""

    def apply(self, copy: Path) -> None:
        """Change a copy of the repository. Raises FaultError where the place has changed since."""


class Mend(NamedTuple):
    """A commit whose source is taken back."""

    commit: str
    test: str

    @property
    def key(self) -> str:
        return self.commit

    @property
    def title(self) -> str:
        return _git("show", "--no-patch", "--format=%s", self.commit, of=self.commit).strip()

    def files(self) -> list[str]:
        listed = _git("show", "--format=", "--name-only", "--no-renames", self.commit, of=self.commit).splitlines()
        return [name for name in listed if "/src/" in name and name.endswith(".py")]

    def apply(self, copy: Path) -> None:
        change = _git("show", "--format=", "--no-renames", f"-U{CONTEXT}", self.commit, "--", *self.files())
        done = subprocess.run(
            ["git", "apply", "-R", "-"], input=change, cwd=copy, capture_output=True, text=True, check=False
        )
        if done.returncode:
            msg = f"{self.commit} is no longer taken back: put a mutation of the same place into {MUTATIONS.name}"
            raise FaultError(msg)


class Mutation(NamedTuple):
    """A text of a file that becomes another one."""

    core: str
    file: str
    was: str
    becomes: str
    test: str

    @property
    def key(self) -> str:
        return f"{self.file}: {self.was!r} -> {self.becomes!r}"

    @property
    def title(self) -> str:
        return f"{self.core}: {' '.join(self.was.split())} -> {' '.join(self.becomes.split())}"

    def files(self) -> list[str]:
        return [self.file]

    def apply(self, copy: Path) -> None:
        path = copy / self.file
        text = path.read_text("utf-8") if path.exists() else ""
        if text.count(self.was) != 1 or self.was == self.becomes:
            msg = f"{self.file} has {self.was!r} {text.count(self.was)} times, not once: mend it in {MUTATIONS.name}"
            raise FaultError(msg)
        path.write_text(text.replace(self.was, self.becomes), "utf-8")


def read_mends(path: Path = MENDS) -> list[Mend]:
    """Return the mends on record."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [Mend(row["commit"], row["test"]) for row in csv.DictReader(lines)]


def read_mutations(path: Path = MUTATIONS) -> list[Mutation]:
    """Return the mutations on record, a table of them for each core."""
    cores = tomllib.loads(path.read_text("utf-8"))
    return [Mutation(core, **each) for core, those in cores.items() for each in those]


def _git(*arguments: str, of: str = "") -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"commit {of} is not here: git fetch --unshallow" if of else done.stderr.strip()
        raise FaultError(msg)
    return done.stdout
