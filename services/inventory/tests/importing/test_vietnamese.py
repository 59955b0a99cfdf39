"""Whatever refuses a file's row or a request, its author reads why in Vietnamese."""

import ast
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

import inventory
import vonggac.auth
import vonggac.http
from inventory.importing.mistakes.translated import VIETNAMESE, translate

SOURCE = Path(inventory.__file__).parent
SHARED = Path(vonggac.http.__file__).parent
RAISED_BY = {"ValueError", "invalid", "closed", "field_conflict", "FieldError"}
OF_VIETNAMESE = re.compile(r"[\u00e0-\u00fd\u0103\u0111\u01a1\u01b0\u1ea0-\u1ef9]", re.IGNORECASE)
"""A letter that English lacks: a sentence with it is a translation."""
NOT_OF_CALLERS = (
    "migrations/", "settings.py", "messaging.py", "domain/states.py", "nouns/noun.py", "nouns/registry.py",
    "__main__.py",
)  # fmt: skip
"""What is written by us: machines, whose refusals are Vietnamese themselves, tables and settings."""


def text_of(node: ast.expr | None) -> str | None:
    """A literal sentence; each value in it is `1`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values)
    return None


def sentences() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name.startswith(NOT_OF_CALLERS):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            given: list[ast.expr | None] = []
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "msg":
                given = [node.value]
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED_BY:
                given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "message")]
            elif isinstance(node, ast.Tuple):
                given = list(node.elts[-1:])
            for text in map(text_of, given):
                if text is not None and text.count(" ") > 3 and OF_VIETNAMESE.search(text) is None:
                    yield name, text


def problems_of(*folders: Path) -> Iterator[tuple[str, str | None]]:
    """The code of each problem that is made there, with its sentence where that stands before it."""
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        sentence: str | None = None
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for each in ast.walk(node):
                if isinstance(each, ast.Assign) and getattr(each.targets[0], "id", "") == "msg":
                    sentence = text_of(each.value)
                if isinstance(each, ast.Call) and getattr(each.func, "id", "") == "ProblemError":
                    code, said = text_of(each.args[1]), text_of(each.args[2]) if len(each.args) > 2 else None
                    if code is not None:
                        yield code, said or sentence


CODE_OF = {sentence: code for code, sentence in problems_of(SOURCE) if sentence is not None}
SENTENCES = sorted(set(sentences()))


def test_the_rules_of_the_register_are_found() -> None:
    assert len(SENTENCES) > 80


@pytest.mark.parametrize(("name", "sentence"), SENTENCES)
def test_a_refusal_of_a_rule_has_its_vietnamese(name: str, sentence: str) -> None:
    code = CODE_OF.get(sentence)
    assert code in VIETNAMESE.codes or not translate(sentence).vietnamese.startswith("không hợp lệ: "), name


def test_every_code_of_a_problem_has_its_vietnamese() -> None:
    codes = {code for code, _ in problems_of(SOURCE, SHARED, Path(vonggac.auth.__file__).parent)}
    assert len(codes) > 40
    assert codes - set(VIETNAMESE.codes) == set()
    of_framework = {status.name.lower() for status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)}
    assert of_framework - set(VIETNAMESE.codes) == set()


@pytest.mark.parametrize(
    ("sentence", "vietnamese"),
    [
        ("Value should have at most 200 items after validation, not 201", "quá dài: nhiều nhất 200 ký tự"),
        ("Value should have at least 1 item after validation, not 0", "quá ngắn: ít nhất 1 ký tự"),
        ("left_at must not be before entered_at", "left_at không được trước entered_at"),
        ("must not be before valid_from (2021-05-07)", "không được trước «Từ ngày» (2021-05-07)"),
        ("there is no destination TT-X; there are: IOC", "chưa có trung tâm nhận TT-X; hiện có: IOC"),
        ("area yard: camera C-9 is not among system.cameras", "khu vực yard: camera C-9 không có trong system.cameras"),
    ],
)
def test_a_sentence_keeps_its_values(sentence: str, vietnamese: str) -> None:
    assert translate(sentence, "too_long" if sentence.startswith("Value") else "").vietnamese == vietnamese
