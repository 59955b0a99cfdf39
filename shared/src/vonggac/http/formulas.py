"""Text in cells of files: what a spreadsheet would run as a formula gets an apostrophe in front.

One that begins with an apostrophe gets another, so that the text can be read back.
"""

FORMULA_STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20'"
"""The full-width forms are run in locales of East Asia (OWASP, CSV injection)."""


def escape_formula(text: str) -> str:
    """`text` in a form that no spreadsheet runs."""
    return f"'{text}" if text[:1] in FORMULA_STARTS and text else text


def unescape_formula(text: str) -> str:
    """Undo `escape_formula`; other text stays as it is."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in FORMULA_STARTS else text
