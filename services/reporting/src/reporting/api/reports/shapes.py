"""Bodies and answers of the routes of frozen reports."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from reporting.api.parameters import GivenInstant, zone_names
from reporting.domain.instants import Millis, moment
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.reports.snapshot.report import Report
from reporting.storage.availability.after_freezing import Late
from vonggac.events.inventory import FacilityType
from vonggac.http.lists import Key, Listing
from vonggac.http.protection.texts import VisibleText, visible

DEFAULT_ZONE = "Asia/Ho_Chi_Minh"
_FROM: dict[str, Any] = {"examples": ["2021-05-03T00:00:00+07:00"]}
_TO: dict[str, Any] = {"examples": ["2021-05-10T00:00:00+07:00"]}


def _known_zone(name: str) -> str:
    if name not in zone_names():
        msg = f"'{name}' is no IANA time zone; write one such as {DEFAULT_ZONE} or UTC"
        raise ValueError(msg)
    return name


type Zone = Annotated[str, AfterValidator(_known_zone), Field(max_length=64, examples=[DEFAULT_ZONE])]


class LetterheadResponse(Letterhead):
    """Who writes to whom, as a request gives it: what is shown on paper is seen by whoever gives it."""

    @field_validator("*")
    @classmethod
    def _visible(cls, given: str | list[str] | None) -> str | list[str] | None:
        if isinstance(given, list):
            return [visible(one) for one in given]
        return None if given is None else visible(given)


class FreezeResponse(BaseModel):
    """What to freeze: the figures of [from, to), as they are known now."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    start: GivenInstant = Field(alias="from", description="Start, included.", json_schema_extra=_FROM)
    end: GivenInstant = Field(alias="to", description="End, excluded.", json_schema_extra=_TO)
    time_zone: Zone = Field(default=DEFAULT_ZONE, description="IANA zone whose days and hours are meant.")
    cut_off: GivenInstant | None = Field(
        default=None,
        description="The instant whose evidence is complete: not before `to`, and at least the lateness horizon ago. "
        "Default: the newest possible one.",
    )
    unit: str | None = Field(default=None, max_length=64, description="Code or id of a unit.")
    agency: str | None = Field(default=None, max_length=64, description="Code or id of a managing agency.")
    type: FacilityType | None = Field(default=None, description="Type of the facility.")
    facility: str | None = Field(default=None, max_length=64, description="Code or id of a facility.")
    deadline: GivenInstant | None = Field(
        default=None,
        description="Strictly before it all is to be connected. Default: the deadlines of the register's obligations "
        "as of the cut-off. One that is given stands above them in text and chart, and is printed as the author's.",
    )
    target_ppm: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000,
        description="Availability demanded, in millionths. Default: the target in force at the beginning of the period "
        "(`GET /v1/availability-targets`); 990000 while none is set.",
    )
    proposals: list[Annotated[VisibleText, Field(min_length=1, max_length=2000)]] = Field(
        default=[], max_length=20, description="Part III of the letter, a paragraph each; by default of the figures."
    )
    letterhead: LetterheadResponse = Field(default=LetterheadResponse(), description="Who writes to whom.")


class VersionResponse(BaseModel):
    """Why figures are frozen again."""

    model_config = ConfigDict(extra="forbid")

    reason: VisibleText = Field(
        min_length=1, max_length=2000, description="Late evidence, or the correction agreed upon."
    )


class LateResponse(BaseModel):
    """Evidence that came for a report's time after it was frozen: its figures may differ."""

    since: datetime = Field(description="The first moment that it touches.")
    noticed_at: datetime = Field(description="When the newest of it came.")
    what: list[str] = Field(description="Kinds of facts that came.")
    cameras: int | None = Field(description="How many cameras it touches; null: maybe all.")


class ReportResponse(BaseModel):
    """One version of a frozen report, without its tables."""

    model_config = ConfigDict(populate_by_name=True)

    id: UUID
    version: int
    number: int = Field(description="Place in the chain of all frozen reports.")
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    frozen_at: datetime
    author: str
    author_name: str | None = Field(description="As it was when it was frozen, with `author_post`; null: not known.")
    author_post: str | None
    approved_by: str | None
    approver_name: str | None = Field(description="As it was at the approval, with `approver_post`; null: not known.")
    approver_post: str | None
    approved_at: datetime | None
    sha256: str
    previous_sha256: str | None = Field(description="Of the report before in the chain.")
    late_evidence: LateResponse | None = Field(
        description="What came since it was frozen, of the newest version: its figures may differ. `…/difference` says "
        "which do, `…/versions` keeps them as a further version."
    )


