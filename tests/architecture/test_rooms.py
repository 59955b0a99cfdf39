"""Rooms and words: folders of 3 to 12 files, files of 40 to 400 lines, small classes, no retired word, no circle.

Each rule has its exceptions, with the reason. What a rule still has to mend stands in `OPEN`. Both lists are exact: an
entry that is no longer needed fails the test.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.architecture.modules import ROOT, SOURCES, circles, importers, imports, modules, statements, tracked

pytestmark = pytest.mark.usefixtures("trees")
MIN_FILES, MAX_FILES = 3, 12
MIN_LINES = 40
MAX_METHODS = 25

SMALL_ROOMS = {
    "reporting/migrations": "Alembic's layout",
}
LARGE_ROOMS = {
    "vonggac": "the parts of the library side by side, each a room (decision 0006)",
    "vonggac/media": "one part of the formats a file, each read by two services",
    "prober/api": "one noun of the API a file",
    "reporting/api": "one noun of the API a file, and the rooms of the larger ones",
    "prober/domain": "pure decisions side by side, each of one noun of probing",
    "prober/probes": "the rooms of probing, and what they share beside them",
    "prober/probes/camera": "a probe of a camera, from its job to what is published of it",
    "reporting": "the rooms that every service has, and its crafts side by side",
    "inventory/migrations/versions": "a file a step, in their order",
    "reporting/migrations/versions": "a file a step, in their order",
}
SMALL_FILES = {
    "console.pages.health": "one page a file",
    "bench.guard.outages": "what is played to the alert rules: no attack on a service, as all else there is",
    "bench.guard.idle": "a program: what a service's waits are compared with",
    "vonggac.children.start": "a program: `python -m` runs it before anything else is loaded",
    "forwarder.api.refusals": "what the service refuses, in Vietnamese, as its siblings have it",
    "prober.api.networks": "one noun of the API a file",
    "simulator.api.authority": "one noun of the API a file",
    "local.commands.clean": "one command a file",
    "local.commands.service": "one command a file",
    "inventory.domain.mandate.surveying.submission": "what the field sends, apart from what the office writes",
    "inventory.api.devices.cameras": "one noun of the API a file",
    "reporting.storage.mandate.security": "the reader of one table, as its siblings are",
    "inventory.api.files.marked": "the answer that is a file, beside the ones that are JSON",
    "inventory.api.files.templates": "one noun of the API a file",
    "inventory.domain.people.agency": "one noun a file",
    "inventory.importing.reading.file": "what kind of file it is, before any of it is read",
    "inventory.nouns.devices.deliveries": "one noun a file",
    "reporting.documents.as_json": "one form of the report a file",
    "reporting.domain.mandate.inspections": "a pure decision with its own tests",
    "reporting.feeds.national": "one feed a file",
    "reporting.ingest.facts.site_faults": "one kind of fact, with the statement that keeps it",
    "reporting.storage.availability.daily": "one question to the ledger, beside the table of facts that asks it",
    "reporting.storage.upkeep.refusals": "the reader of one column, as its siblings are",
    "reporting.storage.upkeep.revision": "the schema revision that this build needs",
    "prober.domain.picture.approval": "a pure decision with its own tests",
    "prober.domain.limits.shares": "a pure decision with its own tests",
    "simulator.cameras.description": "the camera's SDP, which session and tests read without a camera",
    "vonggac.rtsp.client.server_requests": "pure, beside the connection that does I/O",
    "bench.truth.skewed": "started as a program of its own, before the service that it starts",
    "console.live.routes": "the route of the stream, beside what runs in it",
    "console.pages.preferences": "routes that show no page",
    "console.sign_in.same_origin": "what stands before every route, with its own tests",
    "vonggac.testing.recordings": "imported by tests only",
    "vonggac.testing.secrets": "imported by tests only",
}
WORDS_OF_OTHERS = {
    "pause_writing": "asyncio.Protocol",
    "resume_writing": "asyncio.Protocol",
    "tell": "the protocol of files",
    "_look_up": "the phrase of name resolution",
    "_looks_like_message": "a phrase, no probe",
    "edge_share": "edges of a picture",
    "_usual_edge_px": "edges of a picture",
    "_wait_for_turn": "the order of calls, no lock",
    "held_camera": "a camera that a worker holds",
    "HeldCamera": "a camera that a worker holds",
    "held_since": "a camera that a worker holds",
    "held_by_another": "a camera that a worker holds",
}
ROOMS_THAT_IMPORT_EACH_OTHER = {
    "vonggac.net vonggac.telemetry": "what of an address is a secret, `net` knows, and its errors hide theirs",
    "forwarder.metrics forwarder.relay": "read from what runs, at the moment of the scrape",
    "reporting.feeds reporting.urging": "one set of tasks, back-off and seal for all that goes out",
    "reporting.migrations reporting.reports reporting.storage": "Alembic's scripts, and the check of their newest one",
    "local.commands local.demo local.own": "the demo says what is true of it, and what a user brings comes beside it",
    "simulator.clips simulator.config simulator.devices simulator.packets simulator.rtsp": (
        "a configuration names clips and faults, and each device is made of one"
    ),
}
"""Modules are in no circle anywhere; of these rooms each has one that the other needs."""
BARE_VERBS = {"take", "give", "tell", "forget", "look", "ask", "hold"}
"""They say what they do to what. `add` stands where a thing is a collection, as in Python."""
BARE_VERBS_OF_OTHERS = {
    "prober.probes.camera.stream_stats _take": "a measured hot path keeps its body",
    "reporting.tables.parquet_file tell": "the protocol of files",
    "vonggac.testing.processes forget": "what a server does, beside `remember`",
}
PARTICIPLES = {"shown", "owed", "known", "named", "found", "seen", "said"}
"""A function says what it does to what: `load_paper`, `open_obligations`. A property may be called by one of them."""
RETIRED = frozenset(
    re.findall(
        r"\w+",
        """
        look looks looked looking looker knock knocks knocking door doors giving giver taking taker told tell tells
        telling say presence answering orders surroundings standing mirror following manners asked turn turns past held
        holding backlog confirmation sampled lane courses undisturbed edge writing connecting
        """,
    )
)
"""The retired words of docs/glossary.md, and those of names that say nothing of what they hold."""
EVERYDAY = frozenset(
    re.findall(
        r"\w+",
        """
        door doors giving taking say answering orders following asked turn turns past held holding backlog
        edge writing connecting
        """,
    )
)
"""Of these, what variables may be called: the words have another sense that is no other word's."""

