"""Destinations: the two monitoring centres that receive every camera (R09, R10)."""

from typing import Annotated, Protocol

from pydantic import AfterValidator, Field

from inventory.domain.devices.addresses import (
    DESTINATION_SCHEMES_SHOWN,
    can_be_read_back,
    may_hold_stream_key,
    scheme_of,
)
from inventory.domain.devices.camera import asks_reason
from inventory.domain.devices.trust import Trust
from inventory.domain.fields import PERIOD_HEADINGS, Code, Dated, Name
from vonggac.events.inventory import DestinationRole, RequiredProof

HEADINGS = {
    "code": "Mã trung tâm",
    "name": "Tên trung tâm",
    "role": "Cấp",
    "url_template": "Mẫu địa chỉ nhận",
    "read_back_url_template": "Mẫu địa chỉ phát lại",
    "required_proof": "Bằng chứng yêu cầu",
    "enabled": "Đang dùng",
    "enhanced_rtmp": "Nhận H.265 qua RTMP",
    **PERIOD_HEADINGS,
}
NO_DESTINATION = "none"
"""In a CSV's `destinations` column: no destination. So no destination may have this code."""


def _check_not_reserved(code: str) -> str:
    if code.lower() == NO_DESTINATION:
        msg = f"'{NO_DESTINATION}' means no destination in CSV files; choose another code"
        raise ValueError(msg)
    return code


class DestinationFields(Dated):
    """The fields of a destination, without its address and credentials."""

    code: Annotated[Code, AfterValidator(_check_not_reserved)]
    name: Name
    role: DestinationRole
    required_proof: RequiredProof = Field(
        default=RequiredProof.ACKNOWLEDGED,
        description="The proof that a delivery needs to count as connected.",
    )
    enabled: bool = Field(default=True, description="A disabled destination receives nothing.")
    tls: Trust | None = Field(
        default=None, description="Trust for rtsps and rtmps; by default the system's authorities."
    )
    enhanced_rtmp: bool = Field(default=False, description="The centre accepts H.265 over RTMP (enhanced RTMP).")


class NewDestination(DestinationFields):
    """A destination to add."""

    url_template: str = Field(
        description=f"Address ({DESTINATION_SCHEMES_SHOWN}) with {{camera_code}} or {{camera_id}}, perhaps "
        "{facility_code}; user:password@ is split off and sealed.",
        examples=["rtsp://10.9.0.1:8554/{camera_code}"],
    )
    read_back_url_template: str | None = Field(
        default=None,
        description="Address (rtsp, rtsps) where the centre plays the stream back, with the same placeholders (often "
        "the same as url_template); null: the centre plays nothing back, so nothing can be verified there. "
        "user:password@ becomes the read-back secret.",
    )
    connect_all_cameras: bool = Field(default=False, description="Create a delivery to it for every camera.")


def check_provable(proof: RequiredProof, read_back_url_template: str | None) -> None:
    """Raises ValueError when `proof` needs a read-back address and there is none."""
    if proof is RequiredProof.VERIFIED and read_back_url_template is None:
        msg = (
            "is missing, and required_proof 'verified' needs it: give the address where the centre plays the stream "
            "back (often the same as url_template), or demand 'acknowledged'"
        )
        raise ValueError(msg)
    if proof is RequiredProof.VERIFIED and read_back_url_template is not None:
        if can_be_read_back(read_back_url_template):
            return
        msg = (
            f"is an {scheme_of(read_back_url_template)} address, which cannot be read back, and required_proof "
            "'verified' needs it: give the RTSP address where the centre plays the stream, or demand 'acknowledged'"
        )
        raise ValueError(msg)


class _Addressed(Protocol):
    @property
    def enabled(self) -> bool: ...
    @property
    def url_template(self) -> str: ...
    @property
    def read_back_url_template(self) -> str | None: ...


def asks_reason_of_destination(before: _Addressed | None, after: _Addressed | None) -> str | None:
    """What a reason is needed for: switching it off, and an address that seems to hold a stream key.

    Whoever gives a reason says that it is none.
    """
    switching = asks_reason(before, after)
    if after is None or switching is not None:
        return switching
    for name in ("url_template", "read_back_url_template"):
        template = getattr(after, name)
        if may_hold_stream_key(template) and (before is None or getattr(before, name) != template):
            return (
                f"{name} has a part that looks like a stream key (put it into the credentials and write {{password}} "
                "there): an address with a part that only looks like one"
            )
    return None
