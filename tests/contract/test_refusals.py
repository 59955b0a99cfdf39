"""Whatever a service refuses, its caller reads why in Vietnamese too: problems, fields, and tokens."""

import ast
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

import forwarder.api.refusals
import prober.api.refusals
import reporting.api.refusals
from vonggac.http.problems import OF_LIBRARY, OTHERWISE, Translator
from vonggac.http.problems.requests import OF_NOUNS, OF_STATUSES

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Translator] = {
    "forwarder": forwarder.api.refusals.VIETNAMESE,
    "prober": prober.api.refusals.VIETNAMESE,
    "reporting": reporting.api.refusals.VIETNAMESE,
}
SAYS = {"FieldError": "message", "invalid": 1, "_refuse": 1, "ValueError": 0}
"""Where a call has the sentence about a field."""
RAISES = {"ProblemError": 1, "_later": 1, "unavailable": None}
UNTOLD = OTHERWISE.partition("{")[0]


def text_of(node: ast.expr | None) -> str | None:
    """A literal sentence; each value in it is `1`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values)
    return None


def trees(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        yield path.name, ast.parse(path.read_text("utf-8"))


def codes_of(*folders: str) -> set[str]:
    """The code of each problem that is made there."""
    calls = (node for _, tree in trees(*folders) for node in ast.walk(tree) if isinstance(node, ast.Call))
    named = {
        text_of(call.args[1])
        for call in calls
        if getattr(call.func, "id", "") in {"ProblemError", "_later"} and len(call.args) > 1
    }
    return {code for code in named if code is not None}


def field_sentences(*folders: str) -> set[tuple[str, str]]:
    """Each sentence about a field: given as such, or raised where a model is validated."""
    found: set[tuple[str, str]] = set()
    for name, tree in trees(*folders):
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            found |= {(name, text) for text in _sentences_in(function)}
    return found


def _sentences_in(function: ast.AST) -> Iterator[str]:
    written = {
        node.targets[0].id: text_of(node.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
        place = SAYS.get(getattr(call.func, "id", ""))
        given: ast.expr | None = None
        if isinstance(place, int) and len(call.args) > place:
            given = call.args[place]
        elif isinstance(place, str) and not any(keyword.arg == "message_vi" for keyword in call.keywords):
            given = next((keyword.value for keyword in call.keywords if keyword.arg == place), None)
        text = written.get(given.id) if isinstance(given, ast.Name) else text_of(given)
        if text is not None and text.count(" ") > 2:
            yield text


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_code_of_a_problem_has_its_vietnamese(service: str) -> None:
    codes = codes_of(f"services/{service}/src", "shared/src/vonggac/http", "shared/src/vonggac/auth")
    assert len(codes) > 15
    assert codes - set(SERVICES[service].codes) == set()


@pytest.mark.parametrize(
    ("service", "name", "sentence"),
    sorted(
        (service, *each)
        for service in SERVICES
        for each in field_sentences(f"services/{service}/src/{service}/api", "shared/src/vonggac/http")
        if each[0] not in {"sorting.py", "archives.py", "document.py"}
    ),
)
def test_every_sentence_about_a_field_has_its_vietnamese(service: str, name: str, sentence: str) -> None:
    assert not SERVICES[service].of_field(sentence).startswith(UNTOLD), name


@pytest.mark.parametrize("sentence", sorted(field_sentences("shared/src/vonggac/http/lists")))
def test_every_sentence_of_the_library_has_its_vietnamese(sentence: tuple[str, str]) -> None:
    assert not OF_LIBRARY.of_field(sentence[1]).startswith(UNTOLD) or sentence[0] == "sorting.py"


def test_every_status_that_a_service_answers_has_a_title_in_vietnamese() -> None:
    calls = (
        node
        for _, tree in trees("services", "shared/src")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "HTTPStatus"
    )
    answered = {HTTPStatus[call.attr].value for call in calls if call.attr.isupper()}
    assert {status for status in answered if status >= 400} - set(OF_STATUSES) == set()


def test_a_service_translates_its_own_sentence_with_its_values() -> None:
    detail = "no agency with the code or id 'SYT-9' is known; give one that inventory lists"
    translated = SERVICES["reporting"].of_field(detail)
    assert translated == "không có cơ quan 'SYT-9': dùng mã hoặc mã định danh như trong sổ"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_noun_that_is_not_found_is_said_in_vietnamese(service: str) -> None:
    calls = (
        node for _, tree in trees(f"services/{service}/src") for node in ast.walk(tree) if isinstance(node, ast.Call)
    )
    nouns = {text_of(call.args[0]) for call in calls if getattr(call.func, "id", "") == "not_found" and call.args}
    assert {noun for noun in nouns if noun is not None} - set(OF_NOUNS) == set()
    for noun in sorted(noun for noun in nouns if noun is not None):
        detail = SERVICES[service].of_detail("not_found", f"there is no {noun} 4f1c")
        assert detail == f"không có {OF_NOUNS[noun]} 4f1c, hoặc tài khoản không được xem"


def test_a_title_says_what_the_status_means() -> None:
    assert OF_LIBRARY.of_status(404) == "Không tìm thấy"
    assert OF_LIBRARY.of_status(418) is None
