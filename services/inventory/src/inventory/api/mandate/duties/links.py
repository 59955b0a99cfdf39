"""/v1/facilities/{id}/links: a facility's own acts by a short-lived token, printed as QR, revoked at any time."""

import io
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

import segno
from fastapi import Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from inventory.api.context import Context, ReasonNeeded
from inventory.api.named import name_actors
from inventory.api.nouns.rules import reason_needed
from inventory.domain.people.facility_link import MAX_VALID, NewLink, Sheet, end_of_link, write_sheet
from inventory.nouns.shown import Acted, Acts
from inventory.storage.conflicts import not_found
from inventory.storage.queries.links import count_valid, list_links, publish_link
from inventory.storage.queries.sight import read_thing
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Facility, FacilityLink
from vonggac.auth import Caller, guarded_router
from vonggac.auth.links import digest_link_token, new_link_token
from vonggac.events.inventory import FacilityStatus
from vonggac.http import ProblemError
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems

LINK = FacilityLink.logged_as
_SECRET = {"Cache-Control": "no-store"}

router = guarded_router(tags=["facility links"])


class LinkResponse(Acted):
    """A link without its token."""

    acts: ClassVar[Acts] = {"created_by": "created_at", "revoked_by": "revoked_at"}

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    facility_id: UUID
    for_whom: str
    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime
    revoked_at: AwareDatetime | None
    revoked_by: str | None
    revoked_why: str | None


class LinkWithToken(LinkResponse):
    """The only answer that has the token."""

    token: str = Field(description="A bearer token; it is kept as a digest, and not shown again.")
    address: str = Field(description="What the QR code holds: the page of the setting, with the token behind `#`.")
    qr_svg: str = Field(description="The QR code as SVG.")


class OwnLink(BaseModel):
    """What the link of the caller opens."""

    id: UUID
    facility_id: UUID
    facility_code: str
    facility_name: str
    for_whom: str
    expires_at: AwareDatetime


class Form(StrEnum):
    """As what a new link is answered."""

    JSON = "json"
    SVG = "svg"
    PNG = "png"
    HTML = "html"


_MEDIA = {Form.SVG: "image/svg+xml", Form.PNG: "image/png", Form.HTML: "text/html"}
LINKS = Listing[Any, LinkResponse](
    LinkResponse,
    keys={"created_at": Key(lambda row: row.created_at, datetime), "id": Key(lambda row: row.id, UUID)},
    id_key="id",
    default_sort="-created_at",
)


@router.post(
    "/v1/facilities/{thing_id}/links",
    status_code=HTTPStatus.CREATED,
    summary="Make a link of a facility",
    response_model=LinkWithToken,
    responses={
        HTTPStatus.CREATED: {"content": {kind: {"schema": {"type": "string"}} for kind in _MEDIA.values()}},
        **problems({409: "The facility is closed, or has too many links."}),
    },
)
async def add_facility_link(
    thing_id: UUID,
    body: NewLink,
    context: Context,
    caller: Caller,
    form: Annotated[Form, Query(description="json; svg or png: the QR code; html: a sheet to print.")] = Form.JSON,
) -> Response:
    """Its token is in this answer alone. It opens the acts of the facility itself, and nothing else, until it ends."""
    async with context.write_transaction(caller) as transaction:
        facility = await transaction.get_thing(Facility, thing_id)
        await _check_room(transaction, facility)
        token = new_link_token()
        link = FacilityLink(
            id=uuid4(),
            facility_id=facility.id,
            token_sha256=digest_link_token(token),
            for_whom=body.for_whom,
            created_at=transaction.now,
            created_by=caller.subject,
            expires_at=end_of_link(transaction.now, body.valid_for_hours),
        )
        transaction.session.add(link)
        _log(transaction, link, "created", None)
        publish_link(transaction, link)
        code, name = facility.code, facility.name
    address = f"{context.services.link_page}#{token}" if context.services.link_page else token
    return _answer(link, form, token, address, (code, name))


