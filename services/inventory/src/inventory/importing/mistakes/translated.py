"""What the rules refuse, in both languages: officials read why, whatever way they sent it."""

from collections.abc import Mapping
from typing import Any

from inventory.importing.mistakes.answers import BY_ANSWER, BY_CODE
from inventory.importing.mistakes.texts import Text
from inventory.importing.mistakes.vietnamese import BY_SENTENCE
from vonggac.http.problems import Translator, sentence_of

VIETNAMESE = Translator.of(BY_SENTENCE, BY_ANSWER, codes=BY_CODE)
"""Of every problem that the API answers, and of every row of a file."""


def translate(english: str, kind: str = "", context: Mapping[str, Any] | None = None) -> Text:
    """Add to the sentence of a rule its Vietnamese; what nobody translated yet keeps the English behind it."""
    return Text(sentence_of(english), VIETNAMESE.of_field(english, kind, context))
