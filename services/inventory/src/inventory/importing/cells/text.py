"""Text of a cell: one normal form; legacy encodings and invisible signs are refused, never taken away in silence."""

import re
import unicodedata

from inventory.domain.text import legacy_of
from inventory.importing.mistakes.texts import refuse
from vonggac.texts import INVISIBLE

_SPACES = re.compile("[\u00a0\u2007\u202f\u3000]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ERROR = re.compile(r"'?#(?:REF!|N/A|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!)")
_QUOTED_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_DAMAGED = re.compile("[\x80-\x9f\ufffd\ue000-\uf8ff]")


def normal(text: str) -> str:
    """`text` in NFC, no-break spaces as spaces, none at the ends."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", _SPACES.sub(" ", text)).strip()


def unquote_text(text: str) -> str:
    """A cell that Excel is to keep as text, `="0461"`, as that text; it runs nothing and refers to nothing."""
    found = _QUOTED_TEXT.fullmatch(text) if text.startswith('="') else None
    return normal(found[1].replace('""', '"')) if found is not None else text


def visible(text: str) -> str:
    """`text` as people see it, for headings: they are read, not stored."""
    return text if text.isascii() else normal(INVISIBLE.sub("", text))


def check_encoding(text: str) -> None:
    """Raises RefusalError for TCVN3, VNI or damaged text, control and invisible signs. `text` is in NFC."""
    if text.isascii():
        if not text.isprintable() and _CONTROL.search(text):
            refuse("control")
        return
    if _CONTROL.search(text):
        refuse("control")
    legacy = legacy_of(text)
    if legacy is not None:
        refuse(f"legacy_{legacy}")
    if (found := INVISIBLE.search(text)) is not None:
        refuse("invisible", sign=f"U+{ord(found[0]):04X}")
    if _DAMAGED.search(text):
        refuse("damaged_text")


class ErrorCell(str):
    """The error of a formula, as a spreadsheet saves it."""

    __slots__ = ()


def escape_error(text: str) -> str:
    """Text of the register that looks like the error of a formula, as a cell that is read as text."""
    return f"'{text}" if text.startswith("#") and _ERROR.fullmatch(text) else text


def mark_error(text: str) -> str:
    """A cell as it stands in the file; one that is a formula's error is told from one that `escape_error` wrote."""
    if text[:1] not in {"#", "'"} or not _ERROR.fullmatch(text):
        return text
    return ErrorCell(text) if text.startswith("#") else text[1:]
