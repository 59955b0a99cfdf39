"""/v1/vendors: the makes whose addresses are known, so that a technician gives a host and a channel."""

from typing import Annotated

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field

from inventory.domain.devices.vendors import TEMPLATES, Stream, Vendor, VendorAddress, make_url
from inventory.domain.text import fold, order_key
from inventory.storage.conflicts import refuse_as_422
from vonggac.auth import guarded_router
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1/vendors", tags=["vendors"])


class VendorResponse(BaseModel):
    """One make."""

    vendor: Vendor
    name: str
    main: str = Field(description="An example address of the main stream.")
    sub: str = Field(description="An example address of the sub stream.")
    channels: bool = Field(description="Whether it plays other channels than the first.")
    note: str


VENDORS = Listing[VendorResponse, VendorResponse](
    VendorResponse,
    keys={"vendor": Key(lambda one: one.vendor), "name": Key(lambda one: order_key(one.name))},
    id_key="vendor",
)


class VendorUrl(BaseModel):
    """An address, without credentials."""

    url: str


@router.get("", summary="List the makes whose addresses are known", responses=VENDORS.responses, response_model=None)
async def list_vendors(
    page: Annotated[PageQuery[VendorResponse, VendorResponse], Depends(VENDORS)],
    q: Annotated[
        str | None, Query(max_length=200, description="Words to find; diacritics, case and đ/d do not matter.")
    ] = None,
    channels: Annotated[bool | None, Query(description="Whether it plays other channels than the first.")] = None,
) -> Response:
    """List makes; for others ask ONVIF, or give the URL itself."""
    words = fold(q or "").split()
    found = [
        one
        for one in _MAKES
        if channels in {None, one.channels} and all(word in fold(f"{one.vendor} {one.name}") for word in words)
    ]
    shown = page.cut(found)
    return page.answer(shown, shown.rows)


@router.get("/url", summary="The address of a camera of a make")
async def get_vendor_url(address: Annotated[VendorAddress, Depends()]) -> VendorUrl:
    """422 for a channel that the make does not play."""
    with refuse_as_422("channel"):
        return VendorUrl(url=make_url(address))


_MAKES = tuple(
    VendorResponse(
        vendor=vendor,
        name=template.vietnamese,
        main=make_url(VendorAddress(vendor=vendor, host="10.20.1.5")),
        sub=make_url(VendorAddress(vendor=vendor, host="10.20.1.5", stream=Stream.SUB)),
        channels=template.channels,
        note=template.note,
    )
    for vendor, template in TEMPLATES.items()
)
