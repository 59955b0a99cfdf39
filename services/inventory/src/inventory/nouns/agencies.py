"""Rules of agencies that need other records: nobody is above or after itself; an operator, a province."""

from uuid import UUID

from sqlalchemy import select

from inventory.domain.people.operator_assignment import check_operator, check_province
from inventory.nouns.units import OF_A_UNIT, refuse_ended
from inventory.storage.conflicts import field_conflict, refuse_as_422
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Agency, ApprovalRule, OperatorAssignment, Unit

_SAID = {
    "parent_id": "would be above itself: choose an agency that does not answer to it",
    "successor_id": "would succeed itself: choose an agency whose work does not come back to it",
}


async def check_agency(transaction: WriteTransaction, before: Agency | None, after: Agency | None) -> None:
    """Raise ProblemError 409 for an agency that is, over any number of steps, its own parent or successor; 422 for one
    that newly answers for a unit that has ended."""
    if after is None:
        return
    await refuse_ended(transaction, before, after, OF_A_UNIT, since=after.valid_from)
    for field, said in _SAID.items():
        reached: UUID | None = getattr(after, field)
        if reached is None or (before is not None and getattr(before, field) == reached):
            continue
        column = Agency.__table__.c[field]
        steps = {row.id: row[1] for row in await transaction.session.execute(select(Agency.id, column))}
        seen: set[UUID] = set()
        while reached is not None and reached not in seen:
            if reached == after.id:
                raise field_conflict(field, said)
            seen.add(reached)
            reached = steps.get(reached)


async def check_assignment(
    transaction: WriteTransaction, before: OperatorAssignment | None, after: OperatorAssignment | None
) -> None:
    """Raise ProblemError 422 unless the agency is an operator and the unit a province that stands in those days."""
    if after is None:
        return
    agency = await transaction.session.get_one(Agency, after.agency_id)
    with refuse_as_422("agency_id"):
        check_operator(agency.role)
    await _check_province(transaction, after.unit_id)
    await refuse_ended(transaction, before, after, OF_A_UNIT, since=after.valid_from)


async def check_approval_rule(
    transaction: WriteTransaction, before: ApprovalRule | None, after: ApprovalRule | None
) -> None:
    """Raise ProblemError 422 unless the unit is a province that stands in those days."""
    if after is not None:
        await _check_province(transaction, after.unit_id)
        await refuse_ended(transaction, before, after, OF_A_UNIT, since=after.valid_from)


async def _check_province(transaction: WriteTransaction, unit_id: UUID) -> None:
    unit = await transaction.session.get_one(Unit, unit_id)
    with refuse_as_422("unit_id"):
        check_province(unit.level)
