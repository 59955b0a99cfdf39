"""What a caller sees of the register: its own facilities with all that is theirs, and phones only if it may.

Whoever reads for a caller reads `seen(kind, as_of, sight)` in place of the table, and what is hidden is then in no
list, filter, search, count or file. Access is decided by the facilities as they are now (of one that was removed, as it
was last), whatever instant is asked about: the past of a site that was made restricted is hidden with it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Select,
    Uuid,
    any_,
    case,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.text import ALSO_D
from inventory.storage.conflicts import not_found
from inventory.storage.queries.clocks import missing, recorded
from inventory.storage.tables import (
    HISTORY,
    THINGS,
    Camera,
    Delivery,
    Facility,
    JournalEntry,
    MaintenanceWindow,
    Obligation,
    Team,
    TeamMember,
    Thing,
    Unit,
    Visit,
)
from vonggac.auth import AccessScope, Sight
from vonggac.auth.scope import EVERYTHING
from vonggac.auth.succession import UnitLinks, has_ended, units_within
from vonggac.http import ProblemError

HIDDEN = "***"
"""In place of a phone or an e-mail address: no such thing, so that it is refused where somebody sends it back."""
_CONTACT = ("phone", "email")
_SIGHT = "vonggac.sight"


def is_contact(name: str) -> bool:
    """Whether a field holds a person's phone or e-mail address."""
    return name.endswith(_CONTACT)


def hide_contacts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the change log or of a file, without phones and e-mail addresses."""
    return {name: HIDDEN if is_contact(name) and value is not None else value for name, value in values.items()}


def note_sight(session: AsyncSession, sight: Sight) -> None:
    """Say for whom a session reads."""
    session.info[_SIGHT] = sight


def sight_of(session: AsyncSession) -> Sight:
    """For whom a session reads: the platform itself, unless somebody said so."""
    found: Sight = session.info.get(_SIGHT, EVERYTHING)
    return found


def select_visible(kind: type[Thing], as_of: datetime | None, sight: Sight) -> FromClause:
    """As `recorded`, of what the caller sees."""
    things = recorded(kind, as_of)
    view = _View(sight, as_of)
    condition = None if sight.is_everything else _condition(kind, things, view)
    other = {} if sight.people else _without_contacts(things)
    if condition is not None and kind is Obligation:
        other["facility_ids"] = view.among(things.c.facility_ids).label("facility_ids")
    if condition is None and not other:
        return things
    query = select(*(other.get(column.name, column) for column in things.c))
    return (query if condition is None else query.where(condition)).subquery(kind.__tablename__)


async def follow_units(session: AsyncSession, units: frozenset[UUID]) -> frozenset[UUID]:
    """Find these, and all units that lie in them by now, by the succession on record."""
    table = Unit.__table__.c
    rows = await session.execute(select(table.id, table.parent_id, table.valid_to, table.succeeds))
    known = {
        row.id: UnitLinks(row.parent_id, tuple(UUID(each["unit_id"]) for each in row.succeeds), has_ended(row.valid_to))
        for row in rows
    }
    return units_within(units, known)


async def sees(session: AsyncSession, kind: type[Thing], thing_id: UUID) -> bool:
    """Whether the session's caller sees a thing that is on record."""
    sight = sight_of(session)
    if sight.is_everything:
        return True
    things = select_visible(kind, None, sight)
    return await session.scalar(select(things.c.id).where(things.c.id == thing_id)) is not None


async def saw(session: AsyncSession, kind: type[Thing], thing_id: UUID) -> bool:
    """Whether the session's caller sees a thing as it was on record last, which may be removed."""
    return await saw_all(session, kind, [thing_id])


async def saw_all(session: AsyncSession, kind: type[Thing], thing_ids: Collection[UUID]) -> bool:
    """As `saw`, of several things of a kind, in one statement."""
    sight = sight_of(session)
    if sight.is_everything:
        return True
    last = _as_it_was_last(kind, select(func.unnest(literal(list(thing_ids), ARRAY(Uuid())))))
    condition = _condition(kind, last, _View(sight, None, removed_too=True))
    if condition is None:
        return True
    return await session.scalar(select(func.count()).select_from(last).where(condition)) == len({*thing_ids})


async def read_thing[T: Thing](session: AsyncSession, kind: type[T], thing_id: UUID) -> T:
    """Read a thing that the session's caller sees. Raises ProblemError 404, or 410 when it was removed."""
    found = await session.get(kind, thing_id)
    if found is None or not await sees(session, kind, thing_id):
        raise await missing_for(session, kind, thing_id)
    return found


