"""/v1/webhooks: who is sent which notices. The secret is shown once, when it is made."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from reporting.api.parameters import InContext
from reporting.api.sending.addresses import Shown, checked_url, seal_of, show
from reporting.feeds.signing import new_secret
from reporting.storage.sending import webhooks
from vonggac.auth import Caller, Principal, guarded_router
from vonggac.events.registry import PAYLOADS_BY_PRODUCER
from vonggac.http import FieldError, ProblemError
from vonggac.http.conditional import IfMatch
from vonggac.http.conditional.etags import etag_of
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems
from vonggac.http.problems import not_found, refuse_fields
from vonggac.http.protection.texts import VisibleText

router = guarded_router(prefix="/v1/webhooks", tags=["webhooks"])

EVENT_TYPES = tuple(model.event_type for model in PAYLOADS_BY_PRODUCER["reporting"])
OLD_SECRET_KEPT = timedelta(hours=24)

Name = Annotated[VisibleText, Field(min_length=1, max_length=200, examples=["Hệ thống báo cáo của Bộ"])]
Url = Annotated[str, Field(min_length=8, max_length=2000, examples=["https://10.20.0.5/hooks/vong-gac"])]
NoSecret = Annotated[
    bool, Field(description="A part of the address looks like a key and is none; it is stored and shown as it is.")
]
EventTypes = Annotated[list[str], Field(max_length=50, description="Types of events; empty: all.")]


class NewWebhook(BaseModel):
    """A receiver of notices."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    url: Url
    event_types: EventTypes = []
    enabled: bool = True
    path_is_no_secret: NoSecret = False


