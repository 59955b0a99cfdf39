"""Whatever rule refuses a file's row, its author reads why in Vietnamese."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import inventory
from inventory.importing.mistakes.translated import translate

SOURCE = Path(inventory.__file__).parent
ROOMS = ("domain", "nouns", "storage/conflicts.py")
RAISED_BY = {"ValueError", "invalid", "closed", "field_conflict"}
NOT_OF_FILES = {
    "domain/devices/scanned.py", "domain/mandate/surveying/attachments.py",
    "domain/mandate/surveying/metadata.py", "domain/states.py", "nouns/noun.py",
}  # fmt: skip
"""What no file brings: scans, attachments; and machines, whose refusals are Vietnamese themselves."""
NOT_OF_ROWS = (
    "no question has the key", "stays on record", "and stays", "a window keeps its line", "needs the right",
    "is not set", "does not answer", "another change is running",
)  # fmt: skip
"""Of removals, answers and credentials, which no row of a file is, and of the service itself."""


def text_of(node: ast.expr | None) -> str | None:
    """A literal sentence; each value in it is `1`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values)
    return None


def sentences() -> Iterator[tuple[str, str]]:
    for path in sorted(path for room in ROOMS for path in (SOURCE / room, *(SOURCE / room).rglob("*.py"))):
        name = path.relative_to(SOURCE).as_posix()
        if path.suffix != ".py" or name in NOT_OF_FILES:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            given: list[ast.expr | None] = []
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "msg":
                given = [node.value]
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED_BY:
                given = list(node.args)
            elif isinstance(node, ast.Tuple):
                given = list(node.elts[-1:])
            for text in map(text_of, given):
                if text is not None and text.count(" ") > 3 and text.isascii():
                    yield name, text


SENTENCES = sorted(set(sentences()))


def test_the_rules_of_the_register_are_found() -> None:
    assert len(SENTENCES) > 80


@pytest.mark.parametrize(("name", "sentence"), SENTENCES)
def test_a_refusal_of_a_rule_has_its_vietnamese(name: str, sentence: str) -> None:
    if not any(part in sentence for part in NOT_OF_ROWS):
        assert not translate(sentence).vietnamese.startswith("không hợp lệ: "), name


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
