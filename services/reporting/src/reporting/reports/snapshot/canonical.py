"""The one byte form of a value, and the digests over it.

Canonical JSON is RFC 8785 (JCS) narrowed: UTF-8, no spaces, names of objects in order, text in Unicode NFC, numbers as
integers alone. Floating point is refused: whoever repeats the digest in another language gets the same bytes.

- digest of a row: SHA-256 of its canonical object;
- digest of a table: SHA-256 of the digests of its rows, 32 bytes each, in their order;
- digest of a report: SHA-256 of its canonical header, which names every table with its digest and the report before.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import sha256

type Value = str | int | bool | None
type Row = Mapping[str, Value]
type Json = Value | Mapping[str, "Json"] | list["Json"] | tuple["Json", ...]


def canonical(value: Json) -> bytes:
    """Write the canonical JSON of a value. Raises TypeError for a number with a point and for whatever JSON has not."""
    return json.dumps(_narrowed(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def row_digest(row: Row) -> bytes:
    """Compute the SHA-256 of a row, 32 bytes."""
    return sha256(canonical(row)).digest()


def table_digest(rows: Iterable[Row]) -> str:
    """Compute the SHA-256 of a table, as 64 hexadecimal digits."""
    whole = sha256()
    for row in rows:
        whole.update(row_digest(row))
    return whole.hexdigest()


def _narrowed(value: object) -> Json:
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case None | bool() | int():
            return value
        case Mapping():
            return {str(_narrowed(name)): _narrowed(one) for name, one in value.items()}
        case list() | tuple():
            return [_narrowed(one) for one in value]
        case _:
            msg = f"a canonical value is text, an integer, true, false or null, and not {value!r}"
            raise TypeError(msg)
