"""What pages name is there: tests, files, links and make targets; and they use the words of the glossary."""

import ast
import json
import re
import tokenize
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from tests.architecture.modules import modules, tracked, tree

from vonggac.events.registry import PAYLOADS_BY_PRODUCER
from vonggac.http.openapi.inlined_parts import inline_repeated_parts

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TESTED_PAGE = DOCS / "architecture.md"
PAGES = sorted(
    {
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
        *(ROOT / name / "README.md" for name in ("console", "local", "shared", "simulator")),
        *ROOT.glob("services/*/README.md"),
        *ROOT.glob("deploy/**/*.md"),
        *DOCS.rglob("*.md"),
    }
)
TOP = "bench|console|deploy|docs|local|services|shared|simulator|tests"
NAMED_PATH = re.compile(rf"`((?:{TOP})/[\w./*<>-]*)`")
NAMED_TEST = re.compile(r"`([\w/.-]+\.py)::(\w+)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
ANCHOR = re.compile(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
TARGET = re.compile(r"`make ([a-z-]+)")
RETIRED = re.compile(
    r"\b(looks?|looked|looking|told|tells?|telling|knock\w*|doors?|surroundings?|presence|manners|undisturbed|lanes?"
    r"|confirmations?|sampled)\b",
    re.IGNORECASE,
)
PHRASES = re.compile(
    r"`[^`]*`|\b(?:looks?|looked)[ -]up\b|\blooks? like\b|\btells?\b[^.;:]*?\b(?:apart|from)\b|\btold (?:apart|from)\b",
    re.IGNORECASE,
)
"""What comments may say: names in the code, and phrases for other things."""
SERVICES = ("inventory", "prober", "forwarder", "reporting")
ADDRESSES = {
    **{f"${name.upper()}": f"/{name}" for name in SERVICES},
    **{f"http://127.0.0.1:{port}": f"/{name}" for port, name in enumerate(SERVICES, 8101)},
    "$I/": "/inventory/v1/",
    "$R/": "/reporting/v1/",
}
"""How commands of the pages write the address of a service."""
REQUEST = re.compile(r"/(inventory|prober|forwarder|reporting)(/v1/[^\s\"'`?]*)(?:\?([^\s\"'`]*))?")
WITH_BODY = re.compile(r" (?:-d|--data|--data-binary|--json) ")
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


def test_every_row_of_the_threat_model_names_its_tests_and_every_part_has_one() -> None:
    table = (
        (ROOT / "SECURITY.md").read_text("utf-8").partition("## What if this part is taken")[2].partition("\n## ")[0]
    )
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")
    ]
    parts, tests = [row[0] for row in rows[1:]], [row[3] for row in rows[1:]]
    assert [part for part, named_here in zip(parts, tests, strict=True) if not NAMED_TEST.search(named_here)] == []
    logins = ("inventory", "the prober", "the forwarder", "reporting", "the console")
    users = [f"{name}'s login at NATS" for name in logins]
    roles = [f"{name}'s role at PostgreSQL" for name in ("inventory", "reporting")]
    tokens = ["a reader's token", "an operator's token", "the login `setup` at NATS"]
    places = ["a camera", "a centre", "the prober's host, or the forwarder's", "the image registry", "the browser"]
    for part in (*users, *roles, *tokens, *places):
        assert [one for one in parts if one.startswith(part)], part


def test_the_index_of_decisions_has_each_page_once_by_number() -> None:
    index = (DOCS / "decisions/README.md").read_text("utf-8")
    pages = sorted(page.name for page in DOCS.glob("decisions/0*.md"))
    assert re.findall(r"^\| \[\d{4}\]\(([^)]+)\)", index, re.MULTILINE) == pages


def test_one_camera_is_followed_in_a_dozen_hops() -> None:
    hops = re.findall(r"^\| (\d+) \| [^|]+ \| [^|]*\]\([^|]+ \|$", TESTED_PAGE.read_text("utf-8"), re.MULTILINE)
    assert [int(hop) for hop in hops] == list(range(1, len(hops) + 1))
    assert 8 <= len(hops) <= 12


def test_named_files_and_links_exist() -> None:
    def missing(page: Path) -> list[str]:
        links = [link for (link,) in named(LINK, page) if not (page.parent / link).exists()]
        return links + [path for (path,) in named(NAMED_PATH, page) if not is_there(path)]

    assert by_page(missing) == {}


def test_parts_of_pages_that_links_name_exist() -> None:
    def anchors(page: Path) -> set[str]:
        headings = HEADING.findall(page.read_text("utf-8"))
        return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}

    def missing(page: Path) -> list[str]:
        links = ((page.parent / file if file else page, part) for file, part in named(ANCHOR, page))
        return [part for target, part in links if target.suffix == ".md" and part not in anchors(target)]

    assert by_page(missing) == {}


def test_named_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert by_page(lambda page: {target for (target,) in named(TARGET, page)} - targets) == {}


def requests(page: Path) -> Iterator[str]:
    """The text of each curl command, with `/<service>` for the address."""
    for line in page.read_text("utf-8").splitlines():
        for command in line.split("curl ")[1:]:
            for written, service in ADDRESSES.items():
                command = command.replace(written, service)
            yield command


