"""A frozen report as a value: header, tables, approval. Nothing in it changes; a correction is the next version."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from reporting.domain.compliance import RULE_OF_STATES, RULES_BEFORE_ASSESSMENT
from reporting.domain.instants import Millis
from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES
from reporting.reports.snapshot.canonical import Json, Row, canonical, row_digest, table_digest
from reporting.reports.snapshot.letterhead import Letterhead
from vonggac.decree.naming import name_person

SCHEMA: Literal["vonggac.report/1"] = "vonggac.report/1"
HEX = r"^[0-9a-f]{64}$"
UUID_TEXT = r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$"
MOST_VERSIONS = 2**31 - 1
_HEADER_FIRST = re.compile(rb'\s*\{\s*"header"\s*:\s*')
_MOST_HEADER_BYTES = 2**20
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)
"""What a file of somebody's making can make of its reader: half a surrogate pair, a thousand brackets."""


LENGTHS = tuple(f"{name}_ms" for name in DURATION_NAMES)
LEDGER = tuple(f"{name}_ms" for name in LEDGER_NAMES)
_GROUP = ("code", "name", "facilities", "facilities_with_cameras", "cameras", *LENGTHS)
PLACE = (
    "unit_code", "unit_name", "agency_code", "agency_name", "facility_id", "facility_code", "facility_name",
    "facility_type",
)  # fmt: skip
"""Where and what a facility is."""
_CAMERA = ("camera_id", "camera_code", "camera_name")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "totals": _GROUP,
    "units": _GROUP,
    "agencies": _GROUP,
    "types": _GROUP,
    "facilities": (*PLACE, "counted", "cameras", *LENGTHS),
    "progress": (
        *PLACE,
        "as_of_ms", "status", "address", "focal_point", "focal_point_from", "cameras", "cameras_needed", "sufficient",
        "missing_areas", "unassessed_areas", "survey_code", "survey_status", "surveyed", "surveyed_on",
        "survey_scheduled_on", "plan_code", "plan_status", "plan_agreed", "plan_agreed_ms", "plan_cameras",
        "plan_sources", "plan_transports", "plan_destinations", "plan_excepted", "connected_national",
        "connected_provincial", "connected_both", "due_obligation", "due_before_ms", "due_state", "overdue", "blocked",
        "blocked_why", "note",
    ),
    "obligations": (
        "obligation_id", "obligation_code", "obligation_name", "obligation_kind", "directive", "responsible_code",
        "responsible_name", "facility_id", "facility_code", "facility_name", "state", "due_before_ms",
        "own_deadline", "done_at_ms", "recorded_at_ms", "recorded_late", "settled_by", "settled_why",
    ),
    "proposals": (
        *PLACE,
        "proposal_id", "proposal_code", "proposal_status", "proposed_cameras", "proposed_areas", "estimated_cost_vnd",
        "lead_time_days", "funding_source", "decision_number", "decision_date", "signed_on", "document_number",
        "installed_on",
    ),
    "cameras": (*PLACE, *_CAMERA, *LENGTHS),
    "deliveries": (
        *PLACE, *_CAMERA,
        "delivery_id", "destination_code", "destination_name", "destination_role", "required_proof", *LEDGER,
    ),
    "outages": (
        "facility_code", *_CAMERA,
        "from_ms", "to_ms", "length_ms", "ongoing", "began_before", "confirmed", "cause", "causes", "site_fault_ms",
    ),
    "security": (
        "facility_code", *_CAMERA,
        "items_in_order", "items_insecure", "items_noted", "items_unknown", "items_declared", "items_observed",
    ),
    "security_findings": (
        "facility_code", *_CAMERA,
        "security_item", "security_value", "security_basis", "known_at_ms", "security_detail",
    ),
    "days": (
        "from_ms", "to_ms", "facilities", "facilities_connected", "cameras", "cameras_national", "cameras_provincial",
        "cameras_both", *LENGTHS,
    ),
    "strips": ("facility_code", *_CAMERA, "from_ms", "to_ms", "state"),
    "notes": ("note_kind", "from_ms", "to_ms", "facts", "text_vi", "text_en"),
    "comparison": ("figure", "last", "current", "last_report_id", "last_from_ms", "last_to_ms"),
    "changes": ("table", "row", "column", "before", "after"),
}  # fmt: skip
"""Every table and its columns, in the order in which people read them. `strips` are the worst cameras' last day;
`progress` and `obligations` are what the register said at the cut-off, which reports of rule 2 and before have not;
`notes` are what was refused as evidence, which reports of rule 3 and before have not; `proposals`, `security` and
`security_findings` are of the cut-off too, and older reports have not got them; `comparison` is of a report of a
regime: its main figures beside those of the last one."""

