"""/v1/urges: the log of who was urged; answers, the draft of a letter, urging by hand, and who would be urged now."""

import asyncio
from datetime import datetime, time, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.api.files import Chosen, file_answers, refuse_filters_of_pages, table_answer
from reporting.api.parameters import InContext, find_seen, invalid
from reporting.api.people import load_people
from reporting.api.sending.addresses import feed_tasks_of
from reporting.api.sending.log_shapes import OwnView, own_view, to_answer, to_item, to_responses
from reporting.api.sending.rules import check_agency
from reporting.api.sending.shapes import (
    AnswerResponse,
    ByHand,
    DigestResponse,
    DueDigests,
    NewAnswer,
    UrgeResponse,
)
from reporting.domain.instants import VIETNAM, duration, format_instant, millis
from reporting.domain.segments import Period
from reporting.reports.accounts import Question
from reporting.storage import plan
from reporting.storage.mandate import codes
from reporting.storage.sending import log as kept
from reporting.storage.sending.records import agencies
from reporting.storage.sight import visible_facilities
from reporting.urging.channels import ChannelKind
from reporting.urging.letter import LetterOf, letter
from reporting.urging.owed import facilities
from reporting.urging.urger import Urger, digest_by_hand
from vonggac.auth import Caller, Principal, Role, demand_province, guarded_router
from vonggac.events.inventory import AgencyRole
from vonggac.http import ProblemError
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.lists.words import Words, matcher
from vonggac.http.openapi import problems
from vonggac.http.problems import not_found

router = guarded_router(prefix="/v1/urges", tags=["urging"])

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
LATELY = timedelta(hours=1)

KEYS: dict[str, Key[Any]] = {
    "urged_at": Key(lambda row: row.urged_at, datetime),
    "level": Key(lambda row: row.level, int),
    "id": Key(lambda row: row.id, UUID),
}
URGES: Listing[Any, UrgeResponse] = Listing(UrgeResponse, keys=KEYS, id_key="id", default_sort="-urged_at")


def urger(shared: InContext) -> Urger:
    return feed_tasks_of(shared).urger


AboutFacility = Annotated[
    str | None, Query(description="Code or id of a facility: only what is about it.", max_length=64)
]
InUrging = Annotated[Urger, Depends(urger)]


@router.get(
    "",
    summary="Who was urged",
    description=(
        "Newest first: when, about what, through which channels, with which outcome, and what they answered. "
        "`format=csv`, `xlsx` or `parquet` gives the table `urges`."
    ),
    response_model=None,
    responses=file_answers(URGES.responses[200]),
)
async def list_urges(
    shared: InContext,
    paging: Annotated[PageQuery[Any, UrgeResponse], Depends(URGES)],
    chosen: Chosen,
    request: Request,
    caller: Caller,
    agency: Annotated[str | None, Query(description="Code or id of an agency: only this party.", max_length=64)] = None,
    facility: AboutFacility = None,
    q: Words = None,
) -> Response:
    if chosen.is_file:
        demand_province(request, caller, "the file of the log is of the province as a whole")
        refuse_filters_of_pages(request, chosen, ("q", "facility"))
    async with shared.database.transaction() as session:
        agency_id = await find_seen(session, "agency", agency)
        about = await _codes_of(session, caller, "facility", facility)
    if chosen.is_file:
        now = millis(shared.clock())
        question = Question(Period(now - 1, now), now, duration(shared.settings.presumed_alive_s))
        return table_answer(shared, "urges", question, chosen, plan.Scope(), only=agency_id)
    async with shared.database.transaction() as session:
        view = await own_view(session, caller)
        if view is not None and q is not None:
            raise invalid("q", "is not for a facility's link: it lists what is about the facility")
        rows, total = await kept.page(
            session,
            kept.Chosen(
                agency_id,
                None if view is not None else _parties(caller),
                about if view is None else view.codes,
                None if q is None else matcher(q),
            ),
            (paging.orderings, paging.last, paging.limit),
            count=paging.wants_total,
        )
        page = paging.page(rows, total=total)
        shapes = await to_responses(session, page.rows)
    if view is not None:
        shapes = [view.narrow(one) for one in shapes]
    return paging.answer(page, shapes)


@router.get(
    "/due",
    summary="Whom the rules would urge now",
    description="A preview: nothing is sent, and nothing is entered in the log.",
)
async def list_due_urges(
    shared: InContext, urging: InUrging, caller: Caller, facility: AboutFacility = None
) -> DueDigests:
    now, parties = shared.clock(), _parties(caller)
    async with shared.database.transaction() as session:
        about = await _codes_of(session, caller, "facility", facility)
        digests = await urging.due(session, now)
    shapes = [
        DigestResponse(
            agency_id=one.agency_id,
            level=one.level,
            rule_ids=list(one.rule_ids),
            channel_kinds=sorted(ChannelKind(kind) for kind in one.channel_kinds),
            items=[to_item(item._asdict()) for item in one.items if about is None or item.facility_code in about],
        )
        for one in digests
        if (parties is None or one.agency_id in parties)
        and (about is None or any(item.facility_code in about for item in one.items))
    ]
    return DueDigests(at=now, items=shapes)


