"""Connection plans: per facility, in versions; what both sides agreed never changes (R04)."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from inventory.domain.devices.addresses import scheme_of
from inventory.domain.fields import Code, Fields, Line, Name
from inventory.domain.mandate.surveying.form import Text
from inventory.domain.paper import PAPER, PAPER_HEADINGS, SHA256, Paper, check_paper
from inventory.domain.states import REASON, StateMachine
from vonggac.events.inventory.people import AgencyRole
from vonggac.events.inventory.plans import PlanStatus

MAX_CONNECTIONS = 1000

MACHINE = StateMachine(
    noun="connection_plan",
    states=PlanStatus,
    initial=PlanStatus.DRAFT,
    transitions={
        PlanStatus.DRAFT: {PlanStatus.PROPOSED: ("has_connections",), PlanStatus.REJECTED: (REASON,)},
        PlanStatus.PROPOSED: {
            PlanStatus.AGREED: ("surveyed", "lead_agrees", "operator_agrees", "managing_agency_consulted"),
            PlanStatus.DRAFT: (REASON,),
            PlanStatus.REJECTED: (REASON,),
        },
        PlanStatus.AGREED: {PlanStatus.SUPERSEDED: ("replaced",)},
        PlanStatus.SUPERSEDED: {},
        PlanStatus.REJECTED: {},
    },
    vietnamese={
        PlanStatus.DRAFT: "dự thảo",
        PlanStatus.PROPOSED: "đã trình",
        PlanStatus.AGREED: "đã thống nhất",
        PlanStatus.SUPERSEDED: "đã thay thế",
        PlanStatus.REJECTED: "không thống nhất",
    },
    guards={
        "has_connections": "it connects at least one camera, and says who is responsible and by which day",
        "surveyed": "the facility has an approved survey (R03)",
        "lead_agrees": "the lead (Sở TT&TT) has agreed: record it as a consent",
        "operator_agrees": "the operator (Viettel) has agreed: record it as a consent",
        "managing_agency_consulted": "the facility's managing agency was consulted: record it as a consent",
        "replaced": "a newer version of this plan is agreed",
    },
    vietnamese_guards={
        "has_connections": "có ít nhất một camera, người phụ trách và ngày hoàn thành",
        "surveyed": "cơ sở có phiếu khảo sát đã duyệt (R03)",
        "lead_agrees": "đơn vị chủ trì (Sở TT&TT) đã thống nhất: ghi vào ý kiến thống nhất",
        "operator_agrees": "đơn vị vận hành (Viettel) đã thống nhất: ghi vào ý kiến thống nhất",
        "managing_agency_consulted": "đã hỏi ý kiến cơ quan quản lý của cơ sở: ghi vào ý kiến thống nhất",
        "replaced": "phương án mới hơn đã được thống nhất",
    },
)

HEADINGS = {
    "code": "Mã phương án",
    "facility_id": "Mã cơ sở",
    "version": "Lần",
    "status": "Trạng thái",
    "connections": "Danh sách kết nối",
    "connect_by": "Hoàn thành trước hết ngày",
    "responsible_lead": "Người phụ trách (Sở TT&TT)",
    "responsible_operator": "Người phụ trách (Viettel)",
    "consents": "Ý kiến thống nhất",
    "note": "Ghi chú",
    **PAPER_HEADINGS,
    "connected_on": "Ngày nghiệm thu kết nối",
    "acceptance_number": "Số biên bản nghiệm thu",
    "acceptance_file": "Tệp biên bản nghiệm thu",
    "acceptance_sha256": "SHA-256 của biên bản nghiệm thu",
}


class Source(StrEnum):
    """Where the stream is taken from."""

    CAMERA = "camera"
    NVR_CHANNEL = "nvr_channel"
    VENDOR_CLOUD = "vendor_cloud"


def check_bare_address(text: str) -> str:
    """Raise ValueError when an address holds a login: a plan names where the login is kept, never the login."""
    text = text.strip()
    rest = text.partition("://")[2] if scheme_of(text) else text
    if "@" in rest.partition("/")[0] or any(word in rest.lower() for word in ("password=", "passwd=", "pwd=")):
        msg = "holds a login: leave it out and say in credentials_reference where it is kept"
        raise ValueError(msg)
    if not text or any(char.isspace() for char in text):
        msg = "is an address such as 10.20.1.5:554 or rtsp://10.20.1.5:554/Streaming/Channels/101, without spaces"
        raise ValueError(msg)
    return text


class Connection(Fields):
    """One camera: how it is taken, and where it goes."""

    camera_code: Code = Field(description="Code that the camera has, or will have, in the register.")
    source: Source = Source.CAMERA
    channel: Annotated[int, Field(ge=1, le=1024)] | None = Field(default=None, description="Of the recorder.")
    stream: Literal["main", "sub"] = "main"
    transport: Literal["tcp", "udp", "auto"] = "tcp"
    address: Annotated[str, StringConstraints(max_length=1000), AfterValidator(check_bare_address)] = Field(
        description="Host or address of the stream, without a login."
    )
    vpn: Line | None = Field(default=None, description="Tunnel that leads there.")
    credentials_reference: Line | None = Field(default=None, description="Where the login is kept; never the login.")
    bandwidth_kbps: Annotated[int, Field(ge=16, le=1_000_000)]
    destination_codes: Annotated[tuple[Code, ...], Field(min_length=1, max_length=10)]
    responsible: Name | None = Field(default=None, description="Who connects it.")
    due_on: date | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Connection":
        if self.source is Source.NVR_CHANNEL and self.channel is None:
            msg = f"camera {self.camera_code}: give the channel of the recorder"
            raise ValueError(msg)
        if len(set(self.destination_codes)) < len(self.destination_codes):
            msg = f"camera {self.camera_code}: a destination is there twice"
            raise ValueError(msg)
        return self


class PlanFields(Paper):
    """One version of a facility's plan. Version and code are given by the register."""

    facility_id: UUID
    connections: Annotated[tuple[Connection, ...], Field(max_length=MAX_CONNECTIONS)] = ()
    connect_by: date | None = Field(default=None, description="Day by which everything in it is connected.")
    responsible_lead: Name | None = Field(default=None, description="Who answers for it at the lead (Sở TT&TT).")
    responsible_operator: Name | None = Field(default=None, description="Who answers for it at the operator.")
    note: Text | None = None
    connected_on: date | None = Field(
        default=None,
        description="Day on the minutes that accept the connection. It dates a connection that is observed, and "
        "replaces none.",
    )
    acceptance_number: Name | None = Field(default=None, description="Number of those minutes.")
    acceptance_file: Name | None = Field(default=None, description="Name of their file.")
    acceptance_sha256: str | None = Field(default=None, pattern=SHA256, description="SHA-256 of that file.")

    @model_validator(mode="after")
    def _acceptance_is_whole(self) -> "PlanFields":
        file = (self.acceptance_file, self.acceptance_sha256)
        check_paper(self.connected_on, self.acceptance_number, file, "connected_on")
        return self

    @model_validator(mode="after")
    def _each_once(self) -> "PlanFields":
        counted = Counter(one.camera_code for one in self.connections)
        if twice := [code for code, count in counted.items() if count > 1]:
            msg = f"connections: camera {twice[0]} is there twice"
            raise ValueError(msg)
        return self