class WebhookChange(BaseModel):
    """What shall be otherwise; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    url: Url | None = None
    event_types: EventTypes | None = None
    enabled: bool | None = Field(default=None, description="While it is false, deliveries wait.")
    path_is_no_secret: NoSecret = False


class WebhookResponse(BaseModel):
    """A webhook without its secret."""

    id: UUID
    revision: int
    name: str
    url: str
    event_types: list[str]
    enabled: bool
    disabled_because: str | None = Field(description="Why the platform switched it off; null where a person did.")
    old_secret_until: Shown | None = Field(description="Until then the secret before this one signs too.")
    created_at: Shown
    created_by: str
    changed_at: Shown
    changed_by: str


class WebhookWithSecret(WebhookResponse):
    """The only answer that has the secret."""

    secret: str = Field(description="Verifies the signatures (Standard Webhooks); keep it, it is not shown again.")


KEYS: dict[str, Key[Any]] = {
    "name": Key(lambda row: row.name),
    "created_at": Key(lambda row: row.created_at, datetime),
    "id": Key(lambda row: row.id, UUID),
}
WEBHOOKS: Listing[Any, WebhookResponse] = Listing(WebhookResponse, keys=KEYS, id_key="id", default_sort="name")


@router.get(
    "",
    summary="Webhooks",
    description="Who is sent notices. Without the secrets.",
    response_model=None,
    responses=WEBHOOKS.responses,
)
async def list_webhooks(
    shared: InContext,
    paging: Annotated[PageQuery[Any, WebhookResponse], Depends(WEBHOOKS)],
) -> Response:
    async with shared.database.transaction() as session:
        rows, total = await webhooks.page(
            session, paging.orderings, paging.last, paging.limit, count=paging.wants_total
        )
    page = paging.page(rows, total=total)
    return paging.answer(page, [_shape(row) for row in page.rows])


@router.post(
    "",
    summary="Add a webhook",
    description=(
        "Its secret is in this answer and in no other. Each message is the CloudEvent as the bus has it, signed as "
        "Standard Webhooks has it; `webhook-id` is the event's id, the same in every attempt. Any 2xx takes it; "
        "another answer or none is tried again for 32 hours. Messages about one thing come in order."
    ),
    status_code=HTTPStatus.CREATED,
    response_model=WebhookWithSecret,
    responses=problems({409: "There are too many, or the service has no key to seal secrets.", 422: "Not allowed."}),
)
async def add_webhook(body: NewWebhook, shared: InContext, caller: Caller) -> Response:
    seal = seal_of(shared)
    check_event_types(body.event_types)
    await checked_url(shared, "url", body.url, path_is_no_secret=body.path_is_no_secret)
    now, secret = shared.clock(), new_secret()
    async with shared.database.transaction() as session:
        if await webhooks.count(session) >= webhooks.MAX_WEBHOOKS:
            msg = f"there are {webhooks.MAX_WEBHOOKS} webhooks already: remove one that nobody needs"
            raise ProblemError(HTTPStatus.CONFLICT, "too_many", msg)
        values = {
            **body.model_dump(exclude={"path_is_no_secret"}),
            "id": uuid4(),
            "revision": 1,
            "secret": seal.close(secret),
            "created_at": now,
            "created_by": caller.subject,
            "changed_at": now,
            "changed_by": caller.subject,
        }
        row = await webhooks.add(session, values)
    return _with_secret(row, secret, HTTPStatus.CREATED)


@router.get(
    "/{webhook_id}",
    summary="One webhook",
    description="Without its secret.",
    response_model=WebhookResponse,
    responses=problems({404: "Unknown."}),
)
async def get_webhook(webhook_id: UUID, shared: InContext) -> Response:
    async with shared.database.transaction() as session:
        row = await webhooks.get(session, webhook_id)
    if row is None:
        raise not_found("webhook", webhook_id)
    return show(_shape(row), row.revision)


@router.patch(
    "/{webhook_id}",
    summary="Change a webhook",
    description="Switched off, its deliveries wait, at most 10,000; switched on again, they are sent.",
    response_model=WebhookResponse,
    responses=problems({404: "Unknown.", 412: "Changed meanwhile.", 422: "Not allowed.", 428: "If-Match is missing."}),
)
async def change_webhook(
    webhook_id: UUID,
    body: WebhookChange,
    shared: InContext,
    if_match: IfMatch,
    caller: Caller,
) -> Response:
    values = body.model_dump(exclude_unset=True, exclude={"path_is_no_secret"})
    _refuse_nulls(values)
    check_event_types(values.get("event_types", ()))
    if "url" in values:
        await checked_url(shared, "url", values["url"], path_is_no_secret=body.path_is_no_secret)
    if values.get("enabled"):
        values["disabled_because"] = None
    return await _changed(shared, webhook_id, if_match, values, caller)


@router.post(
    "/{webhook_id}/secret",
    summary="Give a webhook a new secret",
    description="Shown once. For 24 hours the old one signs too, so that the receiver may change over at any time.",
    response_model=WebhookWithSecret,
    responses=problems({404: "Unknown.", 409: "No key.", 412: "Changed meanwhile.", 428: "If-Match is missing."}),
)
async def renew_secret(
    webhook_id: UUID,
    shared: InContext,
    if_match: IfMatch,
    caller: Caller,
) -> Response:
    seal, secret, now = seal_of(shared), new_secret(), shared.clock()
    async with shared.database.transaction() as session:
        before = await _load_webhook(session, webhook_id, if_match)
        values = {
            "secret": seal.close(secret),
            "previous_secret": before.secret,
            "previous_until": now + OLD_SECRET_KEPT,
        }
        row = await webhooks.change(session, webhook_id, values, now, caller.subject)
    return _with_secret(row, secret, HTTPStatus.OK)


@router.delete(
    "/{webhook_id}",
    summary="Remove a webhook",
    description="With its deliveries, also those that wait.",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems({404: "Unknown.", 412: "Changed meanwhile.", 428: "If-Match is missing."}),
)
async def remove_webhook(
    webhook_id: UUID,
    shared: InContext,
    if_match: IfMatch,
) -> None:
    async with shared.database.transaction() as session:
        await _load_webhook(session, webhook_id, if_match)
        await webhooks.remove(session, webhook_id)


def check_event_types(given: Any) -> None:
    """Check the types of events. Raises ProblemError 422 naming the types that are none."""
    unknown = sorted(set(given) - set(EVENT_TYPES))
    if unknown:
        message = f"{', '.join(unknown)}: no such type; there are {', '.join(EVENT_TYPES)}"
        raise refuse_fields([FieldError(field="event_types", message=message)])


def _refuse_nulls(values: dict[str, Any]) -> None:
    wrong = [name for name, value in values.items() if value is None]
    if wrong:
        raise refuse_fields([FieldError(field=name, message="cannot be null; leave it out") for name in wrong])


async def _load_webhook(session: Any, webhook_id: UUID, if_match: Any) -> Any:
    row = await webhooks.get(session, webhook_id, for_update=True)
    if row is None:
        raise not_found("webhook", webhook_id)
    if_match.check(row.revision)
    return row


async def _changed(shared: Any, webhook_id: UUID, if_match: Any, values: dict[str, Any], caller: Principal) -> Response:
    async with shared.database.transaction() as session:
        row = await _load_webhook(session, webhook_id, if_match)
        if values:
            row = await webhooks.change(session, webhook_id, values, shared.clock(), caller.subject)
    return show(_shape(row), row.revision)


def _with_secret(row: Any, secret: str, status: HTTPStatus) -> Response:
    shape = WebhookWithSecret(**_shape(row).model_dump(), secret=secret)
    headers = {"ETag": etag_of(row.revision), "Cache-Control": "no-store"}
    if status is HTTPStatus.CREATED:
        headers["Location"] = f"/v1/webhooks/{row.id}"
    return Response(shape.model_dump_json(), status, headers=headers, media_type="application/json")


def _shape(row: Any) -> WebhookResponse:
    values = {name: getattr(row, name) for name in WebhookResponse.model_fields if name != "old_secret_until"}
    return WebhookResponse(**values, old_secret_until=row.previous_until)
