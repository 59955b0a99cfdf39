"""Search in lists: each word of a query is in a thing's own search text, or in that of something it refers to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, or_, select, true

from inventory.domain.text import fold
from inventory.storage.tables import Thing


@dataclass(frozen=True, slots=True)
class Recorded:
    """Gives the things of a kind, at the instant that the reader asked for; None: now."""

    read: Callable[[type[Thing]], FromClause]
    as_of: datetime | None = None

    def __call__(self, kind: type[Thing]) -> FromClause:
        return self.read(kind)


@dataclass(frozen=True, slots=True)
class Named:
    """A column whose value names a thing of `kind`, and the columns of that kind to search through in turn."""

    column: str
    kind: type[Thing]
    through: Sequence["Named"] = ()


def matches_search(things: FromClause, q: str, through: Sequence[Named], recorded: Recorded) -> ColumnElement[bool]:
    """Whether every folded word of `q` is found."""
    condition: ColumnElement[bool] = true()
    searched = _Searched(things, through, recorded)
    for word in fold(q).split():
        condition = condition & searched.has_word(word)
    return condition


class _Searched:
    """Things, and those that they refer to: made once for all words, as it takes longer than the query itself."""

    def __init__(self, things: FromClause, through: Sequence[Named], recorded: Recorded) -> None:
        self._things = things
        self._others = [(named.column, _Searched(recorded(named.kind), named.through, recorded)) for named in through]

    def has_word(self, word: str) -> ColumnElement[bool]:
        """Whether one of them has the word, which is folded."""
        found = [self._things.c.search.contains(word, autoescape=True)]
        for column, others in self._others:
            fitting = select(others._things.c.id).where(others.has_word(word))
            found.append(self._things.c[column].in_(fitting))
        return or_(*found)
