"""`q`: words that a row's texts must have, whatever their order, accents and case."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated

from fastapi import Query

LONGEST = 200
Words = Annotated[
    str | None,
    Query(
        max_length=LONGEST,
        description="Words that a row's codes, names and texts must have, in any order, with or without accents.",
    ),
]
"""The parameter `q` of a list."""

_MARKS = re.compile(r"[\u0300-\u036f]")
_SPACES = re.compile(r"\s+")


@lru_cache(maxsize=100_000)
def fold(text: str) -> str:
    """Fold text as search compares it, as the register's: no diacritics, đ as d, y as i, lower case, single spaces."""
    bare = _MARKS.sub("", unicodedata.normalize("NFD", text.lower())).replace("đ", "d").replace("y", "i")
    return _SPACES.sub(" ", bare).strip()


def matcher(q: str | None) -> Callable[..., bool]:
    """Whether texts, None among them, together have every word of `q`; without one all have."""
    words = fold(q or "").split()

    def matches(*texts: str | None) -> bool:
        whole = _fold_together(texts)
        for word in words:  # noqa: SIM110 - twenty thousand rows are searched at a time, and `all` costs as much again
            if word not in whole:
                return False
        return True

    return matches


@lru_cache(maxsize=100_000)
def _fold_together(texts: tuple[str | None, ...]) -> str:
    return " ".join(fold(text) for text in texts if text)
