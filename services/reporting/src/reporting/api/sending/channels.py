"""/v1/urging/channels: how each agency is reached. Addresses are write-only."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Response

from reporting.api.parameters import Context, InContext, invalid
from reporting.api.sending.addresses import check_host, seal_of, show
from reporting.api.sending.rules import RECORD_KEYS, REFUSED, check_agency, check_room, lock_record
from reporting.api.sending.shapes import NewUrgingChannel, UrgingChannel, UrgingChannelChange
from reporting.storage.sending import log
from reporting.storage.sending.records import CHANNELS
from reporting.urging import channels
from reporting.urging.channels import BadAddressError, ChannelKind
from vonggac.auth import Caller, guarded_router
from vonggac.http.conditional import IfMatch
from vonggac.http.lists import Listing, PageQuery
from vonggac.http.openapi import problems
from vonggac.http.problems import not_found

router = guarded_router(prefix="/v1/urging/channels", tags=["urging"])

LISTED: Listing[Any, UrgingChannel] = Listing(UrgingChannel, keys=RECORD_KEYS, id_key="id", default_sort="name")


@router.get(
    "",
    summary="Channels of urging",
    description="Without their addresses.",
    response_model=None,
    responses=LISTED.responses,
)
async def list_urging_channels(
    shared: InContext,
    paging: Annotated[PageQuery[Any, UrgingChannel], Depends(LISTED)],
) -> Response:
    async with shared.database.transaction() as session:
        rows, total = await CHANNELS.page(
            session, paging.orderings, paging.last, paging.limit, count=paging.wants_total
        )
    page = paging.page(rows, total=total)
    return paging.answer(page, [_shape(row) for row in page.rows])


@router.post(
    "",
    summary="Add a channel",
    description=(
        "`mailto` (mailto://, mailtos://) is e-mail, `json` (json://, jsons://) a POST of title and message, both as "
        "Apprise writes addresses. The server must lie in the allowed networks."
    ),
    status_code=HTTPStatus.CREATED,
    response_model=UrgingChannel,
    responses=problems({409: "There are too many, or the service has no key to seal addresses.", 422: "Not allowed."}),
)
async def add_urging_channel(body: NewUrgingChannel, shared: InContext, caller: Caller) -> Response:
    sealed = await _sealed(shared, body.kind, body.address.get_secret_value())
    values = body.model_dump() | {"id": uuid4(), "address": sealed, "kind": body.kind.value}
    async with shared.database.transaction() as session:
        await check_room(session, CHANNELS)
        await check_agency(session, body.agency_id)
        row = await CHANNELS.add(session, values, shared.clock(), caller.subject)
    return show(_shape(row), row.revision, HTTPStatus.CREATED, f"/v1/urging/channels/{row.id}")


@router.get(
    "/{channel_id}",
    summary="One channel",
    description="Without its address.",
    response_model=UrgingChannel,
    responses=problems({404: "Unknown."}),
)
async def get_urging_channel(channel_id: UUID, shared: InContext) -> Response:
    async with shared.database.transaction() as session:
        row = await CHANNELS.get(session, channel_id)
    if row is None:
        raise not_found("channel", channel_id)
    return show(_shape(row), row.revision)


@router.patch(
    "/{channel_id}",
    summary="Change a channel",
    description="Its name, its address, or whether it is used. Switched off, its messages wait.",
    response_model=UrgingChannel,
    responses=REFUSED,
)
async def change_urging_channel(
    channel_id: UUID,
    body: UrgingChannelChange,
    shared: InContext,
    if_match: IfMatch,
    caller: Caller,
) -> Response:
    values = body.model_dump(exclude_unset=True)
    for name, value in values.items():
        if value is None:
            raise invalid(name, "cannot be null; leave it out")
    async with shared.database.transaction() as session:
        row = await CHANNELS.get(session, channel_id)
        if row is None:
            raise not_found("channel", channel_id)
    if body.address is not None:
        values["address"] = await _sealed(shared, ChannelKind(row.kind), body.address.get_secret_value())
    async with shared.database.transaction() as session:
        row = await lock_record(session, CHANNELS, "channel", channel_id, if_match)
        if values:
            row = await CHANNELS.change(session, channel_id, values, shared.clock(), caller.subject)
    return show(_shape(row), row.revision)


@router.delete(
    "/{channel_id}",
    summary="Remove a channel",
    description="What waits for it is not sent, and stands in the log as failed.",
    status_code=HTTPStatus.NO_CONTENT,
    responses=REFUSED,
)
async def remove_urging_channel(
    channel_id: UUID,
    shared: InContext,
    if_match: IfMatch,
) -> None:
    async with shared.database.transaction() as session:
        await lock_record(session, CHANNELS, "channel", channel_id, if_match)
        await log.give_up(session, channel_id)
        await CHANNELS.remove(session, channel_id)


async def _sealed(shared: Context, kind: ChannelKind, address: str) -> str:
    """Check and seal the address. Raises ProblemError 409, 422 without any of it."""
    seal = seal_of(shared)
    try:
        channel = channels.parse(kind, address)
    except BadAddressError as error:
        raise invalid("address", str(error)) from None
    await check_host(shared, "address", channel.host, channel.port)
    return seal.close(address.strip())


def _shape(row: Any) -> UrgingChannel:
    return UrgingChannel(**{name: getattr(row, name) for name in UrgingChannel.model_fields})
