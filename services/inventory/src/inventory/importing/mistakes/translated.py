"""What the rules refuse, in both languages: officials read why, whatever way they sent it."""

from collections.abc import Mapping
from typing import Any

from inventory.importing.mistakes.answers import BY_ANSWER, BY_CODE
from inventory.importing.mistakes.texts import Text
from inventory.importing.mistakes.vietnamese import BY_SENTENCE, BY_TYPE
from vonggac.http.problems import Vietnamese, sentence_of

_OF_TEXT = "should have at "
"""The length of a text: its kind is that of a list."""
_OTHERWISE = "không hợp lệ: {english}"


def translate(english: str, kind: str = "", context: Mapping[str, Any] | None = None) -> Text:
    """The sentence of a rule with its Vietnamese; what nobody translated yet keeps the English behind it."""
    english = sentence_of(english)
    if kind in BY_TYPE and not english.startswith(_OF_TEXT):
        return Text(english, BY_TYPE[kind].format_map(_Blank(context or {})))
    return Text(english, in_vietnamese(english) or _OTHERWISE.format(english=english))


def in_vietnamese(english: str) -> str | None:
    """The Vietnamese of a sentence; None: nobody translated it yet."""
    for pattern, vietnamese in (*BY_SENTENCE, *BY_ANSWER):
        if found := pattern.search(english):
            return vietnamese.format(**found.groupdict())
    return None


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def _of_detail(code: str, detail: str) -> str:
    return in_vietnamese(detail) or BY_CODE.get(code) or translate(detail).vietnamese


VIETNAMESE = Vietnamese(
    of_field=lambda message, kind, context: translate(message, kind, context).vietnamese, of_detail=_of_detail
)
"""Of every problem that the API answers."""
