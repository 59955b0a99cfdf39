"""/v1/decision-requests: whoever owes a duty asks; what waits is seen, decided, and stays on record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.changes import CHANGES, ChangePage, changes_of
from inventory.api.context import Context, ReasonText, WriteContext
from inventory.api.mandate.duties.carrying_out import carry_out, find_facility
from inventory.api.named import name_actors_of
from inventory.api.nouns.clocks import AsOf
from inventory.api.nouns.derived import answer_derived, read_item
from inventory.api.nouns.two_eyes import allow_alone, refused
from inventory.domain.mandate.decision_request import (
    STATUS_WORDS,
    Decision,
    DecisionFields,
    RequestFields,
    RequestStatus,
    reason_of,
)
from inventory.domain.people.approvals import refuse_writer
from inventory.nouns.parties import new_request
from inventory.nouns.shown import Acted, Acts
from inventory.nouns.writer import Write
from inventory.storage.queries.lists import Recorded
from inventory.storage.queries.sight import sees
from inventory.storage.tables import DecisionRequest
from vonggac.auth import Caller, Principal, guarded_router
from vonggac.auth.dependencies import demand_act
from vonggac.auth.policy.duties import WORDS, part_of
from vonggac.events.inventory import Act
from vonggac.http import ProblemError
from vonggac.http.idempotency import KeptAnswer
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1/decision-requests", tags=["decision requests"])


class RequestResponse(Acted):
    """One request, and what became of it."""

    acts: ClassVar[Acts] = {"asked_by": "asked_at", "decided_by": "decided_at"}

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    revision: int
    etag: str
    act: Act
    act_vi: str = Field(description="The act in Vietnamese.")
    status: RequestStatus
    status_vi: str
    facility_id: UUID | None = Field(description="The facility of what it is about; null: the province.")
    window_id: UUID | None = Field(description="The declared maintenance that it asks to agree to.")
    asked: RequestFields = Field(description="As it was asked.")
    reason: str
    asked_at: AwareDatetime
    asked_by: str
    asked_roles: tuple[str, ...]
    asked_agency_id: UUID | None = Field(description="The agency that the token of who asked speaks for.")
    decided_at: AwareDatetime | None
    decided_by: str | None
    decision_reason: str | None


REQUESTS = Listing[Any, RequestResponse](
    RequestResponse,
    keys={
        "asked_at": Key(lambda row: row["created_at"], datetime),
        "act": Key(lambda row: row["act"].value),
        "id": Key(lambda row: row["id"], UUID),
    },
    id_key="id",
    default_sort="asked_at",
)


@dataclass(frozen=True, slots=True)
class RequestFilters:
    """Which requests are listed; all that are given must match."""

    status: Annotated[RequestStatus | None, Query(description="waiting: what somebody has to decide.")] = None
    act: Act | None = None
    facility_id: UUID | None = None
    asked_by: Annotated[str | None, Query(max_length=255)] = None

    def fit(self, row: Any) -> bool:
        """Whether a request is listed."""
        return all(
            wanted is None or row[name] == wanted
            for name, wanted in (
                ("status", self.status), ("act", self.act), ("facility_id", self.facility_id),
                ("asked_by", self.asked_by),
            )
        )  # fmt: skip


@router.get("", summary="List requests for decisions", responses=REQUESTS.responses, response_model=None)
async def list_decision_requests(
    context: Context,
    page: Annotated[PageQuery[Any, RequestResponse], Depends(REQUESTS)],
    filters: Annotated[RequestFilters, Depends()],
    as_of: AsOf = None,
) -> Response:
    """List oldest first. With `status=waiting` what waits for a decision."""

    async def read(session: AsyncSession, recorded: Recorded) -> Sequence[Any]:
        rows = (await session.execute(select(recorded(DecisionRequest)))).mappings().all()
        return [row for row in rows if filters.fit(row)]

    return await answer_derived(context, page, (as_of, None), read, shown=to_response)


@router.post("", status_code=HTTPStatus.CREATED, summary="Ask for a decision", response_model=RequestResponse)
async def add_decision_request(body: RequestFields, context: WriteContext, caller: Caller) -> Response:
    """Record it: somebody decides it who does not owe the duty. 403 names who has a part in the act."""
    _check_asks(body.act, caller)

    async def work(writing: Write) -> DecisionRequest:
        facility_id = await find_facility(writing, body)
        request = new_request(writing, body, facility_id=facility_id)
        await writing.transaction.add_thing(request)
        await _check_seen(writing, request)
        return request

    return await context.write(caller, work, _answer_created, reason=body.reason)


@router.get("/{thing_id}", summary="One request for a decision")
async def get_decision_request(thing_id: UUID, context: Context, as_of: AsOf = None) -> RequestResponse:
    """With what became of it."""
    async with context.read_transaction() as session:
        row = await read_item(session, DecisionRequest, context.recorded(as_of), thing_id)
        return await name_actors_of(session, to_response(row))


@router.get(
    "/{thing_id}/history",
    summary="The changes of one request for a decision",
    responses=CHANGES.responses,
    response_model=None,
)
async def list_changes_of_decision_request(
    thing_id: UUID, context: Context, page: Annotated[ChangePage, Depends(CHANGES)]
) -> Response:
    """Who asked, and who decided, newest first."""
    return await changes_of(context, page, DecisionRequest.noun, thing_id)


@router.post("/{thing_id}/decision", summary="Grant or refuse a request", response_model=RequestResponse)
async def decide_request(thing_id: UUID, body: DecisionFields, context: WriteContext, caller: Caller) -> Response:
    """Carry out what is granted in the same transaction, in the name of who grants it.

    403 for who does not decide the act; 409 when it is decided already, or cannot be carried out any more.
    """

    async def work(writing: Write) -> DecisionRequest:
        request = await _read_waiting(writing, thing_id)
        demand_act(context.request.url.path, caller, request.act)
        await _check_other_eyes(writing, request)
        if body.decision is Decision.GRANTED:
            await carry_out(replace(writing, asked_by=request.asked_by), request, body.reason)
        await _close_request(writing, request, RequestStatus(body.decision.value), body.reason)
        return request

    return await context.write(caller, work, _answer, reason=await _reason_of(context, thing_id, body.reason))


class WithdrawalFields(BaseModel):
    """The body of a withdrawal."""

    model_config = ConfigDict(extra="forbid")

    reason: ReasonText | None = None


@router.post("/{thing_id}/withdrawal", summary="Withdraw a request", response_model=RequestResponse)
async def withdraw_request(thing_id: UUID, body: WithdrawalFields, context: WriteContext, caller: Caller) -> Response:
    """By who asked, while it waits."""

    async def work(writing: Write) -> DecisionRequest:
        request = await _read_waiting(writing, thing_id)
        if request.asked_by != caller.subject:
            msg = f"the request is of {request.asked_by}, who alone withdraws it; whoever decides refuses it"
            vietnamese = f"đề nghị này của {request.asked_by}: chỉ người đề nghị được rút; người quyết định thì từ chối"
            raise ProblemError(HTTPStatus.FORBIDDEN, "not_yours", msg, detail_vi=vietnamese)
        await _close_request(writing, request, RequestStatus.WITHDRAWN, body.reason)
        return request

    return await context.write(caller, work, _answer, reason=body.reason)


def to_response(row: Any) -> RequestResponse:
    """Convert a request to its response."""
    words = {"act_vi": WORDS[row["act"]].vietnamese, "status_vi": STATUS_WORDS[row["status"]]}
    return RequestResponse.model_validate({**row, **words, "asked_at": row["created_at"]})


def _check_asks(act: Act, caller: Principal) -> None:
    """Raise ProblemError 403 for a role that has no part in the act."""
    if part_of(act, caller) is None:
        demand_act("/v1/decision-requests", caller, act)


async def _check_other_eyes(writing: Write, request: DecisionRequest) -> None:
    """Raise ProblemError 403 for who asked: a request has two pairs of eyes, unless the province allows otherwise."""
    if request.asked_by != writing.caller.subject:
        return
    label = request.act.value
    sentences = refuse_writer(DecisionRequest.noun, label, [request.asked_by], writing.caller.subject)
    refusal = refused("own_request", sentences)
    await allow_alone(writing, DecisionRequest.noun, request.id, label, request.facility_id, refusal)


async def _check_seen(writing: Write, request: DecisionRequest) -> None:
    if not await sees(writing.transaction.session, DecisionRequest, request.id):
        msg = "the request would be outside what the token is for: give the facility_id that it is asked for"
        vietnamese = "đề nghị nằm ngoài phạm vi của tài khoản: hãy nêu facility_id của cơ sở được đề nghị"
        raise ProblemError(HTTPStatus.FORBIDDEN, "outside_scope", msg, detail_vi=vietnamese)


async def _read_waiting(writing: Write, thing_id: UUID) -> DecisionRequest:
    """Read and lock the request: nobody else decides it meanwhile. Raises ProblemError 404, 409."""
    session = writing.transaction.session
    request = await writing.transaction.get_thing(DecisionRequest, thing_id)
    await session.refresh(request, with_for_update=True)
    if request.status is not RequestStatus.WAITING:
        msg = f"the request is {request.status} already, by {request.decided_by}"
        vietnamese = f"đề nghị {STATUS_WORDS[request.status]} rồi, bởi {request.decided_by}"
        raise ProblemError(HTTPStatus.CONFLICT, "already_decided", msg, detail_vi=vietnamese)
    return request


async def _close_request(writing: Write, request: DecisionRequest, status: RequestStatus, reason: str | None) -> None:
    transaction = writing.transaction
    values = {
        "status": status,
        "decided_by": transaction.actor.subject,
        "decided_at": transaction.now,
        "decision_reason": reason,
    }
    await transaction.change_thing(request, values)


async def _reason_of(context: WriteContext, thing_id: UUID, decided: str | None) -> str | None:
    """Of what is carried out; the routes of some acts demand one."""
    async with context.read_transaction() as session:
        row = await read_item(session, DecisionRequest, context.recorded(None), thing_id)
    return reason_of(row["reason"], decided)


async def _answer_created(session: AsyncSession, request: DecisionRequest) -> KeptAnswer:
    location = {"Location": f"/v1/decision-requests/{request.id}"}
    return await _kept(session, request, HTTPStatus.CREATED, location)


async def _answer(session: AsyncSession, request: DecisionRequest) -> KeptAnswer:
    return await _kept(session, request, HTTPStatus.OK, {})


async def _kept(
    session: AsyncSession, request: DecisionRequest, status: HTTPStatus, headers: dict[str, str]
) -> KeptAnswer:
    row = {name: getattr(request, name) for name in (*DecisionRequest.__table__.columns.keys(), "etag")}
    shown = await name_actors_of(session, to_response(row))
    return KeptAnswer(status, {"ETag": request.etag} | headers, shown.model_dump_json().encode())
