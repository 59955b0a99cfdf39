"""All event types, by name and by producer, and reading a message of any of them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from vonggac.events import forwarder, inventory, prober, reporting, setup
from vonggac.events.envelope import (
    MESSAGE,
    CloudEvent,
    MalformedEventError,
    NewerTypeError,
    NotUnderstoodError,
    Payload,
)
from vonggac.events.traces import Traceparent

_BY_PRODUCER: dict[str, tuple[type[Payload], ...]] = {
    "inventory": (
        inventory.AgencyV1,
        inventory.UnitV1,
        inventory.FacilityV1,
        inventory.FocalPointV1,
        inventory.DestinationV1,
        inventory.CameraV1,
        inventory.DirectiveV1,
        inventory.ObligationV1,
        inventory.InformationRequestV1,
        inventory.TeamV1,
        inventory.TeamMemberV1,
        inventory.VisitV1,
        inventory.InspectionV1,
        inventory.MaintenanceWindowV1,
        inventory.JournalEntryV1,
        inventory.BlockedReasonV1,
        inventory.OperatorAssignmentV1,
        inventory.ApprovalRuleV1,
        inventory.SelfApprovalV1,
        inventory.FacilityLinkV1,
        inventory.CoverageV1,
        inventory.RecorderV1,
        inventory.SurveyV1,
        inventory.ConnectionPlanV1,
        inventory.PlanExceptionV1,
        inventory.InstallationProposalV1,
        inventory.RemovedV1,
    ),
    "prober": (
        prober.CameraObservedV1,
        prober.DeliveryVerifiedV1,
        prober.SiteObservedV1,
        prober.ProberAliveV1,
        prober.DemandV1,
    ),
    "forwarder": (forwarder.CameraMediaObservedV1, forwarder.DeliveryObservedV1, forwarder.ForwarderAliveV1),
    "reporting": (
        reporting.OutageOpenedV1,
        reporting.OutageClosedV1,
        reporting.SiteFaultOpenedV1,
        reporting.SiteFaultClosedV1,
        reporting.ObligationOverdueV1,
        reporting.ReportFrozenV1,
        reporting.ReportFlaggedV1,
        reporting.ReportLaidBeforeV1,
        reporting.ReportApprovedV1,
    ),
    "setup": (setup.StreamLostV1,),
}
PAYLOADS_BY_PRODUCER: Mapping[str, tuple[type[Payload], ...]] = MappingProxyType(_BY_PRODUCER)
_OURS = re.compile(r"vn\.vonggac\.[a-z_]+\.[a-z_]+\.v[0-9]+")
_BY_TYPE = {model.event_type: model for models in _BY_PRODUCER.values() for model in models}


def payload_model(event_type: str) -> type[Payload]:
    """Find the model of a type's data. Raises KeyError with the type's name for an unknown one."""
    return _BY_TYPE[event_type]


def decode(body: bytes) -> CloudEvent[Payload]:
    """Parse a message of any registered type.

    Raises MalformedEventError naming the field that is wrong: NewerTypeError for a type of the platform that is not
    known here, NotUnderstoodError for data that does not fit its type.
    """
    try:
        envelope = _Envelope.model_validate_json(body)
    except ValidationError as error:
        raise MalformedEventError(_first_fault(error)) from None
    try:
        model = payload_model(envelope.type)
    except KeyError:
        msg = f"type: {envelope.type} is not known here"
        raise (NewerTypeError(msg) if _OURS.fullmatch(envelope.type) else MalformedEventError(msg)) from None
    try:
        data = model.model_validate(envelope.data)
    except ValidationError as error:
        raise NotUnderstoodError(f"data.{_first_fault(error)}") from None
    return CloudEvent[Payload].model_construct(**{**dict(envelope), "data": data})


def _first_fault(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "document"
    return f"{where}: {first['msg']}"


class _Envelope(BaseModel):
    model_config = MESSAGE

    specversion: Literal["1.0"]
    id: str = Field(min_length=1)
    source: str = Field(min_length=1)
    type: str = Field(min_length=1)
    subject: str = Field(min_length=1)
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    publisher: str | None = None
    publishersequence: int | None = Field(default=None, ge=1)
    traceparent: Traceparent = None
    data: dict[str, Any]