def operations() -> dict[tuple[str, str], list[tuple[re.Pattern[str], Any]]]:
    """By service and method: each route and its operation, those without parameters first."""
    found: dict[tuple[str, str], list[tuple[re.Pattern[str], Any]]] = {}
    for service in SERVICES:
        text = (ROOT / f"services/{service}/src/{service}/api/openapi.json").read_text("utf-8")
        paths = inline_repeated_parts(json.loads(text))["paths"]
        for path, method in product(
            sorted(paths, key=lambda path: path.count("{")), ("get", "post", "put", "patch", "delete")
        ):
            if method in paths[path]:
                route = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
                found.setdefault((service, method), []).append((route, paths[path][method]))
    return found


def test_named_requests_are_routes_and_send_what_those_need() -> None:
    routes = operations()

    def wrong(page: Path) -> list[str]:
        mistakes = []
        for command in requests(page):
            for service, path, query in REQUEST.findall(command):
                given = re.search(r"-X (\w+)", command)
                method = given[1].lower() if given else "post" if WITH_BODY.search(command) else "get"
                operation = next((what for route, what in routes[service, method] if route.fullmatch(path)), None)
                if operation is None:
                    mistakes.append(f"{method} {path}: no route of {service}")
                    continue
                parameters = operation.get("parameters", [])
                needed = {one["name"] for one in parameters if one["in"] == "header" and one.get("required")}
                mistakes += [f"{method} {path}: without {name}" for name in needed if name not in command]
                asked = {part.partition("=")[0] for part in query.split("&") if part}
                unknown = asked - {one["name"] for one in parameters}
                mistakes += [f"{method} {path}: {name} is no parameter" for name in unknown]
        return mistakes

    assert by_page(wrong) == {}


def test_names_of_the_five_questions_stand_in_the_files_beside_them() -> None:
    part = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("### Where would I add")[2].partition("\n## ")[0]
    answers = [line for line in part.splitlines() if line.startswith("- **")]
    assert len(answers) == 5
    for answer in answers:
        named_here = [ROOT / path for path in NAMED_PATH.findall(answer)]
        files = [file for path in named_here for file in ([path] if path.is_file() else path.rglob("*.py"))]
        words = {word for file in files for word in re.findall(r"\w+", file.read_text("utf-8"))}
        assert set(re.findall(r"`([A-Za-z_]{2,})`", answer)) - words == set(), answer


def test_the_readme_of_reporting_names_every_fact_that_it_publishes() -> None:
    text = (ROOT / "services/reporting/README.md").read_text("utf-8")
    facts = [model.event_type.split(".")[-2] for model in PAYLOADS_BY_PRODUCER["reporting"]]
    assert facts
    assert [fact for fact in facts if f"`{fact}`" not in text] == []


def test_pages_use_no_retired_word() -> None:
    def retired(page: Path) -> list[str]:
        lines = enumerate(page.read_text("utf-8").splitlines(), 1)
        return [f"{number}: {found[0]}" for number, line in lines for found in RETIRED.finditer(line)]

    assert by_page(retired, (page for page in PAGES if page not in OWN_WORDS)) == {}


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Comments and docstrings of a file, each with its line."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
                yield token.start[0], token.string


def test_comments_of_source_and_tests_use_no_retired_word() -> None:
    def retired(path: Path) -> list[str]:
        # Only a file with a suspicious line is read as tokens.
        lines = path.read_text("utf-8").splitlines()
        suspicious = any(RETIRED.search(line) and RETIRED.search(PHRASES.sub("", line)) for line in lines)
        return [
            f"{number}: {found[0]}"
            for number, text in (comments(path) if suspicious else ())
            for found in RETIRED.finditer(PHRASES.sub("", text))
        ]

    listing = {Path(__file__), Path(__file__).with_name("test_rooms.py")}
    tests = (path for path in tracked("*.py") if "tests" in path.relative_to(ROOT).parts and path not in listing)
    assert by_page(retired, (*modules().values(), *tests)) == {}


OLD_TONES = re.compile(r"(?<![^\W\d_])(?!qu)[^\W\d_]*?(?:o[áàảãạéèẻẽẹ]|u[ýỳỷỹỵ])(?![^\W\d_])", re.IGNORECASE)
READ_BOTH = {"services/inventory/src/inventory/domain/text.py", "services/inventory/src/inventory/minutes/wording.py"}
"""Readers that know both spellings."""


def test_vietnamese_sets_its_tones_as_the_letter_does() -> None:
    """«Ủy ban», «hủy», «xóa»: one spelling in all that is shown; files may have the other."""
    shown = tracked(
        "services/*/src/**/*.py",
        "local/src/**",
        "shared/src/**/*.py",
        "deploy/prometheus/*.yml",
        "deploy/k8s/vonggac/files/rules/*.yml",
        "docs/**/*.md",
    )
    found = {str(path.relative_to(ROOT)): OLD_TONES.findall(path.read_text("utf-8")) for path in shown}
    assert {name: words for name, words in found.items() if words and name not in READ_BOTH} == {}
