"""Every text of the pages has its Vietnamese, with the same fields in it, and nothing is left over."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import console
from console.words import catalogue

PACKAGE = Path(console.__file__).parent
FIELD = re.compile(r"%\(\w+\)[sd]|\{\w+(?::\w+)?\}")
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None}


def texts() -> Iterator[str | tuple[str, ...]]:
    """Every text of sources and templates that is to be translated."""
    found = extract_from_dir(
        str(PACKAGE),
        method_map=[("**.py", "python"), ("**/templates/**.html", "jinja2")],
        options_map={"**/templates/**.html": {"newstyle_gettext": "true", "silent": "false"}},
        keywords=KEYWORDS,
    )
    for _, _, text, _, _ in found:
        yield text if isinstance(text, str) else tuple(text)


def translated() -> dict[str, Message]:
    with (catalogue.FOLDER / "vi.po").open("rb") as file:
        return {(each.id if isinstance(each.id, str) else each.id[0]): each for each in read_po(file) if each.id}


def test_every_text_of_the_pages_is_translated() -> None:
    found = {text if isinstance(text, str) else text[0] for text in texts()}
    assert len(found) > 100
    known = {name for name, message in translated().items() if message.string and not message.fuzzy}
    assert sorted(found - known) == []


def test_no_translation_is_left_over() -> None:
    found = {text if isinstance(text, str) else text[0] for text in texts()}
    assert sorted(set(translated()) - found) == []


def test_a_translation_has_the_fields_of_its_text() -> None:
    wrong = []
    for name, message in translated().items():
        given = message.string if isinstance(message.string, str) else (message.string or [""])[0]
        if sorted(FIELD.findall(name)) != sorted(FIELD.findall(given)):
            wrong.append(name)
    assert wrong == []


def test_a_text_that_lacks_its_translation_is_found(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.html").write_text("{{ _('Never translated') }}", "utf-8")
    found = list(extract_from_dir(str(tmp_path), method_map=[("**/*.html", "jinja2")], keywords=KEYWORDS))
    assert [text for _, _, text, _, _ in found] == ["Never translated"]
    assert "Never translated" not in translated()


@pytest.mark.parametrize(("given", "chosen"), [("vi", "vi"), ("en", "en"), (None, "vi"), ("fr", "vi"), ("", "vi")])
def test_pages_are_vietnamese_unless_english_was_chosen(given: str | None, chosen: str) -> None:
    assert catalogue.choose_language(given) == chosen


def test_words_differ_by_language() -> None:
    assert catalogue.translations("vi").gettext("Overview") == "Tổng quan"
    assert catalogue.translations("en").gettext("Overview") == "Overview"
