"""Search in lists: each word of a query is in a thing's own search text, or in that of something it refers to.

Who types `dakrong` means Đa Krông, and who types `0912345678` a phone that is written in groups: a word is found too
where a text has it in parts, from the beginning of a word on.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, FromClause, or_, select, true

from inventory.domain.text import fold
from inventory.storage.queries.clocks import in_force
from inventory.storage.tables import Thing

_BETWEEN_PARTS = " ._/-"
_IN_PARTS = re.compile(r"(?=[0-9]*[a-z])[a-z0-9]{4,}|[0-9]{8,}")
"""Words that are searched in parts too: shorter ones, and short numbers, would be found everywhere."""
_LONGEST_IN_PARTS = 64


@dataclass(frozen=True, slots=True)
class Recorded:
    """Gives the things of a kind, at the instant that the reader asked for; None: now. `valid_on`: None: of any day."""

    read: Callable[[type[Thing]], FromClause]
    as_of: datetime | None = None
    valid_on: date | None = None
    is_whole: bool = False
    """Everything of the present: the same for all who see everything."""

    def __call__(self, kind: type[Thing]) -> FromClause:
        return self.read(kind)

    def in_force(self, kind: type[Thing]) -> FromClause:
        """Of them those that are in force on the day that the reader asked for."""
        things = self.read(kind)
        if self.valid_on is None:
            return things
        return select(things).where(in_force(things, self.valid_on)).subquery(kind.__tablename__)


@dataclass(frozen=True, slots=True)
class Named:
    """A column whose value names a thing of `kind`, and the columns of that kind to search through in turn."""

    column: str
    kind: type[Thing]
    through: tuple["Named", ...] = ()


def matches_search(things: FromClause, q: str, through: tuple[Named, ...], recorded: Recorded) -> ColumnElement[bool]:
    """Whether every folded word of `q` is found."""
    condition: ColumnElement[bool] = true()
    others = _whole_others(through, recorded.read) if recorded.is_whole else _others(through, recorded.read)
    searched = _Searched(things, others)
    words = fold(q).split()
    for word in words:
        condition = condition & searched.has_word(word)
    if len(words) > 1 and _is_in_parts(joined := "".join(words)):
        # Đăk Rông, as some write it.
        return condition | searched.has_parts(joined)
    return condition


def _is_in_parts(word: str) -> bool:
    return len(word) <= _LONGEST_IN_PARTS and _IN_PARTS.fullmatch(word) is not None


@dataclass(frozen=True, slots=True)
class _Searched:
    """Things, and those that they refer to, each by its column."""

    things: FromClause
    others: Sequence[tuple[str, "_Searched"]]

    def has_word(self, word: str) -> ColumnElement[bool]:
        """Whether one of them has the word, which is folded."""
        condition = self._somewhere(lambda search: search.contains(word, autoescape=True))
        return condition | self.has_parts(word) if _is_in_parts(word) else condition

    def has_parts(self, word: str) -> ColumnElement[bool]:
        """Whether one of them has the word in parts."""
        letters = f"%{'%'.join(word)}%"
        parts = r"\m" + f"[{_BETWEEN_PARTS}]?".join(word)
        # Most texts do not have the letters in this order at all, and to know that takes a tenth of the time.
        return self._somewhere(lambda search: search.like(letters) & search.regexp_match(parts))

    def _somewhere(self, has: Callable[[ColumnElement[str]], ColumnElement[bool]]) -> ColumnElement[bool]:
        found = [has(self.things.c.search)]
        for column, others in self.others:
            fitting = select(others.things.c.id).where(others._somewhere(has))
            found.append(self.things.c[column].in_(fitting))
        return or_(*found)


def _others(through: tuple[Named, ...], read: Callable[[type[Thing]], FromClause]) -> tuple[tuple[str, _Searched], ...]:
    """Made once for all words: it takes longer than the query itself."""
    return tuple((named.column, _Searched(read(named.kind), _others(named.through, read))) for named in through)


_kept_others: dict[tuple[Named, ...], tuple[tuple[str, _Searched], ...]] = {}
_kept_things: dict[type[Thing], FromClause] = {}
"""Made once for all requests. Each stands in a statement once, so that SQLAlchemy correlates none with another."""


def _whole_others(
    through: tuple[Named, ...], read: Callable[[type[Thing]], FromClause]
) -> tuple[tuple[str, _Searched], ...]:
    if through not in _kept_others:
        _kept_others[through] = _others(through, read)
    return _kept_others[through]


def listed(kind: type[Thing], recorded: Recorded) -> FromClause:
    """Select the things that a list is of; for nothing else in its statement."""
    if not recorded.is_whole:
        return recorded(kind)
    if kind not in _kept_things:
        _kept_things[kind] = recorded(kind)
    return _kept_things[kind]