@router.post(
    "",
    summary="Urge a party by hand",
    description="About its obligations that are overdue and the outages of its facilities, as they are now.",
    status_code=HTTPStatus.CREATED,
    response_model=UrgeResponse,
    responses=problems({409: "There is nothing to urge it about, or it was urged lately.", 422: "Unknown agency."}),
)
async def urge_by_hand(body: ByHand, shared: InContext, urging: InUrging, caller: Caller) -> Response:
    now = shared.clock()
    async with shared.database.transaction() as session:
        await check_agency(session, body.agency_id)
        given = None if body.facility_id is None else str(body.facility_id)
        about = await _codes_of(session, caller, "facility_id", given)
        await kept.lock(session)
        await _check_lately(session, body, now)
        kinds = frozenset(one.value for one in body.channel_kinds)
        owed = await urging.list_owed(session, now)
        digest = digest_by_hand(body.agency_id, body.level, owed, kinds, millis(now), about)
        if not digest.items:
            msg = (
                "there is nothing to urge it about: no obligation of it is overdue, no camera of its facilities is down"
            )
            raise ProblemError(HTTPStatus.CONFLICT, "nothing_owed", msg)
        urge_id = await urging.write(session, digest, now, caller.subject, body.reason)
        (shape,) = await to_responses(session, [await kept.get(session, urge_id)])
    headers = {"Location": f"/v1/urges/{urge_id}"}
    return Response(shape.model_dump_json(), HTTPStatus.CREATED, headers=headers, media_type="application/json")


@router.get(
    "/{urge_id}",
    summary="One entry of the log",
    description="With the outcome at each channel, and every answer.",
    responses=problems({404: "Unknown."}),
)
async def get_urge(urge_id: UUID, shared: InContext, caller: Caller) -> UrgeResponse:
    async with shared.database.transaction() as session:
        row = await _read_visible(session, urge_id, caller)
        (shape,) = await to_responses(session, [row])
    return shape


@router.post(
    "/{urge_id}/answers",
    summary="Record what a party answered",
    description=(
        "By the party itself, with its own token. Somebody else's word is recorded with its document (`document`, "
        "`document_day`, `document_file`) and shown as recorded by whom. An answer is never changed; a correction is "
        "another one. Rules with `after_answer_hours` wait for the party's. A facility answers by its link what is "
        "about it: that is its own word beside the party's."
    ),
    status_code=HTTPStatus.CREATED,
    response_model=AnswerResponse,
    responses=problems({404: "Unknown.", 422: "Not allowed."}),
)
async def record_answer(urge_id: UUID, body: NewAnswer, shared: InContext, caller: Caller) -> Response:
    now = shared.clock()
    answered_at = body.answered_at or now
    async with shared.database.transaction() as session:
        view = await own_view(session, caller)
        row = await _read_visible(session, urge_id, caller, view)
        if answered_at > now + timedelta(seconds=5):
            raise invalid("answered_at", "lies in the future")
        own_word = view is not None or await _speaks_for(session, caller, row.agency_id)
        if not own_word and None in {body.document, body.document_day, body.document_file}:
            raise _not_your_word(row)
        today = now.astimezone(VIETNAM).date()
        if body.document_day is not None and body.document_day > today:
            day = body.document_day.isoformat()
            raise invalid("document_day", f"is {day}, a day to come, and it is {today} now: give that of the document")
        answered_at = _after_the_urge(answered_at, row.urged_at)
        if answered_at < row.urged_at:
            raise invalid("answered_at", f"lies before the party was urged, at {format_instant(millis(row.urged_at))}")
        values = {
            "id": uuid4(),
            "urge_id": urge_id,
            "answered_at": min(answered_at, now),
            "text": body.text,
            "document": body.document,
            "document_day": body.document_day,
            "document_file": body.document_file,
            "own_word": own_word,
            "promised_by": body.promised_by,
            "recorded_at": now,
            "recorded_by": caller.subject,
            "facility_id": None if view is None else view.facility_id,
            "facility_name": None if view is None else view.items_of(row)[-1].get("facility_name"),
        }
        answer = await kept.add_answer(session, values)
    return Response(to_answer(answer).model_dump_json(), HTTPStatus.CREATED, media_type="application/json")


