"""Single cells: text, numbers and dates as Excel writes them, both ways."""

import re
from datetime import date

_FORMULA = frozenset("=+-@\t\r'")
_VIETNAMESE_DATE = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_WORDS = {"có": "true", "co": "true", "x": "true", "không": "false", "khong": "false"}


def escape(text: str) -> str:
    """`text` in a form that no spreadsheet runs as a formula."""
    return f"'{text}" if text[:1] in _FORMULA and text else text


def unescape(text: str) -> str:
    """The inverse of `escape`; other text stays as it is."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in _FORMULA else text


def decimal_point(text: str) -> str:
    """A decimal comma becomes a point."""
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text


def iso_date(text: str) -> str:
    """`07/5/2021` becomes `2021-05-07`; other text stays for the field's own check."""
    found = _VIETNAMESE_DATE.fullmatch(text)
    return f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}" if found else text


def true_or_false(text: str) -> str:
    """`có`, `không` and `x` become true and false."""
    return _WORDS.get(text.lower(), text.lower())


def to_cell(value: object, *, decimal_comma: bool = False) -> str:
    """A value as a cell; the import reads the same value from it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        shown = f"{value:.15g}" if float(f"{value:.15g}") == value else repr(value)
        return escape(shown.replace(".", ",") if decimal_comma else shown)
    if isinstance(value, date):
        return value.isoformat()
    return escape(str(value))