@router.get(
    "/v1/facilities/{thing_id}/links", summary="Links of a facility", responses=LINKS.responses, response_model=None
)
async def list_facility_links(
    thing_id: UUID, context: Context, page: Annotated[PageQuery[Any, LinkResponse], Depends(LINKS)]
) -> Response:
    """Those that are over or revoked too; without their tokens."""
    async with context.read_transaction() as session:
        await read_thing(session, Facility, thing_id)
        found = page.cut(await list_links(session, thing_id))
        shown = await name_actors(session, [LinkResponse.model_validate(row) for row in found.rows])
    return page.answer(found, shown)


@router.delete(
    "/v1/facilities/{thing_id}/links/{link_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Revoke a link of a facility",
    response_model=None,
)
async def revoke_facility_link(
    thing_id: UUID, link_id: UUID, context: Context, caller: Caller, reason: ReasonNeeded = None
) -> None:
    """For good, from this answer on. It stays in the list."""
    if reason is None:
        raise reason_needed("revoking the link")
    async with context.write_transaction(caller, reason=reason) as transaction:
        await transaction.get_thing(Facility, thing_id)
        link = await transaction.session.get(FacilityLink, link_id)
        if link is None or link.facility_id != thing_id or link.revoked_at is not None:
            raise not_found(LINK)
        before = _to_response(link)
        link.revoked_at, link.revoked_by, link.revoked_why = transaction.now, caller.subject, reason
        _log(transaction, link, "changed", before)
        publish_link(transaction, link)


@router.get("/v1/facility-link", summary="What the link of the caller opens")
async def get_own_link(context: Context, caller: Caller) -> OwnLink:
    """404 for a caller without a link."""
    async with context.read_transaction() as session:
        link = await session.get(FacilityLink, caller.link) if caller.link is not None else None
        if link is None:
            raise not_found(LINK)
        facility = await session.get_one(Facility, link.facility_id)
        return OwnLink(
            id=link.id,
            facility_id=link.facility_id,
            facility_code=facility.code,
            facility_name=facility.name,
            for_whom=link.for_whom,
            expires_at=link.expires_at,
        )


async def _check_room(transaction: WriteTransaction, facility: Facility) -> None:
    """Raise ProblemError 409 for a closed facility, and for one with too many links."""
    if facility.status is FacilityStatus.CLOSED:
        msg = "the facility is closed: no link of it is made any more"
        raise ProblemError(HTTPStatus.CONFLICT, "closed", msg)
    if await count_valid(transaction.session, facility.id, transaction.now) >= MAX_VALID:
        msg = f"the facility has {MAX_VALID} valid links already: revoke one that nobody uses"
        raise ProblemError(HTTPStatus.CONFLICT, "too_many", msg)


def _answer(link: FacilityLink, form: Form, token: str, address: str, facility: tuple[str, str]) -> Response:
    code = segno.make(address, error="m", micro=False)
    svg = code.svg_inline(scale=4, border=4)
    headers = _SECRET | {"Location": f"/v1/facilities/{link.facility_id}/links"}
    if form is Form.JSON:
        shown = LinkWithToken(**_to_response(link), token=token, address=address, qr_svg=svg)
        return Response(shown.model_dump_json(), HTTPStatus.CREATED, headers, "application/json")
    content: str | bytes = svg
    if form is Form.PNG:
        picture = io.BytesIO()
        code.save(picture, kind="png", scale=8, border=4)
        content = picture.getvalue()
    elif form is Form.HTML:
        content = write_sheet(Sheet(*facility, link.for_whom, link.expires_at, address, svg))
    return Response(content, HTTPStatus.CREATED, headers, _MEDIA[form])


def _to_response(link: FacilityLink) -> dict[str, Any]:
    return LinkResponse.model_validate(link).model_dump(exclude={"named"})


def _log(transaction: WriteTransaction, link: FacilityLink, action: str, before: dict[str, Any] | None) -> None:
    transaction.log.add(transaction.now, LINK, link.id, action, before, _to_response(link))
