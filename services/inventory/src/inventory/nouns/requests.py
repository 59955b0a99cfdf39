"""A request as it is stored: what is asked, by whom, and that it waits."""

from uuid import UUID

from inventory.domain.mandate.decision_request import RequestFields, RequestStatus
from inventory.nouns.writer import Write
from inventory.storage.tables import DecisionRequest


def new_request(
    writing: Write, asked: RequestFields, *, facility_id: UUID | None, window_id: UUID | None = None
) -> DecisionRequest:
    """A waiting request of the caller. `facility_id`: of the thing that it is about."""
    caller = writing.caller
    return DecisionRequest(
        act=asked.act,
        facility_id=facility_id,
        window_id=window_id,
        asked=asked,
        reason=asked.reason,
        asked_by=caller.subject,
        asked_roles=sorted(role.value for role in caller.roles),
        asked_agency_id=caller.agency,
        status=RequestStatus.WAITING,
    )
