"""/v1/webhooks/{id}/deliveries: what became of each message, and sending it again; /v1/notices: what was published."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field

from reporting.api.parameters import InContext, invalid
from reporting.api.sending.addresses import Shown, feed_tasks_of
from reporting.api.sending.webhooks import EVENT_TYPES
from reporting.storage.sending import deliveries, notices, webhooks
from vonggac.auth import guarded_router
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems
from vonggac.http.problems import not_found

router = guarded_router(prefix="/v1", tags=["webhooks"])

State = Literal["pending", "delivered", "failed", "dropped"]


class WebhookAttempt(BaseModel):
    """One attempt."""

    number: int
    at: Shown
    duration_ms: int
    outcome: str = Field(
        description="delivered, http_status, timeout, refused, tls, dns, address_not_allowed or secret_unreadable."
    )
    http_status: int | None


class WebhookDelivery(BaseModel):
    """One notice to one webhook. Attempts of a process that died are counted and not listed."""

    id: UUID
    sequence: int = Field(description="Of the notice: grows in the order in which notices were written.")
    event_id: UUID = Field(description="`webhook-id` of the message.")
    event_type: str
    thing_id: UUID
    state: State
    attempts: list[WebhookAttempt]
    next_attempt_at: Shown | None = Field(description="null unless it is pending.")
    created_at: Shown
    finished_at: Shown | None


class Resent(BaseModel):
    """How many deliveries wait again."""

    pending: int


KEYS: dict[str, Key[Any]] = {
    "sequence": Key(lambda row: row.sequence, int),
    "created_at": Key(lambda row: row.created_at, datetime),
    "state": Key(lambda row: row.state),
    "id": Key(lambda row: row.id, UUID),
}
DELIVERIES: Listing[Any, WebhookDelivery] = Listing(WebhookDelivery, keys=KEYS, id_key="id", default_sort="-sequence")


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    summary="Deliveries of a webhook",
    description="Newest first, each with its attempts. Kept for the days that the service is set to (30).",
    response_model=None,
    responses=DELIVERIES.responses | problems({404: "Unknown."}),
)
async def list_deliveries(
    webhook_id: UUID,
    shared: InContext,
    paging: Annotated[PageQuery[Any, WebhookDelivery], Depends(DELIVERIES)],
    state: Annotated[State | None, Query(description="Only these.")] = None,
) -> Response:
    async with shared.database.transaction() as session:
        if await webhooks.get(session, webhook_id) is None:
            raise not_found("webhook", webhook_id)
        rows, total = await deliveries.page(
            session, webhook_id, state, paging.orderings, paging.last, paging.limit, count=paging.wants_total
        )
        page = paging.page(rows, total=total)
        attempts = await deliveries.attempts_of(session, [row.id for row in page.rows])
    return paging.answer(page, [_delivery(row, attempts.get(row.id, [])) for row in page.rows])


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/send-again",
    summary="Send a message again",
    description="Also one that was delivered: with the same id, and a new budget of attempts.",
    response_model=Resent,
    responses=problems({404: "Unknown."}),
)
async def send_again(
    webhook_id: UUID,
    delivery_id: UUID,
    shared: InContext,
) -> Resent:
    async with shared.database.transaction() as session:
        found = await deliveries.send_again(session, webhook_id, delivery_id, shared.clock())
    if found is None:
        raise not_found("delivery", delivery_id)
    feed_tasks_of(shared).wake()
    return Resent(pending=1)


@router.post(
    "/webhooks/{webhook_id}/send-failed-again",
    summary="Send all failed messages again",
    description="Those that were given up and those that were dropped, in their order.",
    response_model=Resent,
    responses=problems({404: "Unknown."}),
)
async def send_failed_again(webhook_id: UUID, shared: InContext) -> Resent:
    async with shared.database.transaction() as session:
        if await webhooks.get(session, webhook_id) is None:
            raise not_found("webhook", webhook_id)
        count = await deliveries.send_failed_again(session, webhook_id, shared.clock())
    feed_tasks_of(shared).wake()
    return Resent(pending=count)


class NoticeResponse(BaseModel):
    """One notice as it was published."""

    sequence: int
    published_at: Shown | None = Field(description="When the bus had stored it; null: it waits.")
    event: dict[str, Any] = Field(description="The CloudEvent, as bus and webhooks carry it.")


NOTICE_KEYS: dict[str, Key[Any]] = {"sequence": Key(lambda row: row.sequence, int)}
NOTICES: Listing[Any, NoticeResponse] = Listing(
    NoticeResponse, keys=NOTICE_KEYS, id_key="sequence", default_sort="-sequence"
)


@router.get(
    "/notices",
    summary="What was published",
    description=(
        "Outages, faults of sites, obligations and reports, as bus and webhooks carry them. Newest first; with "
        "`sort=sequence` and the cursor of the last page a system that takes no webhooks reads on from there."
    ),
    response_model=None,
    responses=NOTICES.responses,
)
async def list_notices(
    shared: InContext,
    paging: Annotated[PageQuery[Any, NoticeResponse], Depends(NOTICES)],
    event_type: Annotated[str | None, Query(max_length=200, description="Only events of this type.")] = None,
) -> Response:
    if event_type is not None and event_type not in EVENT_TYPES:
        raise invalid("event_type", f"'{event_type}' is no type of a notice; there are {', '.join(EVENT_TYPES)}")
    async with shared.database.transaction() as session:
        rows, total = await notices.page(
            session, event_type, paging.orderings, paging.last, paging.limit, count=paging.wants_total
        )
    page = paging.page(rows, total=total)
    shapes = [
        NoticeResponse(sequence=row.sequence, published_at=row.published_at, event=json.loads(row.body))
        for row in page.rows
    ]
    return paging.answer(page, shapes)


def _delivery(row: Any, attempts: list[Any]) -> WebhookDelivery:
    return WebhookDelivery(
        id=row.id,
        sequence=row.sequence,
        event_id=row.event_id,
        event_type=row.event_type,
        thing_id=row.thing_id,
        state=row.state,
        attempts=[
            WebhookAttempt(
                number=one.number,
                at=one.at,
                duration_ms=one.duration_ms,
                outcome=one.outcome,
                http_status=one.http_status,
            )
            for one in attempts
        ],
        next_attempt_at=row.next_attempt_at if row.state == "pending" else None,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
