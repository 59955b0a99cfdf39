"""How a noun with states is written: it begins in the first, and `status` changes by transitions alone.

What it records has happened, and its days on paper can be: never later than now, never before the facility or its
directive.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.days import VIETNAM, day_of
from inventory.domain.paper import Cause, find_wrong_day
from inventory.domain.states import StateMachine
from inventory.nouns.noun import Filter
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.conflicts import invalid
from inventory.storage.queries.plans import units_of_facility
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Directive, Facility, Obligation, Thing
from vonggac.events.inventory import ObligationKind, VisitPurpose
from vonggac.http import FieldError, ProblemError

AHEAD = timedelta(seconds=1)
"""How far a caller's clock may be ahead of ours."""
FIELD_AHEAD = timedelta(minutes=5)
"""How far the clock of a phone in the field may be."""


def day_to_come(day: date, today: date) -> str:
    """Return why a day later than today is refused; both days stand in it."""
    days = f"is {day.isoformat()}, a day to come, and it is {today.isoformat()} now"
    return f"{days}: what has not happened yet is not on record"


def _in_seconds(at: datetime) -> str:
    return at.astimezone(VIETNAM).isoformat(timespec="seconds")


def check_happened(now: datetime, before: Thing | None, after: Thing, *fields: str, ahead: timedelta = AHEAD) -> None:
    """Raise ProblemError 422 for a day or an instant to come in one of the fields; one that is on record stays."""
    for field in fields:
        value = getattr(after, field)
        if value is None or (before is not None and getattr(before, field) == value):
            continue
        if not isinstance(value, datetime):
            if value > day_of(now):
                raise invalid(field, day_to_come(value, day_of(now)))
        elif value > now + ahead:
            at, today = _in_seconds(value), _in_seconds(now)
            raise invalid(field, f"is {at}, and it is {today} now: what has not happened yet is not on record")


def status_filter(states: type[StrEnum]) -> Mapping[str, Filter]:
    """Build the filter `status` of a list."""
    return {"status": Filter(states, lambda things, value, _recorded: things.c.status == value)}


class StatusWriter[State: StrEnum](Writer):
    """Fields as columns, and the status beside them."""

    def __init__(self, machine: StateMachine[State], *moved: str) -> None:
        """Take the machine; `moved`: further columns that a transition sets."""
        self._machine, self._moved = machine, frozenset({"status", *moved})

    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Store a new thing in the first state. Raises ProblemError."""
        thing = kind(**fields.model_dump(), **await self.columns(writing, fields), status=self._machine.initial)
        await writing.transaction.add_thing(thing)
        return thing

    async def columns(self, _writing: Write, _fields: BaseModel) -> dict[str, Any]:
        """Columns of a new thing that no caller writes."""
        return {}

    async def change(self, writing: Write, thing: Thing, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Set fields, or move to a state. Raises ProblemError or ValidationError."""
        moved = {name: value for name, value in patch.items() if name in self._moved}
        stated = {name: value for name, value in patch.items() if name not in self._moved}
        values = merge(fields, thing, stated).model_dump() if stated else {}
        await writing.transaction.change_thing(thing, values | moved)


SURVEYED = frozenset({ObligationKind.SURVEY_AND_PLAN})
PROPOSED = frozenset({ObligationKind.PROPOSAL, ObligationKind.INSTALLATION})
CONNECTED = frozenset({ObligationKind.CONNECTION})
OF_VISITS = {
    VisitPurpose.SURVEY: SURVEYED,
    VisitPurpose.CONNECTION: CONNECTED,
    VisitPurpose.INSTALLATION: PROPOSED,
    VisitPurpose.INSPECTION: frozenset({ObligationKind.INSPECTION}),
}
"""What a visit carries out; a repair is demanded by no directive."""


async def check_paper_day(
    transaction: WriteTransaction,
    field: str,
    before: Any,
    after: Any,
    kinds: Collection[ObligationKind],
    *more: Cause,
) -> None:
    """Raise ProblemError 422 for a day on paper in `field` that cannot be. `more`: further causes of the document.

    A day that is on record is not judged again: its facility or its directive may have come, or changed, after it.
    """
    day = getattr(after, field)
    if day is not None and (before is None or getattr(before, field) != day):
        await check_day(transaction, field, day, after.facility_id, kinds, *more)


async def check_day(
    transaction: WriteTransaction,
    field: str,
    day: date,
    facility_id: UUID,
    kinds: Collection[ObligationKind],
    *more: Cause,
) -> None:
    """Check in the same way a day that is new."""
    facility = await transaction.session.get_one(Facility, facility_id)
    causes = [*more, *_founding(facility)]
    directive = await find_first_directive(transaction.session, facility, kinds)
    if directive is not None:
        causes.append(cause_of(directive))
    refuse_wrong_day(transaction, field, day, *causes)


def refuse_wrong_day(transaction: WriteTransaction, field: str, day: date, *causes: Cause) -> None:
    """Raise ProblemError 422 for a day to come, or one before its causes."""
    wrong = find_wrong_day(day, day_of(transaction.now), causes)
    if wrong is not None:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            f"{field}: {wrong.english}",
            [FieldError(field=field, message=wrong.english, message_vi=wrong.vietnamese, value=day.isoformat())],
            detail_vi=f"{field}: {wrong.vietnamese}",
        )


def cause_of(directive: Directive) -> Cause:
    """Build the cause that nothing carries out a directive before its day."""
    return Cause(
        directive.issued_on,
        f"the day of the directive {directive.number} that demands it",
        f"ngày của văn bản {directive.number} giao việc này",
    )


def _founding(facility: Facility) -> list[Cause]:
    if facility.founded_on is None:
        return []
    return [
        Cause(
            facility.founded_on,
            f"the day on which the facility {facility.code} was founded",
            f"ngày thành lập cơ sở {facility.code}",
        )
    ]


async def find_first_directive(
    session: AsyncSession, facility: Facility, kinds: Collection[ObligationKind]
) -> Directive | None:
    """Find the oldest directive that demands one of these of the facility, whether it has cameras or not."""
    query = (
        select(Obligation, Directive)
        .join(Directive, Directive.id == Obligation.directive_id)
        .where(Obligation.kind.in_(kinds))
        .order_by(Directive.issued_on, Directive.code)
    )
    rows = (await session.execute(query)).all() if kinds else []
    if not rows:
        return None
    unit_ids = await units_of_facility(session, facility)
    found: Directive | None = next(
        (row.Directive for row in rows if _is_about(row.Obligation, facility, unit_ids)), None
    )
    return found


def _is_about(obligation: Obligation, facility: Facility, unit_ids: Collection[UUID]) -> bool:
    if obligation.facility_ids:
        return facility.id in obligation.facility_ids
    return (
        (not obligation.facility_types or facility.type in obligation.facility_types)
        and obligation.managing_agency_id in {None, facility.managing_agency_id}
        and (obligation.unit_id is None or obligation.unit_id in unit_ids)
    )
