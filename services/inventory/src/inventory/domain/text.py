"""Vietnamese text: one normal form to store, one folded form to search, and no legacy encodings."""

import re
import unicodedata
from typing import Literal

from vonggac.texts import INVISIBLE

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_UNICODE = re.compile("[ăđĩũơưẠ-ỹ]", re.IGNORECASE)
# TCVN3 bytes read as Latin-1 put these signs inside words ("Tr¹m y tÕ"); real text never has them there.
_TCVN3 = re.compile("[^\\W\\d_][¨ª¬\xadµ-¹]|[¡-ª¬-®µ-¹][^\\W\\d_]")
# VNI writes a vowel and its marks as two letters ("Traïm y teá", "ñöôøng"); no Vietnamese word has these pairs.
_VNI = re.compile(
    "[aA][ùøûõïâáàåãäêéèúüëÙØÛÕÏÂÁÀÅÃÄÊÉÈÚÜË]|[eE][ùøûõïâáàåãäÙØÛÕÏÂÁÀÅÃÄ]|[oO][ùøûïâåäÙØÛÏÂÅÄ]|[uU][ùøûõïÙØÛÕÏ]"
    "|[yY][ùøûõÙØÛÕ]|[ôÔöÖ][ùøûõïÙØÛÕÏ]|[öÖ][ôÔ]|[ñÑ][aeiouôöâêAEIOUÔÖ][ùøûõïâåäêéèúüëÙØÛÕÏ]"
)
_DAMAGED = re.compile("[\x80-\x9f�\ue000-\uf8ff]")
# What stands behind the colon is no port.
_LOGIN = re.compile(
    r"://[^/?#\s@:]*:(?![0-9]{1,5}(?:[/?#\s]|\Z))[^\s\"'<>]{0,200}@"
    r"|(?<!\S)[^\s:/@]{1,64}:[^\s@]{1,128}@[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
)
_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
_BELOW_ALL = "\x01"


class _WithoutMarks(dict[int, str | None]):
    """For `str.translate`: combining marks go, everything else but what is given stays; each sign is searched once."""

    def __missing__(self, code: int) -> str | None:
        self[code] = None if unicodedata.combining(chr(code)) else chr(code)
        return self[code]


class _OnlyLetters(dict[int, str]):
    """For `str.translate`: what is no letter of the table goes."""

    def __missing__(self, _code: int) -> None:
        return None


ALSO_D = "đðɖ"
"""Letters that search takes for d. Some keyboards and old files have Ð (U+00D0) or Ɖ (U+0189), which show as Đ does."""
_WITHOUT_MARKS = _WithoutMarks(dict.fromkeys(map(ord, ALSO_D), "d"))
LETTERS_OF_ORDER: dict[str, tuple[str, str]] = {}
"""Each letter, of either case and with any tone, to a sign that stands where the letter does in the alphabet, and to
its tone."""
for _place, _letter in enumerate(_ALPHABET):
    for _tone, _mark in enumerate(_TONES):
        _composed = unicodedata.normalize("NFC", _letter + _mark)
        for _sign in (_composed, _composed.upper()):
            if len(_sign) == 1:
                LETTERS_OF_ORDER[_sign] = (chr(ord("A") + _place), str(_tone))
LETTERS_OF_ORDER.update((_sign, LETTERS_OF_ORDER["đ"]) for _like in ALSO_D for _sign in (_like, _like.upper()))
_LETTER_OF = {ord(_sign): _key[0] for _sign, _key in LETTERS_OF_ORDER.items()}
_TONE_OF = _OnlyLetters({ord(_sign): _key[1] for _sign, _key in LETTERS_OF_ORDER.items()})
LOGIN_ADVICE = (
    "holds an address with a login: leave user and password out, they belong into the credentials of a device"
)
LEGACY_ADVICE = "looks like TCVN3, VNI or damaged text: convert it to Unicode (UTF-8) and try again"


def clean(text: str) -> str:
    """`text` in NFC with single spaces, none at the ends. Raises ValueError for control, invisible or legacy signs."""
    if _CONTROL.search(text):
        msg = "holds a control character: remove it"
        raise ValueError(msg)
    if not text.isascii():
        text = _readable(text)
    return _SPACES.sub(" ", text).strip()


def _readable(text: str) -> str:
    if _SURROGATE.search(text):
        raise ValueError(LEGACY_ADVICE)
    text = unicodedata.normalize("NFC", text)
    if _DAMAGED.search(text) or legacy_of(text) is not None:
        raise ValueError(LEGACY_ADVICE)
    if (found := INVISIBLE.search(text)) is not None:
        msg = f"holds an invisible character (U+{ord(found[0]):04X}): remove it, or type the text again"
        raise ValueError(msg)
    return text


def clean_lines(text: str) -> str:
    """As `clean`, of a text that keeps its lines; empty lines at its ends go."""
    return "\n".join(clean(line) for line in text.replace("\r\n", "\n").split("\n")).strip("\n")


def holds_login(text: str) -> bool:
    """Whether a text has an address with user and password in it: what is stored as text is read by many."""
    return "@" in text and _LOGIN.search(text) is not None


def fold(text: str) -> str:
    """Fold text to the form that search compares: no diacritics, đ as d, y as i, lower case, single spaces.

    `hoà` and `hòa`, composed and decomposed input have the same folded form.
    """
    text = text.lower()
    bare = text if text.isascii() else unicodedata.normalize("NFD", text).translate(_WITHOUT_MARKS)
    return _SPACES.sub(" ", bare.replace("y", "i")).strip()


def order_key(text: str) -> str:
    """Build what a list by name is sorted by, sign by sign: the letters (a, ă, â, b, c, d, đ, e, ê …), the tones, the
    text.

    Tones come as dictionaries have them: none, huyền, hỏi, ngã, sắc, nặng. The text is in NFC, as it is stored.
    """
    tones = text.translate(_TONE_OF).rstrip("0")
    return f"{text.translate(_LETTER_OF)}{_BELOW_ALL}{tones}{_BELOW_ALL}{text}"


def person_order_key(full_name: str) -> str:
    """As `order_key`, of a Vietnamese name: by the given name, its last word, then family and middle names."""
    *before, given = full_name.split(" ")
    return order_key(" ".join((given, *before)))


def legacy_of(text: str) -> Literal["tcvn3", "vni"] | None:
    """Detect the legacy encoding that `text` (in NFC) was written in, as far as it shows."""
    if _UNICODE.search(text):
        # A soft hyphen beside letters that no legacy encoding has is one, and no ư of TCVN3.
        text = text.replace("\xad", "")
    if _TCVN3.search(text):
        return "tcvn3"
    return "vni" if _VNI.search(text) else None
