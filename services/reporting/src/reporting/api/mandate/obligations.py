"""GET /v1/obligations (R05, R06): what is owed at each facility; /v1/obligations.ics: the deadlines as a calendar."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.api.files import Chosen, file_answers
from reporting.api.mandate.instants import AsOf, Instant, shown_at, shown_or_none, table_of
from reporting.api.mandate.schemas import FacilityAtResponse, NamedResponse, facility_shape, named_shape
from reporting.api.parameters import Context, Filters, InContext
from reporting.domain.instants import moment
from reporting.domain.mandate.obligations import DUE_SOON_DAYS, DueState, Evidence, Kept
from reporting.reports.mandate.calendar import calendar
from reporting.reports.mandate.inspections import inspections_due
from reporting.reports.mandate.obligations import Duties, Item, duties
from reporting.reports.mandate.situation import Situation, situation_of_record
from reporting.storage import plan
from reporting.storage.snapshot import snapshot
from vonggac.auth import guarded_router
from vonggac.events.inventory import ObligationKind
from vonggac.http.lists import Key, Listing, PageOf, PageQuery
from vonggac.http.lists.words import Words, matcher

router = guarded_router(prefix="/v1", tags=["obligations"])

CALENDAR_TYPE = "text/calendar"


class EvidenceResponse(BaseModel):
    """One thing that the obligation needs; `at` is null while it is not there.

    `at` is the day on its paper, where it has one; lateness counts it.
    """

    kind: str = Field(
        description="survey, connection_plan, connection, proposal, coverage, focal_point, inspection, or register: "
        "what people settled on record."
    )
    id: UUID | None
    code: str | None
    at: datetime | None
    recorded_at: datetime | None = Field(description="When it was entered or observed.")
    document: str | None = Field(description="Number of the document, where `at` is the day on it.")
    kept: Kept | None = Field(
        description="returned, restored or corrected: it counts from the day on which it was taken first."
    )


class ObligationResponse(BaseModel):
    """One obligation at one facility, or in the province, at the instant."""

    obligation_id: UUID
    code: str
    name: str
    kind: ObligationKind
    directive: str | None = Field(description="Number of the directive, as printed.")
    responsible: NamedResponse
    facility: FacilityAtResponse | None = Field(description="null: owed once for the province, as a report is.")
    state: DueState
    due_before: datetime | None = Field(description="On time is strictly before; the deadline that held then.")
    first_due_before: datetime | None = Field(description="The first deadline, where it was moved since.")
    own_deadline: bool = Field(
        description="The deadline is the facility's own: its cameras came, or it was approved, founded, opened again "
        "or moved, after the directive's day."
    )
    since: datetime | None = Field(description="Since when the facility comes under it; null: of the province.")
    done_at: datetime | None = Field(description="By the day on paper, where there is one.")
    recorded_at: datetime | None = Field(description="When what makes it done was entered or observed.")
    recorded_late: bool = Field(description="Done in time, and entered at the deadline or later.")
    late_s: float | None = Field(description="How long after the deadline it was done, or has been open; else null.")
    settled_by: str | None = Field(description="Who waived it, or settled it on record.")
    settled_why: str | None
    evidence: list[EvidenceResponse]


class Obligations(PageOf[ObligationResponse]):
    """A page of obligations, and how many of all pages stand how."""

    as_of: datetime
    by_state: dict[DueState, int]
    recorded_late: int = Field(description="How many of all pages were done in time and entered after the deadline.")


KEYS: dict[str, Key[Item]] = {
    "due_before": Key(lambda item: item.due.due_before, int),
    "code": Key(lambda item: item.obligation.code),
    "state": Key(lambda item: item.due.state.value),
    "facility_code": Key(lambda item: None if item.facility is None else item.facility.code),
    "obligation_id": Key(lambda item: item.obligation.id, UUID),
    "facility_id": Key(lambda item: None if item.facility is None else item.facility.id, UUID),
}
OBLIGATIONS = Listing(
    ObligationResponse,
    keys=KEYS,
    id_key="obligation_id,facility_id",
    default_sort="due_before,code,facility_code",
    envelope=Obligations,
)
_SOON = Query(alias="soon_days", ge=0, le=366, description="Due soon: within so many days.")
_MAX_AGE = Query(
    ge=0, le=60, description="Without `as_of`: how many seconds old the answer may be; `as_of` says of when it is."
)


@router.get(
    "/obligations",
    summary="What is owed, facility by facility",
    description="Due soon and overdue follow from the deadline and the clock. Of a survey, a plan, a connection, a "
    "proposal or cameras the facts decide; what people settled on record waives an obligation, and makes a report or "
    "another matter done.",
    response_model=None,
    responses=file_answers(OBLIGATIONS.responses[200]),
)
async def list_obligations(
    shared: InContext,
    asked: AsOf,
    filters: Annotated[Filters, Depends()],
    paging: Annotated[PageQuery[Item, ObligationResponse], Depends(OBLIGATIONS)],
    request: Request,
    chosen: Chosen,
    state: Annotated[DueState | None, Query(description="Only these.")] = None,
    kind: Annotated[ObligationKind | None, Query(description="Only these.")] = None,
    code: Annotated[str | None, Query(max_length=64, description="Only this obligation.")] = None,
    soon: Annotated[int, _SOON] = DUE_SOON_DAYS,
    q: Words = None,
    max_age_s: Annotated[int, _MAX_AGE] = 0,
) -> Response:
    asked = asked.resumed(paging.as_of)
    if chosen.is_file:
        own = ("state", "kind", "code", "soon_days", "q", "max_age_s")
        return await table_of(shared, "obligations", asked, chosen, filters, request, own=own)
    matches = matcher(q)
    is_of_now = paging.as_of is None and "as_of" not in request.query_params
    asked, owed = await _recent_items(shared, asked, filters, soon, max_age_s if is_of_now else 0)
    items = [
        one
        for one in owed
        if state in {None, one.due.state}
        and kind in {None, one.obligation.kind}
        and code in {None, one.obligation.code}
        and matches(*_texts_of(one))
    ]
    by_state = {each: sum(one.due.state is each for one in items) for each in DueState}
    late = sum(one.recorded_late for one in items)
    page = paging.cut(items, as_of=moment(asked.at))
    shown = [obligation_shape(one, asked) for one in page.rows]
    return paging.answer(page, shown, as_of=shown_at(asked.at), by_state=by_state, recorded_late=late)


@router.get(
    "/obligations.ics",
    summary="Deadlines as a calendar",
    description="iCalendar (RFC 5545): an event per obligation that is not done everywhere and has a deadline, on the "
    "last day that is in time, and one per inspection due.",
    response_class=Response,
    responses={200: {"content": {CALENDAR_TYPE: {"schema": {"type": "string"}, "example": "BEGIN:VCALENDAR\r\n"}}}},
)
async def read_calendar(
    shared: InContext,
    asked: AsOf,
    filters: Annotated[Filters, Depends()],
) -> Response:
    then, owed = await _duties(shared, asked, filters, DUE_SOON_DAYS)
    body = calendar(owed.items, inspections_due(then), asked.at)
    headers = {"Content-Disposition": 'attachment; filename="vong-gac.ics"'}
    return Response(body, media_type=CALENDAR_TYPE, headers=headers)


def _texts_of(item: Item) -> tuple[str | None, ...]:
    facility = item.facility
    place = (None, None) if facility is None else (facility.code, facility.name)
    obligation, responsible = item.obligation, item.responsible
    return (obligation.code, obligation.name, item.directive, responsible.code, responsible.name, *place)


async def _recent_items(
    shared: Context, asked: Instant, filters: Filters, soon_days: int, max_age_s: int
) -> tuple[Instant, tuple[Item, ...]]:
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asked.at)).scope

    async def find() -> tuple[Item, ...]:
        async with snapshot(shared.database) as session:
            return (await duties_of(session, asked, scope, soon_days))[1].items

    at, items = await shared.recent_duties.find((scope, soon_days), asked.at, max_age_s, find)
    return asked._replace(at=at), items


async def _duties(shared: Context, asked: Instant, filters: Filters, soon_days: int) -> tuple[Situation, Duties]:
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asked.at)).scope
        return await duties_of(session, asked, scope, soon_days)


async def duties_of(
    session: AsyncSession, asked: Instant, scope: plan.Scope, soon_days: int
) -> tuple[Situation, Duties]:
    """Compute the duties of the facilities of a scope, and the situation that they follow from."""
    then = await situation_of_record(session, asked.at, asked.presumed_alive_ms, scope)
    return then, await duties(session, then, soon_days=soon_days)


def obligation_shape(item: Item, asked: Instant) -> ObligationResponse:
    """As the API shows it."""
    obligation, due = item.obligation, item.due
    first = obligation.deadlines[0].due_before if obligation.deadlines else None
    if item.own_deadline:
        first = due.due_before
    late_ms = None
    if due.due_before is not None and due.state in {DueState.OVERDUE, DueState.DONE_LATE}:
        late_ms = (asked.at if due.done_at is None else due.done_at) - due.due_before
    return ObligationResponse(
        obligation_id=obligation.id,
        code=obligation.code,
        name=obligation.name,
        kind=obligation.kind,
        directive=item.directive,
        responsible=named_shape(item.responsible),
        facility=None if item.facility is None else facility_shape(item.facility),
        state=due.state,
        due_before=shown_or_none(due.due_before),
        first_due_before=shown_or_none(first if first != due.due_before else None),
        own_deadline=item.own_deadline,
        since=shown_or_none(item.since),
        done_at=shown_or_none(due.done_at),
        recorded_at=shown_or_none(item.recorded_at),
        recorded_late=item.recorded_late,
        late_s=None if late_ms is None else late_ms / 1000,
        settled_by=due.by,
        settled_why=due.why,
        evidence=[_evidence_shape(one) for one in item.evidence],
    )


def _evidence_shape(one: Evidence) -> EvidenceResponse:
    return EvidenceResponse(
        kind=one.kind,
        id=one.id,
        code=one.code,
        at=shown_or_none(one.at),
        recorded_at=shown_or_none(one.entered_at),
        document=one.document,
        kept=one.kept,
    )