async def missing_for(session: AsyncSession, kind: type[Thing], thing_id: UUID) -> ProblemError:
    """As `missing`; what the session's caller does not see never was."""
    return await missing(session, kind, thing_id) if await saw(session, kind, thing_id) else not_found(kind.noun)


def log_condition(changes: FromClause, sight: Sight, noun: str | None) -> ColumnElement[bool] | None:
    """Whether the caller sees a line of the change log: the thing before, and after. None: every line.

    `noun`: the lines are of this one, where that is known; the condition of all nouns is long to build and to plan.
    """
    if sight.is_everything:
        return None
    view = _View(sight, None, removed_too=True)
    found: list[ColumnElement[bool]] = []
    for kind in THINGS:
        if noun not in {None, kind.noun}:
            continue
        line = changes.c.noun == kind.noun
        for side in (changes.c.before, changes.c.after):
            shown = _condition(kind, cast("FromClause", _Logged(changes, side)), view)
            if shown is not None:
                line = line & (side.is_(None) | shown)
        found.append(line)
    return or_(*found)


class _LoggedColumns:
    """The values of a thing in a line of the log."""

    def __init__(self, changes: FromClause, side: ColumnElement[Any]) -> None:
        self._changes, self._side = changes, side

    def __getattr__(self, name: str) -> ColumnElement[Any]:
        if name == "id":
            return self._changes.c.thing_id
        value: ColumnElement[Any] = self._side[name].as_string()
        return value.cast(Uuid()) if name.endswith("_id") else value


class _Logged:
    """One side of a line of the log, as a row of the thing that it is about."""

    def __init__(self, changes: FromClause, side: ColumnElement[Any]) -> None:
        self.c, self.side = _LoggedColumns(changes, side), side


@dataclass(frozen=True, slots=True)
class _View:
    """What of the facilities and cameras is seen, as queries of ids."""

    sight: Sight
    as_of: datetime | None
    removed_too: bool = False

    def facilities(self) -> Select[tuple[UUID]]:
        """By what they are now."""
        # An alias: it may stand within a query of facilities.
        table: Any = Facility.__table__.alias()
        if self.removed_too or self.as_of is not None:
            table = _as_it_was_last(Facility)
        query = select(table.c.id)
        if not self.sight.restricted:
            query = query.where(func.coalesce(table.c.restricted, False).is_(False))
        if self.sight.scope is not None:
            query = query.where(_covers(self.sight.scope, table))
        return query

    def read(self, kind: type[Thing]) -> FromClause:
        """Those on record, or with `removed_too` each as it was last."""
        return _as_it_was_last(kind) if self.removed_too else recorded(kind, self.as_of)

    def cameras(self) -> Select[tuple[UUID]]:
        """Those that stand, or stood last, at such a facility."""
        table: Any = self.read(Camera)
        return select(table.c.id).where(table.c.facility_id.in_(self.facilities()))

    def teams(self) -> Select[tuple[UUID]]:
        """Those of the scope's agencies, and those that have been at such a facility."""
        table, visits = self.read(Team), self.read(Visit)
        there = select(visits.c.team_id).where(visits.c.facility_id.in_(self.facilities()))
        agencies = self.sight.scope.agencies if self.sight.scope is not None else frozenset[UUID]()
        return select(table.c.id).where(table.c.agency_id.in_(agencies) | table.c.id.in_(there))

    def among(self, ids: ColumnElement[Any]) -> ColumnElement[Any]:
        """Those of an array of facilities that are seen."""
        facilities = self.facilities().subquery()
        inner = select(facilities.c.id).where(facilities.c.id == any_(ids))
        return func.array(inner.scalar_subquery(), type_=ARRAY(Uuid()))


def _as_it_was_last(kind: type[Thing], thing_ids: Select[tuple[UUID]] | None = None) -> FromClause:
    """Each thing, or each of these, as it is now, or as it was before it was removed."""
    history = HISTORY[kind]
    newest_first = (history.c.id, history.c.recorded_from.desc())
    query = select(history).ext(distinct_on(history.c.id)).order_by(*newest_first)
    if thing_ids is not None:
        query = query.where(history.c.id.in_(thing_ids))
    return query.subquery()


def _covers(scope: AccessScope, facilities: Any) -> ColumnElement[bool]:
    units = Unit.__table__.alias()
    within = select(units.c.id).where(units.c.id.in_(scope.units)).cte("units_within", recursive=True, nesting=True)
    within = within.union(select(units.c.id).where(units.c.parent_id == within.c.id))
    return or_(
        facilities.c.id.in_(scope.facilities),
        facilities.c.managing_agency_id.in_(scope.agencies),
        facilities.c.unit_id.in_(select(within.c.id)) if scope.units else false(),
    )


