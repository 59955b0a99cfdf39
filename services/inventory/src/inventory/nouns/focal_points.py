"""Focal points (R17): who names them, and terms of office.

The facility names its own, or the agency that manages it does. The lead keeps the list that the Ministry asks of it;
whoever else records one gives the document that names the officer.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from inventory.domain.people.own_word import APPOINTMENT, RECORDED_BY, find_said, has_document
from inventory.nouns.facilities import PROVINCE_TIME, count_in_office
from inventory.nouns.mandate.states import check_happened
from inventory.nouns.parties import find_recorder
from inventory.nouns.shown import Acted, Acts, Shown
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.conflicts import field_conflict
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Facility, FocalPoint, Thing
from vonggac.auth import Principal, Role
from vonggac.auth.rights import OWES
from vonggac.events.inventory import FacilityStatus


class FocalPointResponse(Shown, Acted):
    """One focal point."""

    acts: ClassVar[Acts] = {APPOINTMENT.recorded_by: None}

    facility_id: UUID
    full_name: str
    position: str
    phone: str
    email: str | None
    unit: str | None
    valid_from: date
    appointment_document: str | None
    appointment_signed_on: date | None
    appointment_file: str | None
    recorded_by: str | None = Field(description=RECORDED_BY)


class FocalPointWriter(Writer):
    """A focal point is the word of its facility, or on record by whoever wrote it for the facility."""

    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Store a new one. Raises ProblemError 403 for another's word without its document."""
        given = fields.model_dump()
        recorded_by = await _find_recorder(writing, {given["facility_id"]}, given)
        thing = kind(**given, recorded_by=recorded_by)
        await writing.transaction.add_thing(thing)
        return thing

    async def change(self, writing: Write, thing: Any, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Change one. Raises ProblemError 403 for another's word without its document."""
        before = {name: getattr(thing, name) for name in fields.model_fields}
        after = merge(fields, thing, patch).model_dump()
        if find_said(APPOINTMENT, before, after):
            facilities = {before["facility_id"], after["facility_id"]}
            after["recorded_by"] = await _find_recorder(writing, facilities, after)
        await writing.transaction.change_thing(thing, after)


async def _find_recorder(writing: Write, facility_ids: set[UUID], given: Mapping[str, Any]) -> str | None:
    """Who records the word of the facilities; None: it is their own."""
    is_documented = has_document(APPOINTMENT, given) or _keeps_the_list(writing.caller)
    found = [
        await find_recorder(writing, each, APPOINTMENT, is_documented=is_documented) for each in sorted(facility_ids)
    ]
    return next((one for one in found if one is not None), None)


def _keeps_the_list(caller: Principal) -> bool:
    """Whether the caller is the lead, which keeps the list of focal points and owes it to the Ministry."""
    return Role.PROVINCE_LEAD in caller.roles and not caller.roles & OWES


async def check_focal_point(transaction: WriteTransaction, before: FocalPoint | None, after: FocalPoint | None) -> None:
    """Raise ProblemError 409 when an active facility would lose its last focal point, 422 for a document to come."""
    if after is not None:
        check_happened(transaction.now, before, after, "appointment_signed_on")
    if before is None:
        return
    facility = await transaction.session.get_one(Facility, before.facility_id)
    if facility.status is not FacilityStatus.ACTIVE or await count_in_office(transaction, facility.id):
        return
    today = transaction.now.astimezone(PROVINCE_TIME).date()
    if before.valid_from > today or (before.valid_to is not None and before.valid_to < today):
        return
    field = "valid_to" if after is not None else "facility_id"
    message = f"{facility.code} is active and would have no focal point (R17): add the successor first"
    raise field_conflict(field, message)
