"""Bodies and answers of the routes of regimes: the rules, and the reports that they froze."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from reporting.api.reports.shapes import LetterheadResponse
from reporting.api.sending.addresses import Shown
from reporting.domain.instants import Millis, millis, moment
from reporting.domain.mandate.regimes import CUT_OFF_DAY, LAST_CUT_OFF_DAY, Rhythm, period_name
from reporting.domain.segments import Period
from reporting.urging.channels import ChannelKind
from reporting.urging.regimes import calendar_of
from vonggac.events.inventory import FacilityType
from vonggac.http.lists import Key, Listing
from vonggac.http.lists.parameters import FIRST_YEAR, LAST_YEAR
from vonggac.http.protection.texts import VisibleText

MOST_RECIPIENTS = 50
MOST_DAYS = 366


def _of_known_years(given: date) -> date:
    if not FIRST_YEAR <= given.year <= LAST_YEAR:
        msg = f"has a year that is not between {FIRST_YEAR} and {LAST_YEAR}"
        raise ValueError(msg)
    return given


Day = Annotated[date, AfterValidator(_of_known_years)]
Narrowing = Annotated[str | None, Field(default=None, max_length=64)]


class RegimeFields(BaseModel):
    """Which report is frozen by itself, when, before whom it is laid and to whom it goes once it is approved."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[VisibleText, Field(min_length=1, max_length=120, examples=["Báo cáo tháng"])]
    rhythm: Rhythm = Field(
        description="`month`, `quarter`, `half_year`, `year`: each ends in its last month, on the day before the "
        "cut-off. `days`: so many days each, from `starts_on` on."
    )
    cut_off_day: int = Field(
        default=CUT_OFF_DAY,
        ge=1,
        le=LAST_CUT_OFF_DAY,
        description="The first day that no longer counts, at 00:00 in Vietnam: 15 gives the 15th to the 14th "
        "(Decree 09/2019/NĐ-CP), 1 calendar months.",
    )
    every_days: int | None = Field(default=None, ge=1, le=MOST_DAYS, description="With `days`, and with nothing else.")
    starts_on: Day | None = Field(
        default=None,
        description="Cut-offs after this day are frozen, those that have passed too, marked late. Default: today.",
        examples=["2026-12-01"],
    )
    ends_on: Day | None = Field(
        default=None, description="The last day that a period may count; null: no end.", examples=["2027-12-14"]
    )
    unit: Narrowing = Field(default=None, max_length=64, description="Code or id of a unit.")
    agency: Narrowing = Field(default=None, max_length=64, description="Code or id of a managing agency.")
    type: FacilityType | None = Field(default=None, description="Type of the facility.")
    facility: Narrowing = Field(default=None, max_length=64, description="Code or id of a facility.")
    directive_id: UUID | None = Field(
        default=None, description="The directive whose letterhead its papers have. Default: that of most obligations."
    )
    letterhead: LetterheadResponse = Field(
        default=LetterheadResponse(), description="What stands above the letterhead of the directive."
    )
    approver_agency_id: UUID | None = Field(
        default=None, description="Before whom its reports are laid: its channels hear of each. Null: the list alone."
    )
    recipient_agency_ids: Annotated[list[UUID], Field(max_length=MOST_RECIPIENTS)] = Field(
        default=[], description="To whom an approved report is sent, through their channels."
    )
    enabled: bool = True

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.rhythm is Rhythm.DAYS) != (self.every_days is not None):
            msg = "rhythm `days` needs every_days, and the others have none"
            raise ValueError(msg)
        if self.starts_on is not None and self.ends_on is not None and self.ends_on < self.starts_on:
            msg = f"ends_on, {self.ends_on}, is before starts_on, {self.starts_on}"
            raise ValueError(msg)
        return self

    def columns(self, starts_on: date) -> dict[str, Any]:
        """As they are stored."""
        return {
            **self.model_dump(mode="python", exclude={"letterhead"}),
            "rhythm": self.rhythm.value,
            "type": None if self.type is None else self.type.value,
            "starts_on": starts_on,
            "letterhead": self.letterhead.model_dump(mode="json", include=self.letterhead.model_fields_set),
            "recipient_agency_ids": list(dict.fromkeys(self.recipient_agency_ids)),
        }


