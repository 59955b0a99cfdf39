"""The Vietnamese of what a service refuses: by patterns of its sentences, by kinds of mistakes, by codes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vonggac.http.problems.kinds import BY_KIND
from vonggac.http.problems.requests import OF_CODES, OF_NOUNS, OF_REQUESTS, OF_STATUSES, Sentences

_OF_TEXT = "should have at "
"""The length of a text: its kind is that of a list."""
OTHERWISE = "không hợp lệ: {english}"
"""What nobody translated yet keeps the English behind it."""


@dataclass(frozen=True, slots=True)
class Translator:
    """Translates what one service refuses: its own sentences and codes before those of the library."""

    sentences: Sentences
    codes: Mapping[str, str]

    @classmethod
    def of(cls, *sentences: Sentences, codes: Mapping[str, str]) -> "Translator":
        """Join a service's `sentences` and `codes` with the library's behind them."""
        own = tuple(each for group in (*sentences, OF_REQUESTS) for each in group)
        return cls(own, {**OF_CODES, **codes})

    def of_field(self, message: str, kind: str = "", values: Mapping[str, Any] | None = None) -> str:
        """Of a field's message; `kind` and `values`: what the type of the field refuses."""
        english = sentence_of(message)
        if kind in BY_KIND and not english.startswith(_OF_TEXT):
            return BY_KIND[kind].format_map(_Blank(values or {}))
        return self.find_sentence(english) or OTHERWISE.format(english=english)

    def of_detail(self, code: str, detail: str) -> str:
        """Of a problem: its detail's sentence, or that of its code."""
        return self.find_sentence(detail) or self.codes.get(code) or OTHERWISE.format(english=detail)

    def of_status(self, status: int) -> str | None:
        """Find the title of an answer's status; None: no service answers with it."""
        return OF_STATUSES.get(status)

    def find_sentence(self, english: str) -> str | None:
        """Find the Vietnamese of a sentence; None: nobody translated it yet."""
        for pattern, vietnamese in self.sentences:
            if found := pattern.search(english):
                values = found.groupdict()
                if "noun" in values:
                    values["noun"] = OF_NOUNS.get(values["noun"].replace("_", " "), values["noun"])
                return vietnamese.format(**values)
        return None


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


OF_LIBRARY = Translator.of(codes={})
"""Of what is refused before a service's routes: callers, sizes, connections."""


def sentence_of(message: str) -> str:
    """Make a sentence for who sent a value of what pydantic says of it."""
    return _LENGTH.sub(r"should have at \1 \2 characters", message.removeprefix("Value error, "))


# Of a text that a function of ours has read before its length was checked, pydantic says the words for a list.
_LENGTH = re.compile(r"^Value should have at (most|least) (\d+) items? after validation")
