"""Folders of tests and of pages hold 12 entries at most, and tests stand where what they test stands.

Each exception has its reason; one that is no longer needed fails its test. `test_rooms` has the folders of the source.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.architecture.modules import ROOT, SOURCES, tracked

MAX_ENTRIES = 12
PLUMBING = {"__init__.py", "__main__.py", "conftest.py"}
TESTED = {
    source.parents[1] / "tests" if source.parent.name == "src" else ROOT / "tests" / source.name: source
    for source in SOURCES
}
"""Folders of tests, each with the package that it tests."""

LARGE_FOLDERS_OF_TESTS = {"shared/tests": "the parts of the library side by side, as in its source"}
LARGE_FOLDERS_OF_PAGES = {
    "docs": "where a reader begins: a page a subject, and a folder a kind of page",
    "docs/decisions": "a page a decision, by number",
    "docs/examples": "what `make examples` writes, and a page about it",
    "docs/operations/runbooks": "a page an alert, by its name",
}
OWN_FOLDERS_OF_TESTS = {
    "console/tests/browser": "the pages as Chromium shows them",
    "console/tests/browser/survey": "the page of surveys on a phone, its line cut",
    "services/inventory/tests/api/people": "their routes are those of every noun (`api/nouns`)",
    "services/inventory/tests/api/permissions": "what a caller may and sees, over all routes",
    "services/inventory/tests/api/places": "their routes are those of every noun (`api/nouns`)",
    "services/inventory/tests/fixtures": "files that people send, and what makes them",
    "services/prober/tests/causes": "a test for each cause, whichever part finds it",
    "services/reporting/tests/stage": "what tests are played on: a database, receivers, the letter's story",
    "services/reporting/tests/witness": "the second account, made without the product's code",
    "shared/tests/media/recorded": "recordings, and what made them",
}


def entries_by_folder(files: Iterable[Path]) -> dict[str, set[str]]:
    """What stands in each folder: files, and folders that have some."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in files:
        parts = file.relative_to(ROOT).parts
        for depth, name in enumerate(parts):
            found["/".join(parts[:depth])].add(name)
    return found


def large(folders: dict[str, set[str]]) -> set[str]:
    return {folder for folder, entries in folders.items() if len(entries - PLUMBING) > MAX_ENTRIES}


def files_of_tests(files: Iterable[Path]) -> list[Path]:
    return [file for file in files if "tests" in file.relative_to(ROOT).parts[:-1]]


def folders_without_source(tests: Iterable[Path], tested: dict[Path, Path]) -> set[str]:
    """Folders of tests for which the package has neither a folder nor a module of that name."""
    folders = {file.parent for file in tests}
    return {
        str(folder.relative_to(ROOT))
        for root, source in tested.items()
        for folder in folders
        if folder.is_relative_to(root)
        for stands in [source / folder.relative_to(root)]
        if not (stands.is_dir() or stands.with_suffix(".py").is_file())
    }


def test_a_folder_of_tests_holds_12_entries_at_most() -> None:
    folders = entries_by_folder(files_of_tests(tracked("*.py")))
    assert large({name: entries for name, entries in folders.items() if "tests" in Path(name).parts}) == set(
        LARGE_FOLDERS_OF_TESTS
    )


def test_a_folder_of_pages_holds_12_entries_at_most() -> None:
    assert large(entries_by_folder(tracked("docs"))) == set(LARGE_FOLDERS_OF_PAGES)


def test_tests_mirror_the_source() -> None:
    assert folders_without_source(files_of_tests(tracked("*.py")), TESTED) == set(OWN_FOLDERS_OF_TESTS)


def test_a_full_folder_and_one_without_source_are_found() -> None:
    def files(names: Sequence[str]) -> list[Path]:
        return [ROOT / "services/prober/tests" / name for name in names]

    full = entries_by_folder(files([f"api/test_{number}.py" for number in range(13)] + ["api/conftest.py"]))
    assert large(full) == {"services/prober/tests/api"}
    placed = files(["probes/camera/test_a.py", "probes/camera/worker/test_b.py", "probes/nowhere/test_c.py"])
    assert folders_without_source(placed, TESTED) == {"services/prober/tests/probes/nowhere"}


def test_the_places_of_the_table_of_moves_are_there() -> None:
    """The newest places of decision 0013, so that a reader of an old name finds what stands there today."""
    page = (ROOT / "docs/decisions/0013-rooms-are-nouns-of-the-field.md").read_text("utf-8")
    packages = {"shared": "vonggac"}
    rows = re.findall(r"^\| (\w+) \| `([\w./]+)` \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    sources = {source.name: source for source in SOURCES}
    missing = [
        f"{package} {folder}{name}"
        for package, folder, files in rows
        for name in re.findall(r"`(\w+)`", re.sub(r"\(was [^)]*\)", "", files))
        if not (sources[packages.get(package, package)] / folder / f"{name}.py").is_file()
    ]
    assert len(rows) > 40
    assert missing == []
