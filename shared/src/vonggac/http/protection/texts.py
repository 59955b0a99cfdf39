"""Texts of people in requests: what is not seen in them is refused, since it is shown to others."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

_KEPT = frozenset("\n\r\t")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co"})
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters by their category, and blank."""


def visible(text: str) -> str:
    """`text` without spaces around it. Raises ValueError for signs that nobody sees, and where nothing is left."""
    for sign in text:
        if (unicodedata.category(sign) in _UNSEEN and sign not in _KEPT) or sign in _FILLERS:
            msg = f"holds a control or an invisible character (U+{ord(sign):04X}): remove it, or type the text again"
            raise ValueError(msg)
    text = text.strip()
    if not text:
        msg = "is blank: write something"
        raise ValueError(msg)
    return text


VisibleText = Annotated[str, AfterValidator(visible)]
