"""The place in a list at which a page ends. Opaque to callers: base64 of compact JSON.

A cursor holds the sort, the last row's value of each key (the id is always the last key), the instant of the list where
it shows one, and a check of the path and each filter. So a cursor of another list, another sort or another filter is
refused, and the answer names what differs.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from fastapi import Request

from vonggac.http.lists.parameters import FIRST_YEAR, LAST_YEAR
from vonggac.http.lists.sorting import Scalar
from vonggac.http.problems import FieldError, ProblemError, refuse_fields

MAX_CHARACTERS = 2000
PAGING = frozenset(("cursor", "limit", "total", "fields", "sort"))
"""Parameters that do not change which rows a list has."""
LARGEST = 2**128
"""Of a number in a cursor: ids are sorted as integers where they compare faster. Infinity is none."""
ADVICE = "use the `next` of the page before, unchanged, with the same parameters"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins: behind the row with these values."""

    sort: str
    last: tuple[Scalar, ...]
    filters: Mapping[str, str]
    as_of: datetime | None = None

    def encode(self) -> str:
        """Encode the cursor as the text that a page shows as `next`."""
        document: dict[str, object] = {"s": self.sort, "k": self.last, "f": dict(self.filters)}
        if self.as_of is not None:
            document["a"] = self.as_of.isoformat()
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(body).decode("ascii").rstrip("=")


def decode_cursor(text: str, *, sort: str, filters: Mapping[str, str]) -> Cursor:
    """Decode the cursor of a list with this sort and these filters. Raises ProblemError 422 on `cursor`."""
    cursor = _parse(text)
    if cursor.filters.get("") != filters.get(""):
        raise _refuse("it is of another list")
    if cursor.sort != sort:
        raise _refuse(f"it is of a list sorted by {cursor.sort}, not by {sort}")
    differing = sorted(
        name for name in {*cursor.filters, *filters} if cursor.filters.get(name) != filters.get(name) and name
    )
    if differing:
        raise _refuse(f"it is of a list with another {', '.join(differing)}")
    return cursor


def check_of(request: Request) -> dict[str, str]:
    """Compute a short digest of the path (under "") and of each filter of a request."""
    return filters_check(request.url.path, request.query_params.multi_items())


def filters_check(path: str, parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Compute a short digest of the path (under "") and of each filter; repeated values count in any order."""
    values: dict[str, list[str]] = {"": [path]}
    for name, value in parameters:
        if name not in PAGING:
            values.setdefault(name, []).append(value)
    return {name: _digest(given) for name, given in values.items()}


def _digest(values: list[str]) -> str:
    return blake2b("\0".join(sorted(values)).encode(), digest_size=4).hexdigest()


def _parse(text: str) -> Cursor:
    try:
        document = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        last, filters, as_of = document["k"], document["f"], document.get("a")
        if not isinstance(last, list) or not all(isinstance(value, str | int | float | None) for value in last):
            raise TypeError
        if any(isinstance(value, str) and not _is_storable(value) for value in last):
            raise ValueError
        if any(isinstance(value, int | float) and not abs(value) <= LARGEST for value in last):
            # NaN too.
            raise ValueError
        as_of = None if as_of is None else datetime.fromisoformat(as_of)
        if as_of is not None and (as_of.tzinfo is None or not FIRST_YEAR <= as_of.year <= LAST_YEAR):
            raise ValueError
        return Cursor(
            sort=str(document["s"]),
            last=tuple(last),
            filters={str(name): str(digest) for name, digest in filters.items()},
            as_of=as_of,
        )
    except (binascii.Error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _refuse("it is no cursor") from None


def _is_storable(text: str) -> bool:
    """Whether a row can hold it: no NUL, no half of a surrogate pair."""
    return "\0" not in text and text.encode("utf-8", "ignore").decode() == text


def _refuse(why: str) -> ProblemError:
    return refuse_fields([FieldError(field="cursor", message=f"{why}; {ADVICE}")])