OPEN: dict[str, set[str]] = {
    "rooms": set(),
    "storeys": set(),
    "small files": set(),
    "methods": set(),
    "words": set(),
    "bare verbs": set(),
    "participles": set(),
}
"""What is still to be mended, rule by rule."""


def settle(rule: str, found: Iterable[str], excepted: Iterable[str] = ()) -> None:
    """What is found must be excepted or open, and what is excepted or open must be found."""
    now, known = set(found), {*excepted, *OPEN[rule]}
    assert sorted(now - known) == [], f"breaks the rule of {rule}"
    assert sorted(known - now) == [], f"is mended: take it off the list of {rule}"


def test_a_room_holds_3_to_12_files() -> None:
    entries: Counter[str] = Counter()
    for source in SOURCES:
        rooms = {path.parent for path in source.rglob("*.py")}
        for room in rooms:
            inside = [path for path in room.glob("*.py") if path.name not in {"__init__.py", "__main__.py"}]
            entries[str(room.relative_to(source.parent))] = len(inside) + sum(other.parent == room for other in rooms)
    settle(
        "rooms",
        (room for room, count in entries.items() if not MIN_FILES <= count <= MAX_FILES),
        {*SMALL_ROOMS, *LARGE_ROOMS},
    )


def test_a_small_file_has_two_importers_or_a_reason() -> None:
    small = (
        name
        for name, path in modules().items()
        if path.name not in {"__init__.py", "__main__.py"}
        and "migrations" not in path.parts
        and len(path.read_text("utf-8").splitlines()) < MIN_LINES
        and len(importers(name)) < 2
    )
    settle("small files", small, SMALL_FILES)


def test_a_class_has_25_methods_at_most() -> None:
    found = [
        f"{name}.{node.name}"
        for name, path in modules().items()
        for node in statements(path)
        if isinstance(node, ast.ClassDef)
        and sum(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in node.body) > MAX_METHODS
    ]
    settle("methods", found)


