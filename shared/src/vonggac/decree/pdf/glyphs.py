"""Which signs our fonts can draw. PDF/A has no page with a sign that its font lacks: such a sign becomes a square.

A name may have any sign, and a frozen name never changes: without this, one hotel with a Chinese name would leave the
province without its PDF. The other forms and the report inside the PDF have the name as it is.
"""

import struct
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

SQUARE = "\u25a1"
_FORMAT_12 = 12
_SELECTORS = range(0xFE00, 0xFE10)


def drawable(text: str) -> str:
    """Put a square for each sign that one of our fonts lacks; invisible signs that it lacks are left out."""
    known = _drawn()
    lacking = {sign for sign in set(text) if ord(sign) not in known}
    return text.translate({ord(sign): _instead_of(sign) for sign in lacking}) if lacking else text


def _instead_of(sign: str) -> str:
    category = unicodedata.category(sign)
    if category in {"Cf", "Cc"} or ord(sign) in _SELECTORS:
        return ""
    return " " if category.startswith("Z") else SQUARE


@cache
def _drawn() -> frozenset[int]:
    """Find the code points of which every font has a glyph; PDF/A has no private ones."""
    folder = files("vonggac.decree.pdf").joinpath("fonts")
    found = [_mapped(one.read_bytes()) for one in folder.iterdir() if one.name.endswith(".ttf")]
    common = frozenset[int].intersection(*found)
    return frozenset(code for code in common if unicodedata.category(chr(code)) not in {"Co", "Cs", "Cn"})


def _mapped(font: bytes) -> frozenset[int]:
    """Read the code points of a TrueType font's table `cmap` (OpenType, formats 4 and 12)."""
    (tables,) = struct.unpack_from(">H", font, 4)
    records = (struct.unpack_from(">4sIII", font, 12 + 16 * number) for number in range(tables))
    start = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    (count,) = struct.unpack_from(">H", font, start + 2)
    parts = {struct.unpack_from(">I", font, start + 8 + 8 * number)[0] for number in range(count)}
    return frozenset(code for part in parts for code in _part(font, start + part))


def _part(font: bytes, at: int) -> Iterable[int]:
    (form,) = struct.unpack_from(">H", font, at)
    if form == _FORMAT_12:
        (groups,) = struct.unpack_from(">I", font, at + 12)
        for number in range(groups):
            first, last, _ = struct.unpack_from(">III", font, at + 16 + 12 * number)
            yield from range(first, last + 1)
    elif form == 4:
        yield from _segments(font, at)


def _segments(font: bytes, at: int) -> Iterator[int]:
    """Format 4: stretches of code points with a difference to the glyph's number, or an array of numbers."""
    (twice,) = struct.unpack_from(">H", font, at + 6)
    count, ends = twice // 2, at + 14
    starts = ends + twice + 2
    for number in range(count):
        (last,), (first,) = (struct.unpack_from(">H", font, base + 2 * number) for base in (ends, starts))
        delta, offset = (struct.unpack_from(">H", font, starts + twice * step + 2 * number)[0] for step in (1, 2))
        place = starts + twice * 2 + 2 * number + offset
        for code in range(first, last + 1):
            glyph = struct.unpack_from(">H", font, place + 2 * (code - first))[0] if offset else code
            if glyph and (glyph + delta) % 0x10000 and code != 0xFFFF:
                yield code
