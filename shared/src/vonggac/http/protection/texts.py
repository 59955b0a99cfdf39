"""Texts of people in requests: what is not seen in them is refused, since it is shown to others."""

import re
from typing import Annotated

from pydantic import AfterValidator

from vonggac.texts import INVISIBLE

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\uf8ff\U000f0000-\U0010ffff]")
"""Control characters but tabs and ends of lines, halves of characters, signs for private use."""


def visible(text: str) -> str:
    """`text` without spaces around it. Raises ValueError for signs that nobody sees, and where nothing is left."""
    found = _NOT_TEXT.search(text) or INVISIBLE.search(text)
    if found is not None:
        sign = f"U+{ord(found[0]):04X}"
        msg = f"holds a control or an invisible character ({sign}): remove it, or type the text again"
        raise ValueError(msg)
    text = text.strip()
    if not text:
        msg = "is blank: write something"
        raise ValueError(msg)
    return text


VisibleText = Annotated[str, AfterValidator(visible)]