class NextPeriod(BaseModel):
    """The period that is frozen next."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str = Field(description="As papers have it.", examples=["tháng 12 năm 2026"])
    start: Shown = Field(alias="from")
    end: Shown = Field(alias="to", description="Its cut-off.")
    freezes_at: Shown = Field(description="The cut-off and the lateness horizon.")


class RegimeResponse(RegimeFields):
    """A regime."""

    id: UUID
    revision: int
    next_period: NextPeriod | None = Field(description="null: it is switched off, or has ended.")
    problem: str | None = Field(description="Why the report that is due could not be frozen; null: nothing is wrong.")
    created_at: Shown
    created_by: str
    changed_at: Shown
    changed_by: str


class SentResponse(BaseModel):
    """A message of a report through one channel."""

    version: int
    purpose: str = Field(description="`approval`: it waits for who approves; `copy`: it is approved.")
    agency_id: UUID
    channel_name: str
    channel_kind: ChannelKind
    state: str = Field(description="pending, sent or failed.")
    attempts: int
    outcome: str | None = Field(description="Of the last attempt, as of urging.")
    sent_at: Shown | None


class RegimeReportResponse(BaseModel):
    """The report of a cut-off, in its newest version."""

    model_config = ConfigDict(populate_by_name=True)

    regime_id: UUID
    regime_name: str
    period_name: str
    start: Shown = Field(alias="from")
    cut_off: Shown = Field(description="End of the period, excluded.")
    report_id: UUID
    version: int
    number: int = Field(description="Place in the chain of all frozen reports.")
    sha256: str
    frozen_at: Shown
    late: bool = Field(description="Frozen later than it could have been; its notes say why.")
    compared_with: UUID | None = Field(description="The last report of the regime; null: it is the first.")
    approver_agency_id: UUID | None = Field(description="Before whom it is laid; null: whoever decides.")
    awaits_approval: bool
    approved_by: str | None
    approver_name: str | None = Field(description="As it was at the approval, with `approver_post`; null: not known.")
    approver_post: str | None
    approved_at: Shown | None
    sendings: list[SentResponse]
    without_channel: list[UUID] = Field(description="Agencies that are to hear of it and have no channel.")


KEYS: dict[str, Key[Any]] = {
    "number": Key(lambda row: row.number, int),
    "cut_off": Key(lambda row: row.cut_off_at, datetime),
}
REGIME_REPORTS: Listing[Any, RegimeReportResponse] = Listing(
    RegimeReportResponse, keys=KEYS, id_key="number", default_sort="-number"
)


def regime_shape(row: Any, now: Millis, horizon_ms: Millis) -> RegimeResponse:
    """Convert the row of a regime to the shape that is shown."""
    own = ("next_period", "letterhead")
    values = {name: getattr(row, name) for name in RegimeResponse.model_fields if name not in own}
    head = LetterheadResponse.model_validate(row.letterhead)
    return RegimeResponse(**values, letterhead=head, next_period=_next_period(row, now, horizon_ms))


def _next_period(row: Any, now: Millis, horizon_ms: Millis) -> NextPeriod | None:
    """Find the first period that is not frozen yet: its evidence may still come."""
    found = calendar_of(row).next(max(now - horizon_ms, millis(row.counts_from))) if row.enabled else None
    if found is None:
        return None
    name = period_name(Rhythm(row.rhythm), found)
    return NextPeriod(
        name=name, start=moment(found.start), end=moment(found.end), freezes_at=moment(found.end + horizon_ms)
    )


def report_shape(row: Any, sendings: list[Any]) -> RegimeReportResponse:
    """Convert a row of `chain.page_of_regimes`, with what of it was sent."""
    period = Period(millis(row.starts_at), millis(row.cut_off_at))
    wanted = [] if row.approver_agency_id is None else [row.approver_agency_id]
    wanted += row.recipient_agency_ids if row.approved_at is not None else []
    reached = {one.agency_id for one in sendings}
    return RegimeReportResponse(
        regime_id=row.regime_id,
        regime_name=row.name,
        period_name=period_name(Rhythm(row.rhythm), period),
        start=row.starts_at,
        cut_off=row.cut_off_at,
        report_id=row.report_id,
        version=row.version,
        number=row.number,
        sha256=row.sha256,
        frozen_at=row.frozen_at,
        late=row.late,
        compared_with=row.compared_with,
        approver_agency_id=row.approver_agency_id,
        awaits_approval=row.approved_at is None,
        approved_by=row.approved_by,
        approver_name=row.approver_name,
        approver_post=row.approver_post,
        approved_at=row.approved_at,
        sendings=[SentResponse(**{name: getattr(one, name) for name in SentResponse.model_fields}) for one in sendings],
        without_channel=[one for one in dict.fromkeys(wanted) if one not in reached],
    )
