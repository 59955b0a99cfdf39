"""Text of a cell: one normal form; legacy encodings and invisible signs are refused, never taken away in silence."""

import re
import unicodedata

from inventory.domain.text import legacy_of
from inventory.importing.columns import Kind
from inventory.importing.mistakes.secrets import was_hidden
from inventory.importing.mistakes.texts import refuse
from vonggac.http.formulas import FORMULA_STARTS
from vonggac.texts import INVISIBLE

_SPACES = re.compile("[\u00a0\u2007\u202f\u3000]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ERROR = re.compile(r"#(?:REF!|N/A|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!)")
_QUOTED_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_SCIENTIFIC = re.compile(r"-?\d(?:[.,]\d+)?E\+\d{1,3}")
_NOT_DIGIT = re.compile(r"[ .()-]")
_DIGITS_WITHOUT_ZERO = range(8, 11)
_DAMAGED = re.compile("[\x80-\x9f\ufffd\ue000-\uf8ff]")


def normal(text: str) -> str:
    """`text` in NFC, no-break spaces as spaces, none at the ends."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", _SPACES.sub(" ", text)).strip()


def unquote_text(text: str) -> str:
    """Unquote a cell that Excel is to keep as text, `="0461"`; it runs nothing and refers to nothing."""
    found = _QUOTED_TEXT.fullmatch(text) if text.startswith('="') else None
    return normal(found[1].replace('""', '"')) if found is not None else text


def visible(text: str) -> str:
    """`text` as people see it, for headings: they are read, not stored."""
    return text if text.isascii() else normal(INVISIBLE.sub("", text))


def check_encoding(text: str) -> None:
    """Raise RefusalError for TCVN3, VNI or damaged text, control and invisible signs. `text` is in NFC."""
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


class LiteralCell(str):
    """A text behind an apostrophe that `escape_text` put there: it is meant as it stands."""

    __slots__ = ()


def escape_text(text: str, kind: Kind = Kind.TEXT) -> str:
    """Text of the register as a cell. One that a spreadsheet would run, or the import take for something else, gets an
    apostrophe in front; so does one that begins with an apostrophe, so that `unescape_text` reads each back.
    """
    return f"'{text}" if _is_taken_otherwise(text, kind) else text


def unescape_text(text: str, kind: Kind = Kind.TEXT) -> str:
    """Read a cell as it stands in the file; keep a formula's error apart from what `escape_text` wrote."""
    if text.startswith("'"):
        return LiteralCell(text[1:]) if _is_taken_otherwise(text[1:], kind) else text
    return ErrorCell(text) if text.startswith("#") and _ERROR.fullmatch(text) else text


def _is_taken_otherwise(text: str, kind: Kind) -> bool:
    return text != "" and (
        text[0] in FORMULA_STARTS
        or (text[0] == "#" and _ERROR.fullmatch(text) is not None)
        or was_hidden(text)
        or is_scientific(text)
        or (kind is Kind.PHONE and lacks_zero(text))
    )


def is_scientific(text: str) -> bool:
    """Whether this is how a spreadsheet shows a long number."""
    return text[-1:].isdecimal() and _SCIENTIFIC.fullmatch(text) is not None


def lacks_zero(phone: str) -> bool:
    """Whether this may be a phone number whose leading 0 a spreadsheet has dropped."""
    digits = _NOT_DIGIT.sub("", phone)
    return digits.isdecimal() and digits[0] in "23456789" and len(digits) in _DIGITS_WITHOUT_ZERO