SINCE_ASSESSMENT = frozenset({"unassessed_areas", "own_deadline", "recorded_at_ms", "recorded_late"})
"""Columns that reports of rule 4 and before have not."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PeriodPart(_Part):
    """[from, to) in milliseconds since 1970 UTC, with the IANA zone whose days and hours are meant."""

    from_ms: Millis
    to_ms: Millis
    time_zone: str


class FilterPart(_Part):
    """What narrows the report: codes or ids, as they were given; null means all."""

    unit: str | None = None
    agency: str | None = None
    type: str | None = None
    facility: str | None = None


class TablePart(_Part):
    """One table with its digest."""

    name: str
    rows: int
    sha256: str = Field(pattern=HEX)


class Header(_Part):
    """Everything about a report but its rows. The report's digest is that of this, without the name and post of an
    author who had none."""

    schema_version: Literal["vonggac.report/1"] = SCHEMA
    id: str = Field(pattern=UUID_TEXT)
    version: int = Field(ge=1, le=MOST_VERSIONS)
    number: int = Field(ge=1, description="Place in the chain of all frozen reports and versions.")
    period: PeriodPart
    cut_off_ms: Millis = Field(description="The figures are of what had been heard of up to then, at least.")
    frozen_at_ms: Millis
    author: str
    author_name: str | None = Field(default=None, description="As it was when it was frozen; left out: not known.")
    author_post: str | None = None
    rule_version: str
    filters: FilterPart
    deadline_ms: Millis | None = Field(
        description="Strictly before this instant all is to be connected: the author's word, which stands above the "
        "register's obligations."
    )
    target_ppm: int = Field(ge=0, le=1_000_000, description="Availability that is demanded, in millionths.")
    proposals: list[str] = Field(description="What the author proposes, a paragraph each.")
    letterhead: Letterhead
    reason: str | None = Field(description="Why there is a further version; null in the first.")
    replaces_sha256: str | None = Field(pattern=HEX, description="Digest of the version before; null in the first.")
    previous_sha256: str | None = Field(pattern=HEX, description="Digest of the report before in the chain.")
    tables: list[TablePart]

    @property
    def author_in_words(self) -> str:
        return name_person(self.author, self.author_name, self.author_post)

    @model_serializer(mode="wrap")
    def _leave_out_unknown(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out names that are not known: reports of before they were known keep their digests."""
        return _without_none(serialize(self), "author_name", "author_post")


