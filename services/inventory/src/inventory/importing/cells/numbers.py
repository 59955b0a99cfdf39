"""Numbers: decimal comma or point, separators of thousands only where they cannot mean anything else."""

import math
import re

from inventory.importing.mistakes.texts import refuse

_SPACE = re.compile(r"(?<=\d) (?=\d{3})")
_PLAIN = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
_POINTS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+")
_COMMAS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+")


def decimal(cell: object) -> float:
    """Parse a decimal number. Raises RefusalError."""
    if isinstance(cell, bool):
        refuse("no_number")
    if isinstance(cell, int | float):
        number = float(cell)
    else:
        text = _SPACE.sub("", str(cell))
        if _PLAIN.fullmatch(text):
            number = float(text.replace(",", "."))
        elif _POINTS.fullmatch(text):
            number = float(text.replace(".", "").replace(",", "."))
        elif _COMMAS.fullmatch(text):
            number = float(text.replace(",", ""))
        else:
            refuse("no_number")
    if not math.isfinite(number):
        refuse("no_number")
    return number


def whole(cell: object) -> int:
    """Parse a whole number; `30,0` is one, `1.234` is not: it may mean either. Raises RefusalError."""
    try:
        number = decimal(cell)
    except ValueError:
        refuse("no_whole")
    if not number.is_integer() or (isinstance(cell, str) and re.search(r"[.,]\d{3}$", cell)):
        refuse("no_whole")
    return int(number)
