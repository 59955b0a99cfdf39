"""/v1/vendors: the makes whose addresses are known, so that a technician gives a host and a channel."""

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel, Field

from inventory.domain.devices.vendors import TEMPLATES, Stream, Vendor, VendorAddress, make_url
from inventory.storage.conflicts import refuse_as_422
from vonggac.auth import guarded_router

router = guarded_router(prefix="/v1/vendors", tags=["vendors"])


class VendorShown(BaseModel):
    """One make."""

    vendor: Vendor
    name: str
    main: str = Field(description="An example address of the main stream.")
    sub: str = Field(description="An example address of the sub stream.")
    channels: bool = Field(description="Whether it plays other channels than the first.")
    note: str


class Vendors(BaseModel):
    """All makes."""

    items: list[VendorShown]


class VendorUrl(BaseModel):
    """An address, without credentials."""

    url: str


@router.get("", summary="List the makes whose addresses are known")
async def list_vendors() -> Vendors:
    """A make that is not here: ask ONVIF, or give the URL itself."""
    return Vendors(
        items=[
            VendorShown(
                vendor=vendor,
                name=template.vietnamese,
                main=make_url(VendorAddress(vendor=vendor, host="10.20.1.5")),
                sub=make_url(VendorAddress(vendor=vendor, host="10.20.1.5", stream=Stream.SUB)),
                channels=template.channels,
                note=template.note,
            )
            for vendor, template in TEMPLATES.items()
        ]
    )


@router.get("/url", summary="The address of a camera of a make")
async def get_vendor_url(address: Annotated[VendorAddress, Depends()]) -> VendorUrl:
    """422 for a channel that the make does not play."""
    with refuse_as_422("channel"):
        return VendorUrl(url=make_url(address))