def _without_contacts(things: FromClause) -> dict[str, ColumnElement[Any]]:
    """Hide the columns that hold phones and e-mail addresses; strip them from the text to search."""
    contacts = [column for column in things.c if is_contact(column.name)]
    hidden: dict[str, ColumnElement[Any]] = {
        column.name: case((column.is_not(None), literal(HIDDEN))).label(column.name) for column in contacts
    }
    if contacts and "search" in things.c:
        search: ColumnElement[Any] = things.c.search
        for column in contacts:
            search = func.replace(search, fold_column(func.coalesce(column, "")), "")
        hidden["search"] = search.label("search")
    return hidden


def fold_column(text: ColumnElement[str]) -> ColumnElement[str]:
    """As `fold` of `inventory.domain.text` folds each word of a text."""
    bare = func.regexp_replace(func.normalize(func.lower(text), literal_column("NFD")), "[\\u0300-\\u036f]", "", "g")
    return func.translate(bare, f"{ALSO_D}y", f"{'d' * len(ALSO_D)}i")


def _of_facility(things: Any, view: _View) -> ColumnElement[bool]:
    return things.c.facility_id.in_(view.facilities())  # type: ignore[no-any-return]


def _of_window(things: Any, view: _View) -> ColumnElement[bool]:
    return or_(things.c.facility_id.in_(view.facilities()), things.c.camera_id.in_(view.cameras()))


def _of_obligation(things: Any, view: _View) -> ColumnElement[bool]:
    """One that names facilities, and none that is seen, does not concern the caller; nor one of another agency."""
    if isinstance(things, _Logged):
        # A line names its facilities for everybody: one that names any is left out.
        empty: ColumnElement[bool] = things.side["facility_ids"].as_string() == "[]"
        return empty
    ours = view.facilities().subquery()
    named = select(ours.c.id).where(ours.c.id == any_(things.c.facility_ids)).exists()
    condition: ColumnElement[bool] = (func.cardinality(things.c.facility_ids) == 0) | named
    if view.sight.scope is None:
        return condition
    facilities = Facility.__table__.alias()
    agencies = select(facilities.c.managing_agency_id).where(facilities.c.id.in_(view.facilities()))
    ours_too: ColumnElement[bool] = things.c.managing_agency_id.is_(None) | things.c.managing_agency_id.in_(agencies)
    return condition & ours_too


def _of_entry(things: Any, view: _View) -> ColumnElement[bool]:
    """Select notes about what is seen, or was until removed; those about what is no facility's are the province's."""
    found: list[ColumnElement[bool]] = []
    gone: list[ColumnElement[bool]] = []
    for kind in THINGS:
        if kind is JournalEntry:
            continue
        about = things.c.about_noun == kind.noun
        others = view.read(kind)
        condition = _condition(kind, others, view)
        if condition is None:
            found += [about] if view.sight.scope is None else []
            continue
        found.append(about & things.c.about_id.in_(select(others.c.id).where(condition)))
        if not view.removed_too:
            gone.append(about & things.c.about_id.in_(_gone(kind, view)))
    # In this order: what is on record is cheaper to find than what was.
    return or_(*found, *gone)


def _gone(kind: type[Thing], view: _View) -> Select[tuple[UUID]]:
    """Select the things with a note that are not on record, but would be seen as they were last."""
    noted = select(JournalEntry.__table__.c.about_id).where(JournalEntry.__table__.c.about_noun == kind.noun)
    last = _as_it_was_last(kind, noted)
    condition = _condition(kind, last, replace(view, removed_too=True))
    assert condition is not None, "as of what is on record"
    there = recorded(kind, view.as_of)
    return select(last.c.id).where(last.c.id.not_in(select(there.c.id)), condition)


_CONDITIONS: Mapping[type[Thing], Callable[[Any, _View], ColumnElement[bool]]] = {
    Facility: lambda things, view: things.c.id.in_(view.facilities()),
    Delivery: lambda things, view: things.c.camera_id.in_(view.cameras()),
    MaintenanceWindow: _of_window,
    Obligation: _of_obligation,
    JournalEntry: _of_entry,
    Team: lambda things, view: things.c.id.in_(view.teams()),
    TeamMember: lambda things, view: things.c.team_id.in_(view.teams()),
}


def _condition(kind: type[Thing], things: FromClause, view: _View) -> ColumnElement[bool] | None:
    """Whether each thing is seen; None: the kind is no facility's, and everybody sees it."""
    if kind in {Team, TeamMember} and view.sight.scope is None:
        return None
    if kind in _CONDITIONS:
        return _CONDITIONS[kind](things, view)
    return _of_facility(things, view) if "facility_id" in kind.__table__.c else None
