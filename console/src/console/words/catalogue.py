"""The catalogue of the pages: English in the source, Vietnamese in `vi.po` (GNU gettext, read by Babel)."""

from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

VIETNAMESE, ENGLISH = "vi", "en"
LANGUAGES = (VIETNAMESE, ENGLISH)
FOLDER = Path(__file__).parent


def mark(text: str) -> str:
    """Name a text for the catalogue where it stands in a table; it is translated where it is shown."""
    return text


@cache
def translations(language: str) -> NullTranslations:
    """Of a language; what `vi.po` lacks is shown in English, and a test fails."""
    if language != VIETNAMESE:
        return NullTranslations()
    with (FOLDER / "vi.po").open("rb") as file:
        catalogue = read_po(file, locale=VIETNAMESE)
    binary = BytesIO()
    write_mo(binary, catalogue)
    binary.seek(0)
    return Translations(binary)


def choose_language(given: str | None) -> str:
    """Choose a cookie's language; Vietnamese where there is none. What browsers prefer says nothing of an office."""
    return given if given in LANGUAGES else VIETNAMESE
