"""Destinations: the two authorities every camera must reach (R09, R10)."""

from typing import Annotated

from pydantic import AfterValidator, Field

from inventory.domain.devices.trust import Trust
from inventory.domain.fields import Code, Fields, Name
from vonggac.events.inventory import DestinationRole, RequiredProof

NO_DESTINATION = "none"
"""In a CSV's `destinations` column: connected to none. So no destination may be called that."""


def _check_not_reserved(code: str) -> str:
    if code.lower() == NO_DESTINATION:
        msg = f"'{NO_DESTINATION}' means no destination in CSV files; choose another code"
        raise ValueError(msg)
    return code


class DestinationFields(Fields):
    """What is stated about a destination, apart from its address and credentials."""

    code: Annotated[Code, AfterValidator(_check_not_reserved)]
    name: Name
    role: DestinationRole
    required_proof: RequiredProof = Field(
        default=RequiredProof.ACKNOWLEDGED, description="What must be proven before a delivery counts as connected."
    )
    enabled: bool = Field(default=True, description="A disabled destination receives nothing.")
    tls: Trust | None = Field(
        default=None, description="Whom to trust on rtsps and rtmps; by default the system's authorities."
    )
    enhanced_rtmp: bool = Field(default=False, description="The centre takes H.265 over RTMP (enhanced RTMP).")


def check_provable(proof: RequiredProof, read_back_url_template: str | None) -> None:
    """Raises ValueError when a proof is demanded that nobody could give."""
    if proof is RequiredProof.VERIFIED and read_back_url_template is None:
        msg = (
            "is missing, and required_proof 'verified' needs it: give the address where the centre plays the stream "
            "back (often the same as url_template), or demand 'acknowledged'"
        )
        raise ValueError(msg)
