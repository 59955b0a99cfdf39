"""Operations by their shape: inventory's register declares the same dozen routes for each of its nouns.

Three nouns stand for all in every run, and two more by the day; every route that is made by hand is asked.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from tests.unit.day import choose_of_day

NOUNS_FOR_ALL = ("cameras", "units", "connection-plans")
"""A thing with an address and a secret, one with a writer of its own that sees a tree, one with states."""
NOUNS_OF_THE_DAY = 2
_IMPORT = re.compile(r"^/v1/imports/([a-z-]+)$")


def find_nouns(paths: Iterable[str]) -> set[str]:
    """Return the names of the nouns of a document, which are those that can be imported from a list."""
    return {found[1] for path in paths if (found := _IMPORT.match(path))} - {"workbook"}


def choose_by_shape[T](operations: Sequence[T], route_of: Callable[[T], tuple[str, str]]) -> list[T]:
    """Return the operations of a run, in their order: `route_of` gives the method and path of each.

    A shape is declared if most nouns have it. A route of another shape is made by hand.
    """
    nouns = find_nouns(path for _, path in map(route_of, operations))
    shapes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for operation in operations:
        method, path = route_of(operation)
        if (noun := _noun_of(path, nouns)) is not None:
            shapes[_shape(method, path, noun)].add(noun)
    others = sorted(nouns.difference(NOUNS_FOR_ALL))
    chosen = {*NOUNS_FOR_ALL, *choose_of_day(others, NOUNS_OF_THE_DAY, purpose="nouns")}

    def is_asked(operation: T) -> bool:
        method, path = route_of(operation)
        noun = _noun_of(path, nouns)
        return noun is None or noun in chosen or len(shapes[_shape(method, path, noun)]) <= len(nouns) / 2

    return [operation for operation in operations if is_asked(operation)]


def _noun_of(path: str, nouns: set[str]) -> str | None:
    return next((part for part in re.split(r"[/.]", path) if part in nouns), None)


def _shape(method: str, path: str, noun: str) -> tuple[str, str]:
    return method, re.sub(rf"\b{noun}\b", "NOUN", path, count=1)