@router.get(
    "/{urge_id}/letter.docx",
    summary="The draft of an official letter",
    description=(
        "Công văn đôn đốc in the layout of Decree 30/2020/NĐ-CP, of level 2 and 3. Number, date and signature are left "
        "to the clerk. It names who is in office now at each facility, with post and phone, to readers with the right "
        "`read_people`; the rest of the same entry is always the same."
    ),
    response_class=Response,
    responses={
        200: {"content": {DOCX: {"schema": {"type": "string", "format": "binary"}}}},
        **problems({404: "Unknown.", 409: "Level 1 has no letter.", 503: "NATS does not answer."}),
    },
)
async def get_urging_letter(urge_id: UUID, shared: InContext, caller: Caller) -> Response:
    people = await load_people(shared, caller)
    async with shared.database.transaction() as session:
        row = await _read_visible(session, urge_id, caller)
        seen = await visible_facilities(session, caller.sight)
        here = await facilities(session, shared.clock())
    contacts = {
        one.code: people.get(str(one.id), ())
        for one in here.values()
        if people is not None and (seen is None or one.id in seen)
    }
    if row.level < 2:
        msg = "level 1 is a notice and has no letter: urge at level 2"
        raise ProblemError(HTTPStatus.CONFLICT, "no_letter", msg)
    of = LetterOf(
        reference=str(row.id),
        agency_name=row.agency_name or str(row.agency_id),
        level=row.level,
        items=row.items,
        issuer=row.issuer,
        urged_at=millis(row.urged_at),
        agency_id=str(row.agency_id),
        contacts=contacts,
        hides_people=people is None,
    )
    content = await asyncio.to_thread(letter, of)
    disposition = {"Content-Disposition": f'attachment; filename="don-doc-{row.id}.docx"'}
    return Response(content, media_type=DOCX, headers=disposition)


async def _check_lately(session: Any, body: ByHand, now: datetime) -> None:
    lately = [one for one in await kept.recent(session, now - LATELY) if one.agency_id == body.agency_id]
    if lately and not body.again:
        at = format_instant(millis(lately[-1].urged_at))
        msg = f"it was urged at {at}, within the last hour; send `again: true` to urge it all the same"
        raise ProblemError(HTTPStatus.CONFLICT, "urged_lately", msg)


async def _codes_of(session: AsyncSession, caller: Principal, field: str, given: str | None) -> frozenset[str] | None:
    """Every code of a facility, as items of urges name it; None without one. Raises ProblemError naming `field`."""
    if given is None:
        return None
    visible = await visible_facilities(session, caller.sight)
    found = await find_seen(session, "facility", given, visible, field=field)
    return None if found is None else await codes.facility_codes(session, found)


def _parties(caller: Principal) -> frozenset[UUID] | None:
    """Whose urges the caller sees: those to the agencies of its scope, by name; None: everybody's."""
    return caller.scope.agencies if caller.scope is not None else None


async def _read_visible(session: Any, urge_id: UUID, caller: Principal, view: OwnView | None = None) -> Any:
    """Read an urge that the caller sees: what the caller does not see never was. Raises ProblemError 404."""
    row, parties = await kept.get(session, urge_id), _parties(caller)
    if row is None or (not view.items_of(row) if view else parties is not None and row.agency_id not in parties):
        raise not_found("urge", urge_id)
    return row


def _after_the_urge(answered_at: datetime, urged_at: datetime) -> datetime:
    """Date an answer that names a plain day to 00:00 of it: on the day of the urge it came after the urge."""
    day, at = (one.astimezone(VIETNAM) for one in (answered_at, urged_at))
    return urged_at if day.time() == time() and day.date() == at.date() else answered_at


async def _speaks_for(session: AsyncSession, caller: Principal, agency_id: UUID) -> bool:
    """Whether it is the party's own token: by the agency that it names, its scope, or the only role that it has."""
    if caller.agency is not None:
        return caller.agency == agency_id
    if caller.scope is not None:
        return agency_id in caller.scope.agencies
    party = (await agencies(session)).get(agency_id)
    role = {Role.PROVINCE_LEAD: AgencyRole.LEAD, Role.OPERATOR: AgencyRole.OPERATOR}
    return party is not None and party.role in {role[each].value for each in caller.roles if each in role}


def _not_your_word(row: Any) -> ProblemError:
    name = row.agency_name or str(row.agency_id)
    detail = (
        f"the answer of {name} is given by {name} with its own token; somebody else's word is recorded with its "
        "document: give document (its number), document_day and document_file"
    )
    vietnamese = (
        f"trả lời của {name} phải do chính {name} gửi bằng tài khoản của mình; ghi nhận thay thì phải kèm văn bản: số "
        "(document), ngày (document_day) và tệp (document_file)"
    )
    return ProblemError(HTTPStatus.FORBIDDEN, "not_your_word", detail, detail_vi=vietnamese)
