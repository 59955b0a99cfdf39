"""What pages name is there: tests, files, links and make targets; and they use the words of the glossary."""

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from tests.architecture.modules import tree

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TESTED_PAGE = DOCS / "architecture.md"
PAGES = sorted(
    {
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *(ROOT / name / "README.md" for name in ("local", "shared", "simulator")),
        *ROOT.glob("services/*/README.md"),
        *ROOT.glob("deploy/**/*.md"),
        *DOCS.rglob("*.md"),
    }
)
TOP = "bench|deploy|docs|local|services|shared|simulator|tests"
NAMED_PATH = re.compile(rf"`((?:{TOP})/[\w./*<>-]*)`")
NAMED_TEST = re.compile(r"`([\w/.-]+\.py)::(\w+)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
TARGET = re.compile(r"`make ([a-z-]+)")
RETIRED = re.compile(
    r"\b(looks?|looked|looking|told|tells?|telling|knock\w*|doors?|surroundings?|presence|manners|undisturbed|lanes?"
    r"|confirmations?|sampled)\b",
    re.IGNORECASE,
)
OWN_WORDS = {DOCS / "glossary.md", DOCS / "decisions/0013-rooms-are-nouns-of-the-field.md"}
"""Pages that list the retired words."""


def named(pattern: re.Pattern[str], page: Path) -> Iterator[tuple[str, ...]]:
    for found in pattern.finditer(page.read_text("utf-8")):
        yield found.groups()


def is_there(name: str) -> bool:
    """Whether a path, perhaps with `*` or `<name>`, leads somewhere."""
    return any(ROOT.glob(re.sub(r"<[^>]*>", "*", name).rstrip("/")))


def functions_of(path: Path) -> set[str]:
    return {node.name for node in tree(path).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def by_page(wrong: Callable[[Path], Collection[str]], pages: Iterable[Path] = PAGES) -> dict[str, Collection[str]]:
    """What is wrong, by the page it stands in; pages without fault are left out."""
    return {str(page.relative_to(ROOT)): found for page in pages if (found := wrong(page))}


def test_named_tests_exist() -> None:
    assert (
        by_page(
            lambda page: [
                f"{file}::{name}"
                for file, name in named(NAMED_TEST, page)
                if not (ROOT / file).is_file() or name not in functions_of(ROOT / file)
            ]
        )
        == {}
    )


def test_every_row_of_the_failure_table_names_its_test() -> None:
    table = TESTED_PAGE.read_text("utf-8").partition("## What happens when something fails")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows
    assert [row for row in rows if not NAMED_TEST.search(row)] == []


def test_named_files_and_links_exist() -> None:
    def missing(page: Path) -> list[str]:
        links = [link for (link,) in named(LINK, page) if not (page.parent / link).exists()]
        return links + [path for (path,) in named(NAMED_PATH, page) if not is_there(path)]

    assert by_page(missing) == {}


def test_named_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert by_page(lambda page: {target for (target,) in named(TARGET, page)} - targets) == {}


def test_pages_use_no_retired_word() -> None:
    def retired(page: Path) -> list[str]:
        lines = enumerate(page.read_text("utf-8").splitlines(), 1)
        return [f"{number}: {found[0]}" for number, line in lines for found in RETIRED.finditer(line)]

    assert by_page(retired, (page for page in PAGES if page not in OWN_WORDS)) == {}
