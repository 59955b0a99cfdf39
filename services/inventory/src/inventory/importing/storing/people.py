"""The focal point in the columns of a facility's row."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import select

from inventory.domain.people.focal_point import FocalPointFields, Person
from inventory.domain.places.lifecycle import FACILITY, met_guards
from inventory.importing.cells.dates import PROVINCE_TIME
from inventory.importing.checking.rows import CheckedRow
from inventory.importing.mistakes import Mistakes, Text
from inventory.importing.mistakes.translated import translate
from inventory.importing.planning.plan import Action, FileRules, Planned
from inventory.nouns.noun import Noun
from inventory.nouns.people import FOCAL_POINT, PERSON
from inventory.nouns.writer import Write
from inventory.storage.tables import FocalPoint, Thing
from vonggac.events.inventory import FacilityStatus

type Make = Callable[[Write, Noun, BaseModel], Awaitable[Thing]]
type Patch = Callable[[Write, Noun, Thing, Mapping[str, Any]], Awaitable[Thing]]


class FacilityRules(FileRules):
    """A facility's row may name its focal point, and moves the facility only where its states allow it.

    `people`: facility to who is in office, as columns. `more_people`: another sheet of the file has focal points.
    """

    def __init__(
        self, people: Mapping[UUID, Mapping[str, Any]], *, reason: str | None = None, more_people: bool = False
    ) -> None:
        self._people, self._reason, self._more_people = people, reason, more_people

    def before(self, row: CheckedRow, given: dict[str, Any], mistakes: Mistakes) -> dict[str, Any]:
        """Check the person; name, position and phone belong together."""
        person = {name: value for name, column in PERSON.items() if (value := row.values.get(column)) is not None}
        if not person:
            return {}
        for name, column in PERSON.items():
            if name not in person and name != "email":
                text = "is empty: a focal point needs name, position and phone"
                mistakes.add(row.line, column, translate(text))
                return {}
        try:
            columns = {column for column in PERSON.values() if column in row.values}
            return {"person": Person.model_validate(person), "columns": columns}
        except ValidationError as error:
            for found in error.errors(include_url=False, include_input=False):
                column = PERSON[str(found["loc"][0])]
                mistakes.add(
                    row.line,
                    column,
                    translate(found["msg"], found["type"], found.get("ctx")),
                    value=row.values.get(column),
                )
            return {}

    def after(self, planned: Planned, fields: Any, mistakes: Mistakes) -> None:
        """Check the change of its state; show another person as a change of the row."""
        person: Person | None = planned.extra.get("person")
        self._check_state(planned, fields, mistakes)
        if person is None:
            return
        there = self._people.get(planned.id, {}) if planned.id is not None else {}
        for name, column in PERSON.items():
            if column in planned.extra["columns"] and there.get(name) != getattr(person, name):
                planned.changes[column] = (there.get(name), getattr(person, name))
                if planned.present is not None:
                    planned.action = Action.UPDATED

    def _check_state(self, planned: Planned, fields: Any, mistakes: Mistakes) -> None:
        if planned.present is None or "status" not in planned.patch:
            return
        in_office = planned.id in self._people or "person" in planned.extra or self._more_people
        met = met_guards(
            decision_number=fields.decision_number,
            decision_date=fields.decision_date,
            in_office=int(in_office),
            reason=self._reason,
        )
        refusal = FACILITY.check(FacilityStatus(planned.present["status"]), fields.status, set(met))
        if refusal is not None:
            text = Text(refusal.detail, refusal.vietnamese)
            mistakes.add(planned.line, "status", text, value=FACILITY.vietnamese[fields.status])


def opens_a_facility(row: Planned) -> bool:
    """Whether a row of a facility makes it active."""
    return row.patch.get("status") is FacilityStatus.ACTIVE


async def read_people_in_office(session: Any, today: Any) -> dict[UUID, dict[str, Any]]:
    """Read the focal point of each facility on a day."""
    query = select(FocalPoint).where(FocalPoint.valid_from <= today)
    query = query.where(FocalPoint.valid_to.is_(None) | (FocalPoint.valid_to >= today))
    people = (await session.scalars(query.order_by(FocalPoint.valid_from, FocalPoint.created_at))).all()
    return {each.facility_id: {name: getattr(each, name) for name in PERSON} for each in people}


async def appoint_focal_point(
    writing: Write, facility_id: UUID, extra: Mapping[str, Any], make: Make, patch: Patch
) -> None:
    """Another name is a successor: the predecessor's term ends and stays on record."""
    person: Person | None = extra.get("person")
    if person is None:
        return
    today = writing.transaction.now.astimezone(PROVINCE_TIME).date()
    query = select(FocalPoint).where(FocalPoint.facility_id == facility_id, FocalPoint.valid_from <= today)
    query = query.where(FocalPoint.valid_to.is_(None) | (FocalPoint.valid_to >= today))
    newest = query.order_by(FocalPoint.valid_from.desc(), FocalPoint.created_at.desc()).limit(1)
    present = (await writing.transaction.session.scalars(newest)).first()
    if present is not None and present.full_name == person.full_name:
        given = {name: getattr(person, name) for name, column in PERSON.items() if column in extra["columns"]}
        if any(getattr(present, name) != value for name, value in given.items()):
            await patch(writing, FOCAL_POINT, present, given)
        return
    # The successor first: an active facility is never without one.
    fields = FocalPointFields(facility_id=facility_id, valid_from=today, **person.model_dump())
    await make(writing, FOCAL_POINT, fields)
    if present is not None:
        last = max(present.valid_from or today, today - timedelta(days=1))
        await patch(writing, FOCAL_POINT, present, {"valid_to": last})
