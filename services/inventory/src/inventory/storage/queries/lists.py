"""Search in lists: each word of a query is in a thing's own search text, or in that of something it refers to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, or_, select, true

from inventory.domain.text import fold
from inventory.storage.tables import Thing

type Recorded = Callable[[type[Thing]], FromClause]
"""Gives the things of a kind, at the instant that the reader asked for."""


@dataclass(frozen=True, slots=True)
class Named:
    """A column whose value names a thing of `kind`, and the columns of that kind to search through in turn."""

    column: str
    kind: type[Thing]
    through: Sequence["Named"] = ()


def matches_search(things: FromClause, q: str, through: Sequence[Named], recorded: Recorded) -> ColumnElement[bool]:
    """Whether every folded word of `q` is found."""
    condition: ColumnElement[bool] = true()
    for word in fold(q).split():
        condition = condition & _has_word(things, word, through, recorded)
    return condition


def _has_word(things: FromClause, word: str, through: Sequence[Named], recorded: Recorded) -> ColumnElement[bool]:
    found = [things.c.search.contains(word, autoescape=True)]
    for named in through:
        others = recorded(named.kind)
        fitting = select(others.c.id).where(_has_word(others, word, named.through, recorded))
        found.append(things.c[named.column].in_(fitting))
    return or_(*found)
