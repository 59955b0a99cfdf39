"""Problems in Vietnamese: officials read why something is refused, whatever way they sent it."""

from inventory.importing.mistakes.answers import BY_CODE
from inventory.importing.mistakes.translated import in_vietnamese, translate
from vonggac.http.problems import Vietnamese


def _of_detail(code: str, detail: str) -> str:
    return in_vietnamese(detail) or BY_CODE.get(code) or translate(detail).vietnamese


VIETNAMESE = Vietnamese(
    of_field=lambda message, kind, context: translate(message, kind, context).vietnamese, of_detail=_of_detail
)
