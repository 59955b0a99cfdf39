"""Closed lists of words: yes and no, and the choices of a column, in English or Vietnamese, with or without marks."""

from collections.abc import Mapping

from inventory.domain.text import fold
from inventory.importing.mistakes.texts import RefusalError, phrase, refuse

_YES = frozenset(map(fold, ("có", "x", "true", "yes", "1", "đúng", "✓", "v")))
_NO = frozenset(map(fold, ("không", "false", "no", "0", "sai", "k")))


def yes_no(cell: object) -> bool:
    """`có`, `x` or `true`; `không` or `false`. Raises RefusalError."""
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, int | float):
        cell = f"{cell:g}"
    word = fold(str(cell))
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise RefusalError(phrase("no_yes_no"))


def choice(cell: object, choices: Mapping[str, str], lookup: Mapping[str, str]) -> str:
    """Find the value of a listed word. `lookup`: folded word to value. Raises RefusalError that lists the words."""
    text = str(cell)
    if text in choices:
        return text
    found = lookup.get(fold(text))
    if found is None:
        refuse("no_choice", allowed=", ".join(choices), allowed_vi=", ".join(choices.values()))
    return found


def lookup_of(choices: Mapping[str, str]) -> dict[str, str]:
    """Folded Vietnamese word and folded value to the value."""
    words = {fold(word): value for value, word in choices.items()}
    words |= {fold(value): value for value in choices}
    return words | {fold(value.replace("_", " ")): value for value in choices}