def definitions(path: Path) -> list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node for node in statements(path) if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def words_of(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name."""
    return set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", lambda capital: f"_{capital[1].lower()}", name)))


def test_no_name_uses_a_retired_word() -> None:
    found: list[str] = []
    for name, path in modules().items():
        names = [name.rpartition(".")[2], *(node.name for node in definitions(path))]
        found += [f"{name} {each}" for each in names if words_of(each) & RETIRED and each not in WORDS_OF_OTHERS]
    settle("words", found)


def variables(path: Path) -> set[str]:
    """Constants, attributes, variables and parameters that the statements of a file name."""
    found: set[str] = set()
    for node in statements(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            found |= {each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        for target in (part for each in targets if each is not None for part in ast.walk(each)):
            if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                found.add(target.id)
            elif isinstance(target, ast.Attribute) and isinstance(target.ctx, ast.Store):
                found.add(target.attr)
    return found


def test_no_variable_uses_a_retired_word() -> None:
    found = {
        f"{name} {each}"
        for name, path in modules().items()
        for each in variables(path)
        if words_of(each.lower() if each.isupper() else each) & (RETIRED - EVERYDAY)
    }
    assert found == set()


PHRASES = re.compile("look_up|looks_like|told_apart|tell_apart|told_from|tell_a_still_from")
"""Of names of tests, which are sentences."""


def of_tests(path: Path) -> set[str]:
    """Names of tests, of their helpers and of their variables that use a retired word."""
    refused = RETIRED - EVERYDAY - {"mirror"}
    names = {node.name: refused | {"say"} for node in definitions(path) if not node.name.startswith("test_")}
    names |= {node.name: refused for node in definitions(path) if node.name.startswith("test_")}
    names |= dict.fromkeys(variables(path) - names.keys(), refused)
    return {
        name
        for name, words in names.items()
        if words_of(PHRASES.sub("", name.lower() if name.isupper() else name)) & words
    }


def test_no_test_and_no_helper_of_tests_uses_a_retired_word() -> None:
    files = [path for path in tracked("*.py") if "tests" in path.relative_to(ROOT).parts]
    assert len(files) > 300
    assert {f"{path.relative_to(ROOT)} {name}" for path in files for name in of_tests(path)} == set()


def test_no_function_is_a_bare_verb() -> None:
    found = {
        f"{name} {node.name}"
        for name, path in modules().items()
        for node in definitions(path)
        if node.name.strip("_") in BARE_VERBS
    }
    settle("bare verbs", found, BARE_VERBS_OF_OTHERS)


def test_no_function_is_a_participle() -> None:
    found = {
        f"{name} {node.name}"
        for name, path in modules().items()
        for node in definitions(path)
        if node.name.strip("_") in PARTICIPLES and "property" not in map(ast.unparse, node.decorator_list)
    }
    settle("participles", found)


def test_every_exception_for_a_word_is_used() -> None:
    names = {node.name for path in modules().values() for node in definitions(path)} | {
        name.rpartition(".")[2] for name in modules()
    }
    assert set(WORDS_OF_OTHERS) - names == set()


def test_no_two_modules_import_each_other() -> None:
    assert circles(imports()) == []


def rooms_that_import_each_other(graph: dict[str, frozenset[str]]) -> set[str]:
    """Of the rooms that a package has side by side: those that reach each other, in a line."""

    def room(name: str) -> str:
        return ".".join(name.split(".")[:2])

    rooms: dict[str, set[str]] = {room(name): set() for name in graph}
    for name, reached in graph.items():
        package = name.split(".")[0]
        rooms[room(name)] |= {room(other) for other in reached if other.split(".")[0] == package} - {room(name)}
    return {" ".join(group) for group in circles({name: frozenset(reached) for name, reached in rooms.items()})}


def test_rooms_beside_one_another_are_storeys() -> None:
    settle("storeys", rooms_that_import_each_other(imports()), ROOMS_THAT_IMPORT_EACH_OTHER)


def test_rooms_that_import_each_other_are_found() -> None:
    graph = {
        "a.x.one": {"a.y.two"},
        "a.y.three": {"a.x.four"},
        "a.y.two": {"b.x"},
        "a.x.four": set(),
        "b.x": {"a.y.two"},
    }
    assert rooms_that_import_each_other({name: frozenset(reached) for name, reached in graph.items()}) == {"a.x a.y"}


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": {"f"}, "f": {"e"}}
    assert circles({name: frozenset(reached) for name, reached in graph.items()}) == [["e", "f"], ["a", "b", "c"]]


def test_the_retired_words_of_the_glossary_are_refused() -> None:
    table = (ROOT / "docs/glossary.md").read_text("utf-8").partition("## Retired words")[2]
    cells = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:]
    single = {word for cell in cells for word in re.sub(r"\([^)]*\)", "", cell).split(", ") if " " not in word.strip()}
    assert {word.strip() for word in single} - RETIRED == set()
