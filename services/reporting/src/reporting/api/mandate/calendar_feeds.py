"""/v1/calendar-feeds: the deadlines for calendar programs, each feed with a password that can be revoked."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from reporting.api.mandate.instants import Instant
from reporting.api.mandate.obligations import CALENDAR_TYPE, duties_of
from reporting.api.parameters import Context, Filters, InContext
from reporting.api.sending.addresses import Shown
from reporting.domain.instants import duration, millis
from reporting.domain.mandate.obligations import DUE_SOON_DAYS
from reporting.feeds.calendar_access import address_of, digest, new_password
from reporting.reports.mandate.calendar import calendar
from reporting.reports.mandate.inspections import inspections_due
from reporting.storage.mandate import calendar_feeds
from reporting.storage.snapshot import snapshot
from vonggac.auth import Caller, Principal, Role, guarded_router
from vonggac.events.inventory import FacilityType
from vonggac.http import ProblemError
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems
from vonggac.http.problems import not_found
from vonggac.http.protection.texts import VisibleText
from vonggac.telemetry import get_logger

log = get_logger(__name__)
router = guarded_router(prefix="/v1/calendar-feeds", tags=["obligations"])

Narrowing = Annotated[str | None, Field(max_length=64)]


class NewFeed(BaseModel):
    """A calendar for somebody."""

    model_config = ConfigDict(extra="forbid")

    name: VisibleText = Field(min_length=1, max_length=200, examples=["Lịch của Sở Y tế"])
    unit: Narrowing = Field(default=None, description="Code or id of a unit.")
    agency: Narrowing = Field(default=None, description="Code or id of a managing agency.")
    type: FacilityType | None = Field(default=None, description="Type of the facility.")
    facility: Narrowing = Field(default=None, description="Code or id of a facility.")
    restricted: bool = Field(default=False, description="Restricted facilities too.")
    by_address: bool = Field(
        default=False,
        description=(
            "Also an address that carries the password, for web calendars that send no login (Google, Outlook): "
            "whoever sees it reads the feed."
        ),
    )


class FeedResponse(BaseModel):
    """A feed without its password."""

    id: UUID
    name: str
    unit: str | None
    agency: str | None
    type: FacilityType | None
    facility: str | None
    restricted: bool
    by_address: bool = Field(description="Whether an address with the password is answered.")
    path: str = Field(description="Below this service's address; the user is the id.")
    created_at: Shown
    created_by: str
    revoked_at: Shown | None
    revoked_by: str | None
    last_read_at: Shown | None = Field(description="To the hour.")


class FeedWithPassword(FeedResponse):
    """The only answer that has the password."""

    password: str = Field(description="For HTTP Basic; keep it, it is not shown again.")
    address: str | None = Field(
        description="With `by_address`: below this service's address, with the password in it; not shown again either."
    )


KEYS: dict[str, Key[Any]] = {
    "name": Key(lambda row: row.name),
    "created_at": Key(lambda row: row.created_at, datetime),
    "id": Key(lambda row: row.id, UUID),
}
FEEDS: Listing[Any, FeedResponse] = Listing(FeedResponse, keys=KEYS, id_key="id", default_sort="name")


@router.get(
    "",
    summary="Calendar feeds",
    description="Revoked ones too. Without the passwords.",
    response_model=None,
    responses=FEEDS.responses,
)
async def list_feeds(
    shared: InContext,
    paging: Annotated[PageQuery[Any, FeedResponse], Depends(FEEDS)],
) -> Response:
    async with shared.database.transaction() as session:
        rows, total = await calendar_feeds.page(
            session, paging.orderings, paging.last, paging.limit, count=paging.wants_total
        )
    page = paging.page(rows, total=total)
    return paging.answer(page, [_shape(row) for row in page.rows])


@router.post(
    "",
    summary="Add a calendar feed",
    description=(
        "By the province's lead, for a party: the deadlines of the facilities that are given, all by default. A "
        "calendar program subscribes to the path with the feed's id as the user and the password of this answer, "
        "which is in no other. A web calendar that asks for no login (Google, Outlook) subscribes to the `address` of "
        "this answer, with `by_address`. Revoking the feed ends both."
    ),
    status_code=HTTPStatus.CREATED,
    response_model=FeedWithPassword,
    responses=problems({409: "There are too many.", 422: "Not allowed."}),
)
async def add_feed(body: NewFeed, shared: InContext, caller: Caller) -> Response:
    _check_lead(caller)
    now, password = shared.clock(), new_password()
    async with shared.database.transaction() as session:
        await _filters(body, caller).resolved(session, None)
        if await calendar_feeds.valid(session) >= calendar_feeds.MAX_FEEDS:
            msg = f"there are {calendar_feeds.MAX_FEEDS} feeds already: revoke one that nobody reads"
            raise ProblemError(HTTPStatus.CONFLICT, "too_many", msg)
        values = {
            **body.model_dump(),
            "id": uuid4(),
            "password_sha256": digest(password),
            "created_at": now,
            "created_by": caller.subject,
        }
        row = await calendar_feeds.add(session, values)
    address = address_of(row.id, password) if row.by_address else None
    shape = FeedWithPassword(**_shape(row).model_dump(), password=password, address=address)
    headers = {"Location": shape.path, "Cache-Control": "no-store"}
    return Response(shape.model_dump_json(), HTTPStatus.CREATED, headers=headers, media_type="application/json")


@router.delete(
    "/{feed_id}",
    summary="Revoke a calendar feed",
    description="For good, from this answer on. It stays in the list.",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems({404: "None that is valid."}),
)
async def revoke_feed(feed_id: UUID, shared: InContext, caller: Caller) -> None:
    async with shared.database.transaction() as session:
        if not await calendar_feeds.revoke(session, feed_id, shared.clock(), caller.subject):
            raise not_found("calendar feed", feed_id)


@router.get(
    "/{feed_id}.ics",
    summary="A calendar feed",
    description=(
        "`/v1/obligations.ics` for calendar programs: HTTP Basic, the user is the feed's id. Of the last full minute. "
        "The address that a feed with `by_address` was given when it was added answers the same without a login."
    ),
    response_class=Response,
    responses={
        200: {"content": {CALENDAR_TYPE: {"schema": {"type": "string"}, "example": "BEGIN:VCALENDAR\r\n"}}},
        **problems({404: "Unknown."}),
    },
)
async def read_feed(
    feed_id: Annotated[UUID, Path(description="The feed.")],
    shared: InContext,
    caller: Caller,
) -> Response:
    now = shared.clock()
    async with shared.database.transaction() as session:
        row = await calendar_feeds.get(session, feed_id)
        if row is None or row.revoked_at is not None:
            raise not_found("calendar feed", feed_id)
        await calendar_feeds.note_read(session, row, now)
    at = millis(now.replace(second=0, microsecond=0))
    asked = Instant.create(at, millis(now), duration(shared.settings.presumed_alive_s))
    body = await _calendar(shared, row, caller, asked)
    return Response(body, media_type=CALENDAR_TYPE, headers={"Cache-Control": "private, max-age=60"})


async def _calendar(shared: Context, row: Any, caller: Principal, asked: Instant) -> bytes:
    async with snapshot(shared.database) as session:
        scope = (await _filters(row, caller).resolved(session, millis(row.created_at))).scope
        then, owed = await duties_of(session, asked, scope, DUE_SOON_DAYS)
    return calendar(owed.items, inspections_due(then), asked.at)


def _filters(given: Any, caller: Principal) -> Filters:
    kind = None if given.type is None else FacilityType(given.type)
    return Filters(given.unit, given.agency, kind, given.facility, caller=caller)


def _check_lead(caller: Principal) -> None:
    """Whoever makes a feed hands out what it shows: the province's lead alone."""
    if Role.PROVINCE_LEAD not in caller.roles:
        log.warning("access_denied", subject=caller.subject, right="calendar_feed", path="/v1/calendar-feeds")
        detail = f"only the role '{Role.PROVINCE_LEAD}' adds calendar feeds"
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", detail)


def _shape(row: Any) -> FeedResponse:
    known = {name: getattr(row, name) for name in FeedResponse.model_fields if name != "path"}
    return FeedResponse(**known, path=f"/v1/calendar-feeds/{row.id}.ics")