class Approval(_Part):
    """Who approved, and when. It comes after the figures and is no part of their digest; it has its own."""

    by: str
    at_ms: Millis
    name: str | None = Field(default=None, description="As it was at the approval; left out: not known.")
    post: str | None = None

    @property
    def in_words(self) -> str:
        return name_person(self.by, self.name, self.post)

    @model_serializer(mode="wrap")
    def _leave_out_unknown(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_none(serialize(self), "name", "post")


def _without_none(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None or name not in names}


class NotThatReportError(ValueError):
    """What was read is no frozen report, or not an unaltered one. `args[0]` says what differs, in English."""


@dataclass(frozen=True)
class Report:
    """One version of a frozen report."""

    header: Header
    tables: Mapping[str, Sequence[Row]]
    approval: Approval | None = None

    @cached_property
    def sha256(self) -> str:
        """The digest that stands at the foot of every page."""
        return sha256(canonical(self.header.model_dump(mode="json"))).hexdigest()

    @property
    def id(self) -> UUID:
        return UUID(self.header.id)

    @property
    def has_register(self) -> bool:
        """Whether it holds what the register said at the cut-off; reports of rule 2 and before do not."""
        return "progress" in self.tables

    @property
    def has_notes(self) -> bool:
        """Whether it holds the notes on its evidence; reports of rule 3 and before do not."""
        return "notes" in self.tables

    @property
    def by_read_backs(self) -> bool:
        """Whether it counts what lies between two read-backs that agree; reports of rule 3 and before do not."""
        return self.has_register and self.header.rule_version != RULE_OF_STATES

    @property
    def has_assessment(self) -> bool:
        """Whether it tells areas that nobody assessed from uncovered ones; reports of rule 4 and before do not."""
        return self.has_register and self.header.rule_version not in RULES_BEFORE_ASSESSMENT

    @property
    def has_security(self) -> bool:
        """Whether it holds installation proposals and the security of cameras; older reports do not."""
        return "security" in self.tables

    def columns_of(self, table: str) -> tuple[str, ...]:
        """List the columns that the table has by the rule of this report."""
        later = () if self.has_assessment else SINCE_ASSESSMENT
        return tuple(name for name in COLUMNS[table] if name not in later)

    @property
    def name(self) -> str:
        """What its files are called, without an extension."""
        return f"report-{self.header.id}-v{self.header.version}"

    def approval_sha256(self) -> str | None:
        """Binds the approval to these figures."""
        if self.approval is None:
            return None
        return sha256(canonical({"report_sha256": self.sha256, **self.approval.model_dump()})).hexdigest()

    def compact(self) -> bytes:
        """Write the document on one line: what the chain stores and what files carry inside."""
        return json.dumps(self.document(), ensure_ascii=False, separators=(",", ":")).encode()

    def document(self) -> dict[str, Json]:
        """All of it as JSON: what the JSON file shows and what the other files carry inside."""
        approval = None
        if self.approval is not None:
            approval = {**self.approval.model_dump(), "sha256": self.approval_sha256()}
        return {
            "header": self.header.model_dump(mode="json"),
            "sha256": self.sha256,
            "approval": approval,
            "tables": {name: self.document_rows(name) for name in self.tables},
        }

    def document_rows(self, table: str) -> list[Json]:
        """Return the rows of one table, each with its digest."""
        return [{**row, "sha256": row_digest(row).hex()} for row in self.tables[table]]


def table_parts(tables: Mapping[str, Sequence[Row]]) -> list[TablePart]:
    """Build the header's list of tables."""
    return [TablePart(name=name, rows=len(rows), sha256=table_digest(rows)) for name, rows in tables.items()]


def _check_leading_header(text: bytes) -> None:
    """Refuse a document by its header where that comes first, as in ours: all of it as values takes ten times its
    bytes. Raises ValueError."""
    begin = _HEADER_FIRST.match(text)
    if begin is None:
        return
    try:
        header, _ = json.JSONDecoder().raw_decode(text[begin.end() :][:_MOST_HEADER_BYTES].decode(errors="ignore"))
    except (ValueError, RecursionError):
        # Longer, or broken: whoever reads all of it says so.
        return
    Header.model_validate(header)


def parsed(text: bytes) -> Report:
    """Parse the report of a JSON document. Raises NotThatReportError naming the first thing that does not add up."""
    try:
        _check_leading_header(text)
        document = json.loads(text, parse_float=_refused, parse_constant=_refused)
        header = Header.model_validate(document["header"])
        approval = document["approval"]
        tables = {str(name): [dict(row) for row in rows] for name, rows in document["tables"].items()}
        digests = {name: [str(row.pop("sha256")) for row in rows] for name, rows in tables.items()}
        stated, approved = str(document["sha256"]), approval and str(approval.pop("sha256"))
        report = Report(header, tables, None if approval is None else Approval.model_validate(approval))
        check(report, digests)
        check_proof(report, stated, approved)
    except NotThatReportError:
        raise
    except UNREADABLE as error:
        msg = f"it is no report of the form {SCHEMA}: {error}"
        raise NotThatReportError(msg) from None
    return report


def check_proof(report: Report, stated: object, approved: object) -> None:
    """Check that the digests that a file states of header and approval are theirs. Raises NotThatReportError."""
    if stated != report.sha256:
        msg = f"the header gives the digest {report.sha256}, and the file states {stated}"
        raise NotThatReportError(msg)
    if approved != report.approval_sha256():
        msg = "the approval is not the one that its digest is of"
        raise NotThatReportError(msg)


def check(report: Report, digests: Mapping[str, Sequence[str]]) -> None:
    """Every row has its digest, every table that of the header. Raises NotThatReportError naming the first other."""
    for part in report.header.tables:
        rows = report.tables.get(part.name)
        if rows is None:
            msg = f"the table {part.name} is missing"
            raise NotThatReportError(msg)
        for number, (row, stated) in enumerate(zip(rows, digests[part.name], strict=True), start=1):
            if row_digest(row).hex() != stated:
                msg = f"table {part.name}, row {number} ({name_row(row)}): its figures are not those of its digest"
                raise NotThatReportError(msg)
        if len(rows) != part.rows or table_digest(rows) != part.sha256:
            msg = f"the table {part.name} has not the {part.rows} rows that the header's digest is of"
            raise NotThatReportError(msg)
    if extra := report.tables.keys() - {part.name for part in report.header.tables}:
        msg = f"the header knows no table {', '.join(sorted(extra))}"
        raise NotThatReportError(msg)


def name_row(row: Row) -> str:
    """Name what a row is of, for people."""
    for name in ("camera_code", "facility_code", "code", "from_ms"):
        if row.get(name) is not None:
            return str(row[name])
    return "all"


def _refused(number: str) -> Any:
    msg = f"the number {number} is no integer"
    raise ValueError(msg)


class StoredReport(NamedTuple):
    """One version as it is stored; `approval`: the fields of an `Approval`, None before it."""

    document: bytes
    approval: Mapping[str, Any] | None
    number: int = 0

    def report(self) -> Report:
        """Parse it; its digests are checked again."""
        report = parsed(self.document)
        if self.approval is None:
            return report
        return Report(report.header, report.tables, Approval.model_validate(self.approval))
