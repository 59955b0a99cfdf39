"""The rules of operators' assignments: an operator, a province."""

from typing import Any

from inventory.domain.people.operator_assignment import check_operator, check_province
from inventory.storage.conflicts import refuse_as_422
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Agency, OperatorAssignment, Unit


async def check_assignment(transaction: WriteTransaction, _before: Any, after: OperatorAssignment | None) -> None:
    """Raises ProblemError 422 unless the agency is an operator and the unit a province."""
    if after is None:
        return
    agency = await transaction.session.get_one(Agency, after.agency_id)
    with refuse_as_422("agency_id"):
        check_operator(agency.role)
    unit = await transaction.session.get_one(Unit, after.unit_id)
    with refuse_as_422("unit_id"):
        check_province(unit.level)
