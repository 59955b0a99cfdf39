"""Whether a delivery may run: under the facility's agreed plan, under an exception with a reason, or not at all (R04).

A camera that no agreed plan connects to a destination is registered and probed, but not forwarded there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from inventory.domain.fields import PERIOD_HEADINGS, Dated, Name
from inventory.domain.mandate.surveying.form import Text
from vonggac.events.inventory.plans import PlanBasis

HEADINGS = {
    "facility_id": "Mã cơ sở",
    "why": "Lý do",
    "approved_by": "Người cho phép",
    "decided_on": "Ngày cho phép",
    **PERIOD_HEADINGS,
}


class ExceptionFields(Dated):
    """A facility whose cameras are forwarded without an agreed plan, until this exception is removed."""

    facility_id: UUID
    why: Annotated[Text, Field(description="Why; the messages of its cameras carry it.")]
    approved_by: Name
    decided_on: date


@dataclass(frozen=True, slots=True)
class FacilityPlan:
    """What a facility's deliveries may run under. `connections`: camera code to the codes of its destinations."""

    connections: Mapping[str, frozenset[str]] = field(default_factory=dict)
    exception: str | None = None

    def basis(self, camera_code: str, destination_code: str) -> PlanBasis:
        """Under what a camera is forwarded to a destination."""
        if destination_code in self.connections.get(camera_code, frozenset()):
            return PlanBasis.AGREED
        return PlanBasis.EXCEPTED if self.exception is not None else PlanBasis.NONE