class DetailResponse(ReportResponse):
    """One version with what it says of itself; its tables are in its files."""

    time_zone: str
    cut_off: datetime
    rule_version: str
    reason: str | None = Field(description="Why there is a further version; null in the first.")
    changed_figures: int = Field(description="How many figures differ from the version before.")
    tables: dict[str, int] = Field(description="Rows of each table.")
    versions: list[int] = Field(description="All versions there are.")
    letterhead: Letterhead


class ChangeResponse(BaseModel):
    """One figure that differs; a whole row has the column `*`."""

    table: str
    row: str
    column: str
    before: str | None
    after: str | None


class DifferenceResponse(BaseModel):
    """What a further version would change."""

    version: int = Field(description="The newest version, which is compared.")
    changed_figures: int
    changes: list[ChangeResponse] = Field(description="The first thousand of them.")
    late_evidence: LateResponse | None


class VerdictResponse(BaseModel):
    """Whether a file is a frozen report of this register, unaltered."""

    unaltered: bool
    form: str | None = Field(description="json, csv, xlsx, docx or pdf; null for anything else.")
    report_id: UUID | None
    version: int | None
    sha256: str | None = Field(description="Of the report that the file carries.")
    differences: list[str] = Field(description="What is not as it was frozen, at most 20.")
    notes: list[str] = Field(description="What else is in the file, such as signatures.")


KEYS: dict[str, Key[Any]] = {
    "number": Key(lambda row: row.number, int),
    "frozen_at": Key(lambda row: row.frozen_at, datetime),
    "from": Key(lambda row: row.starts_at, datetime),
    "to": Key(lambda row: row.ends_at, datetime),
}
REPORTS = Listing(ReportResponse, keys=KEYS, id_key="number", default_sort="-number")


def late_shape(late: Late | None) -> LateResponse | None:
    """Convert what came since a report was frozen to its shape; None where nothing came."""
    if late is None:
        return None
    zone = ZoneInfo(DEFAULT_ZONE)
    return LateResponse(
        since=late.since.astimezone(zone),
        noticed_at=late.noticed_at.astimezone(zone),
        what=list(late.what),
        cameras=None if late.whole else late.cameras,
    )


def listed(row: Any, late: Late | None) -> ReportResponse:
    """Convert a row of the list."""
    zone = ZoneInfo(DEFAULT_ZONE)
    return ReportResponse(
        id=row.id,
        version=row.version,
        number=row.number,
        start=row.starts_at.astimezone(zone),
        end=row.ends_at.astimezone(zone),
        frozen_at=row.frozen_at.astimezone(zone),
        author=row.author,
        author_name=row.author_name,
        author_post=row.author_post,
        approved_by=row.approved_by,
        approver_name=row.approver_name,
        approver_post=row.approver_post,
        approved_at=None if row.approved_at is None else row.approved_at.astimezone(zone),
        sha256=row.sha256,
        previous_sha256=row.previous_sha256,
        late_evidence=late_shape(late),
    )


def detailed(report: Report, versions: list[int], late: Late | None = None) -> DetailResponse:
    """One version in full."""
    header, approval = report.header, report.approval
    zone = ZoneInfo(header.period.time_zone)

    def to_zone(instant: Millis) -> datetime:
        return moment(instant).astimezone(zone)

    return DetailResponse(
        id=report.id,
        version=header.version,
        number=header.number,
        start=to_zone(header.period.from_ms),
        end=to_zone(header.period.to_ms),
        frozen_at=to_zone(header.frozen_at_ms),
        author=header.author,
        author_name=header.author_name,
        author_post=header.author_post,
        approved_by=None if approval is None else approval.by,
        approver_name=None if approval is None else approval.name,
        approver_post=None if approval is None else approval.post,
        approved_at=None if approval is None else to_zone(approval.at_ms),
        sha256=report.sha256,
        previous_sha256=header.previous_sha256,
        late_evidence=late_shape(late),
        time_zone=header.period.time_zone,
        cut_off=to_zone(header.cut_off_ms),
        rule_version=header.rule_version,
        reason=header.reason,
        changed_figures=len(report.tables.get("changes", ())),
        tables={part.name: part.rows for part in header.tables},
        versions=versions,
        letterhead=header.letterhead,
    )
