"""Stores a checked facilities.csv, all in the caller's transaction."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.people.focal_point import Person
from inventory.domain.places.unit import latest
from inventory.importing.facilities import FACTS, PERSON, FacilityFile, FacilityRow
from inventory.importing.mistakes import Mistakes
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Agency, Coded, Facility, FocalPoint, Unit
from vonggac.events.inventory import UnitLevel

CHUNK = 250
NAMED = 8


@dataclass(slots=True)
class Outcome:
    """How many rows were created, updated and unchanged."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


async def store_facilities(
    transaction: WriteTransaction, file: FacilityFile, mistakes: Mistakes, today: date
) -> Outcome:
    """Create or update the facilities. Raises ProblemError 422 when a unit or agency is not on record."""
    session, outcome = transaction.session, Outcome()
    units, agencies = await _units_by_code(session, today), await ids_by_code(session, Agency)
    for row in file.rows:
        check_on_record(mistakes, row.line, "unit_code", row.unit_code, units)
        check_on_record(mistakes, row.line, "managing_agency_code", row.managing_agency_code, agencies)
    mistakes.raise_if_any()
    present = await things_by_code(session, Facility, (row.facts.code for row in file.rows))
    people = await _focal_points_in_office(session, today)
    successors: list[FocalPoint] = []
    for number, row in enumerate(file.rows):
        values = _values(file, row, units, agencies)
        facility = present.get(row.facts.code)
        if facility is None:
            facility = Facility(**row.facts.model_dump() | values)
            transaction.prepare_new(facility)
            session.add(facility)
            transaction.record_created(facility)
            _appoint_focal_point(transaction, facility, None, row.person, file, today, successors)
            outcome.created += 1
        else:
            changed = transaction.stage_change(facility, values)
            changed |= _appoint_focal_point(
                transaction, facility, people.get(facility.id), row.person, file, today, successors
            )
            outcome.updated += changed
            outcome.unchanged += not changed
        if number % CHUNK == CHUNK - 1:
            await transaction.flush_changes()
            await asyncio.sleep(0)
    await transaction.flush_changes()
    session.add_all(successors)  # after their facilities: without a relationship the session does not order them
    await transaction.flush_changes()
    return outcome


def _values(
    file: FacilityFile, row: FacilityRow, units: Mapping[str, UUID], agencies: Mapping[str, UUID]
) -> dict[str, Any]:
    stated = {name: getattr(row.facts, name) for name in FACTS if name in file.present}
    return stated | {
        "unit_id": units[row.unit_code],
        "managing_agency_id": agencies[row.managing_agency_code],
    }


def _appoint_focal_point(
    transaction: WriteTransaction,
    facility: Facility,
    present: FocalPoint | None,
    person: Person | None,
    file: FacilityFile,
    today: date,
    successors: list[FocalPoint],
) -> bool:
    """Whether the focal point changed. Another name is a successor: the predecessor's term ends and stays on record."""
    if person is None:
        return False
    if present is not None and present.full_name == person.full_name:
        return transaction.stage_change(
            present, {name: getattr(person, name) for name, column in PERSON.items() if column in file.present}
        )
    if present is not None:
        transaction.stage_change(present, {"valid_to": max(present.valid_from, today - timedelta(days=1))})
    successor = FocalPoint(facility_id=facility.id, valid_from=today, **person.model_dump())
    transaction.prepare_new(successor)
    successors.append(successor)
    transaction.record_created(successor)
    return True


async def _focal_points_in_office(session: AsyncSession, today: date) -> dict[UUID, FocalPoint]:
    query = select(FocalPoint).where(FocalPoint.valid_from <= today)
    query = query.where(FocalPoint.valid_to.is_(None) | (FocalPoint.valid_to >= today))
    people = (await session.scalars(query.order_by(FocalPoint.valid_from, FocalPoint.created_at))).all()
    return {person.facility_id: person for person in people}


async def _units_by_code(session: AsyncSession, today: date) -> dict[str, UUID]:
    """Code to the id of the unit that stands on `today`, else of the one that ended last; below a province."""
    rows: dict[str, list[Unit]] = {}
    for unit in await session.scalars(select(Unit).where(Unit.level != UnitLevel.PROVINCE)):
        rows.setdefault(unit.code, []).append(unit)
    found = {code: latest(units, today) for code, units in rows.items()}
    return {code: unit.id for code, unit in found.items() if unit is not None}


async def ids_by_code(session: AsyncSession, kind: type[Coded]) -> dict[str, UUID]:
    """Code to id of everything of a kind."""
    return {row.code: row.id for row in (await session.execute(select(kind.code, kind.id))).all()}


async def things_by_code[T: Coded](session: AsyncSession, kind: type[T], codes: Iterable[str]) -> dict[str, T]:
    """The things on record among `codes`."""
    ordered: Sequence[str] = sorted(set(codes))
    found: dict[str, T] = {}
    for start in range(0, len(ordered), CHUNK):
        query = select(kind).where(kind.code.in_(ordered[start : start + CHUNK]))
        found |= {thing.code: thing for thing in (await session.scalars(query)).all()}
    return found


def check_on_record(mistakes: Mistakes, line: int, column: str, code: str, known: Mapping[str, Any]) -> None:
    """Add a mistake when `code` is not among the known ones."""
    if code not in known:
        some = ", ".join(sorted(known)[:NAMED]) + (", …" if len(known) > NAMED else "")
        mistakes.add_mistake(line, column, f"{code} is not on record; there are: {some or 'none yet'}")