class ConsentKind(StrEnum):
    """What an agency did with a proposed plan."""

    AGREED = "agreed"
    CONSULTED = "consulted"


class GivenConsent(Fields):
    """An agency's word on a proposed plan, given by a named person on a day."""

    agency_id: UUID
    kind: ConsentKind
    given_by: Name = Field(description="Full name and post of who gave it.")
    given_on: date
    document: Line | None = Field(
        default=None, description="Number of the document; needed for the word of another agency, with `document_file`."
    )
    document_file: Line | None = Field(default=None, description="Where the signed document is kept.")


class Consent(GivenConsent):
    """The same as it is on record."""

    recorded_by: str | None = Field(
        default=None,
        description="Who recorded it by its document (ghi nhận bởi); null: the agency gave it with its own token.",
    )


def met_guards(
    plan: PlanFields,
    consents: Iterable[Consent],
    *,
    roles: dict[UUID, AgencyRole],
    managing_agency_id: UUID,
    surveyed: bool,
) -> frozenset[str]:
    """Find the guards that hold. `roles`: of the consenting agencies; `replaced` is the register's own, never among
    them."""
    given = tuple(consents)
    agreed = {roles.get(one.agency_id) for one in given if one.kind is ConsentKind.AGREED}
    named = None not in {plan.responsible_lead, plan.responsible_operator, plan.connect_by}
    holds = {
        "has_connections": bool(plan.connections) and named,
        "surveyed": surveyed,
        "lead_agrees": AgencyRole.LEAD in agreed,
        "operator_agrees": AgencyRole.OPERATOR in agreed,
        "managing_agency_consulted": managing_agency_id in {one.agency_id for one in given},
    }
    return frozenset(name for name, true in holds.items() if true)


ACCEPTANCE = frozenset({"connected_on", "acceptance_number", "acceptance_file", "acceptance_sha256"})
"""What is recorded when a plan was carried out."""
LATER = PAPER | ACCEPTANCE
"""What may be recorded of a version that is no draft: the documents on which it stands."""


def find_agreed_day(signed_on: date | None, consents: Iterable[Consent]) -> date | None:
    """Find an agreed version's day on paper: of its own document, else of the last word, if each has a document."""
    words = tuple(consents)
    if signed_on is not None or not words or any(one.document is None for one in words):
        return signed_on
    return max(one.given_on for one in words)


def plan_code(facility_code: str, version: int) -> str:
    """Build the code of a version, e.g. QT-KCL-01-PA2."""
    return f"{facility_code[:56]}-PA{version}"


def is_open(status: PlanStatus) -> bool:
    """Whether its fields may still change."""
    return status is PlanStatus.DRAFT


def why_closed(status: PlanStatus) -> str:
    """Say what to do instead of changing a version that is no draft."""
    if status is PlanStatus.PROPOSED:
        return "it is proposed, and the others judge what they read: take it back to draft first, with a reason"
    return f"it is {status} and never changes: make a new version of it (POST …/versions), change that and propose it"


def as_json(connection: Connection) -> dict[str, Any]:
    """Convert a connection to JSON, as it is stored and compared."""
    return connection.model_dump(mode="json")
