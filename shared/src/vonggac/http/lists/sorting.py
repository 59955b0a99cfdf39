"""`sort=code,-changed_at` and `fields=code,name`: lists of names, checked against what the list has."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from heapq import nlargest, nsmallest
from typing import Any
from uuid import UUID

from vonggac.http.lists.parameters import FIRST_YEAR, LAST_YEAR, MOST_MISTAKES, describe_unknown
from vonggac.http.problems import FieldError
from vonggac.telemetry.redaction import redact

MOST_CHARACTERS, LEAST_CHARACTERS = 160, 64
"""Of one long text in a cursor, and of each of several: with four bytes each beside all else that a cursor holds."""
SORTED_WHOLE = 8
"""So many times the rows that are asked for are sorted as they are: what is left out would cost more to find."""

type Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Key[R]:
    """One thing a list can be sorted by: its value in a row. None is last, or first when descending."""

    of: Callable[[R], Any]
    kind: type = str
    """Type of the value: str, int, float, bool, UUID, date or datetime."""
    longest: int | None = None
    """Of a text, the most characters that it has; None: any number of them."""

    def within(self, characters: int) -> bool:
        """Whether no value has more characters."""
        return self.kind is not str or (self.longest is not None and self.longest <= characters)

    def cut(self, characters: int | None) -> "Key[R]":
        """Cut this key to the beginning of its texts."""
        if characters is None:
            return self
        of = self.of

        def beginning(row: R) -> Any:
            value = of(row)
            if isinstance(value, Enum):
                value = value.value
            return value if value is None else value[:characters]

        return Key(beginning, self.kind, characters)

    def pack(self, row: R) -> Scalar:
        """Convert the value in `row` to what stands in a cursor."""
        value = self.of(row)
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat()
        if isinstance(value, date):
            return value.isoformat()
        if value is None or isinstance(value, str | int | float):
            return value
        return str(value)

    def unpack(self, packed: Scalar) -> Any:
        """Convert it to the value again. Raises ValueError or TypeError when it is none of this key."""
        if packed is None:
            return None
        if issubclass(self.kind, datetime | date):
            return _moved_safely(self.kind.fromisoformat(str(packed)))
        if issubclass(self.kind, UUID):
            return UUID(str(packed))
        if isinstance(packed, bool) != (self.kind is bool) or not isinstance(packed, self.kind):
            if self.kind is float and isinstance(packed, int) and not isinstance(packed, bool):
                return float(packed)
            msg = f"{packed!r} is no {self.kind.__name__}"
            raise ValueError(msg)
        # A release before wrote the whole text.
        return packed[: self.longest] if isinstance(packed, str) else packed


def _moved_safely(value: date) -> date:
    """Return `value`. Raises ValueError where a database or another zone could not hold it."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        msg = f"{value.year} is a year of no row"
        raise ValueError(msg)
    return value


@dataclass(frozen=True, slots=True)
class Ordering:
    """One level of a sort."""

    name: str
    descending: bool = False
    longest: int | None = None
    """Characters by which its texts are compared; None: all."""

    def __str__(self) -> str:
        return f"-{self.name}" if self.descending else self.name


def bounded[R](orderings: Sequence[Ordering], keys: Mapping[str, Key[R]]) -> list[Ordering]:
    """Bound the orderings to so much of each long text that all of them fit into a cursor.

    Rows whose texts begin alike that far are in the order of the keys after it, at last of the id: no page loses or
    doubles one.
    """
    texts = sum(keys[ordering.name].kind is str for ordering in orderings)
    most = max(LEAST_CHARACTERS, MOST_CHARACTERS // max(texts, 1))
    return [
        ordering if keys[ordering.name].within(most) else Ordering(ordering.name, ordering.descending, most)
        for ordering in orderings
    ]


def parse_sort(text: str, known: Collection[str]) -> tuple[list[Ordering], list[FieldError]]:
    """Parse a `sort` parameter: orderings, and mistakes. A name that stands twice counts where it stands first."""
    found: dict[str, Ordering] = {}
    mistakes: list[FieldError] = []
    for part in text.split(","):
        if len(mistakes) == MOST_MISTAKES:
            break
        name = part.strip().removeprefix("-")
        if name not in known:
            mistakes.append(_unknown("sort", name, known))
        else:
            found.setdefault(name, Ordering(name, part.strip().startswith("-")))
    return list(found.values()), mistakes


def parse_fields(text: str, known: Collection[str]) -> tuple[list[str], list[FieldError]]:
    """Parse the names of a `fields` parameter, and its mistakes."""
    names = [part.strip() for part in text.split(",")]
    unknown = [name for name in names if name not in known][:MOST_MISTAKES]
    return list(dict.fromkeys(names)), [_unknown("fields", name, known) for name in unknown]


def sort_pattern(known: Sequence[str]) -> str:
    """Write what `parse_sort` takes, as a regular expression of JSON Schema."""
    one = f"-?({'|'.join(known)})"
    return f"^{one}(,{one})*$"


def fields_pattern(known: Sequence[str]) -> str:
    """Write what `parse_fields` takes, as a regular expression of JSON Schema."""
    one = f"({'|'.join(known)})"
    return f"^{one}(,{one})*$"


def sort_rows[R](rows: Sequence[R], orderings: Sequence[Ordering], keys: dict[str, Key[R]]) -> list[R]:
    """`rows` by several keys, each in its direction."""
    result = list(rows)
    for ordering in reversed(orderings):
        of = keys[ordering.name].of
        result.sort(key=_sortable(of, result), reverse=ordering.descending)
    return result


def first_rows[R](rows: Sequence[R], orderings: Sequence[Ordering], keys: dict[str, Key[R]], number: int) -> list[R]:
    """Return the first `number` rows in order, without sorting those that the first key alone puts behind them."""
    first = orderings[0]
    if len(rows) > SORTED_WHOLE * number:
        of = _sortable(keys[first.name].of, rows)
        values = [of(row) for row in rows]
        if first.descending:
            edge = nlargest(number, values)[-1]
            rows = [row for row, value in zip(rows, values, strict=True) if not value < edge]
        else:
            edge = nsmallest(number, values)[-1]
            rows = [row for row, value in zip(rows, values, strict=True) if not edge < value]
    return sort_rows(rows, orderings, keys)[:number]


def _sortable[R](of: Callable[[R], Any], rows: Sequence[R]) -> Callable[[R], Any]:
    """`of`, made comparable where it gives None: the tuple costs three times as much, so only there."""
    if any(of(row) is None for row in rows):
        return lambda row: (True, 0) if (value := of(row)) is None else (False, value)
    return of


def is_after[R](row: R, last: Sequence[Any], orderings: Sequence[Ordering], keys: dict[str, Key[R]]) -> bool:
    """Whether `row` comes behind the row whose values of the orderings are `last`."""
    for ordering, before in zip(orderings, last, strict=True):
        value = keys[ordering.name].of(row)
        if value == before:
            continue
        larger = value is None or (before is not None and value > before)
        return larger is not ordering.descending
    return False


def _unknown(parameter: str, name: str, known: Collection[str]) -> FieldError:
    shown = redact(name)[:64]
    return FieldError(field=parameter, message=f"'{shown}' is {describe_unknown(shown, known)}")
