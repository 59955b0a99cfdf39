"""Mistakes that the fields' own rules find, in both languages."""

from collections.abc import Mapping
from typing import Any

from inventory.importing.mistakes.texts import Text
from inventory.importing.mistakes.vietnamese import BY_SENTENCE, BY_TYPE
from vonggac.http.problems import sentence_of

_OF_TEXT = "should have at "
"""The length of a text: its kind is that of a list."""
_OTHERWISE = "không hợp lệ: {english}"


def translate(english: str, kind: str = "", context: Mapping[str, Any] | None = None) -> Text:
    """The sentence of a rule with its Vietnamese; what nobody translated yet keeps the English behind it."""
    english = sentence_of(english)
    if kind in BY_TYPE and not english.startswith(_OF_TEXT):
        return Text(english, BY_TYPE[kind].format_map(_Blank(context or {})))
    for pattern, vietnamese in BY_SENTENCE:
        if found := pattern.search(english):
            return Text(english, vietnamese.format(**found.groupdict()))
    return Text(english, _OTHERWISE.format(english=english))


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"
