"""What a scan of the prober found, as it goes into the register: one camera for each video source."""

from collections.abc import Iterator, Sequence
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from inventory.domain.devices.expected import SurveyedDevice
from inventory.domain.devices.vendors import Vendor
from inventory.domain.fields import Code, Fields, Name
from inventory.domain.text import fold

MOST_CAMERAS = 1000
_PREFIX = "CAM-"


class _Found(BaseModel):
    """A part of the prober's answer, of which only this is read."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class FoundStream(_Found):
    """The best stream of a video source."""

    codec: str | None = None
    width: int | None = None
    height: int | None = None


class FoundSource(_Found):
    """A camera, or a channel of a recorder."""

    code: Code
    name: Name
    url: str = Field(max_length=2048, description="RTSP address without credentials.")
    profile: FoundStream = FoundStream()


class FoundDevice(_Found):
    """What the device says of itself."""

    manufacturer: str | None = None
    model: str | None = Field(default=None, max_length=200)
    firmware: str | None = Field(default=None, max_length=200)
    serial_number: str | None = Field(default=None, max_length=64)
    mac: str | None = None


class FoundAddress(_Found):
    """One address of a scan."""

    address: str = Field(max_length=255)
    port: int = Field(ge=1, le=65535)
    device: FoundDevice = FoundDevice()
    cameras: tuple[FoundSource, ...] = ()


class ScanFindings(_Found):
    """The prober's answer to `GET /v1/scans/{id}`, as it is."""

    id: UUID
    results: tuple[FoundAddress, ...] = Field(max_length=MOST_CAMERAS)


class ScanAcceptance(Fields):
    """A scan, and what of it is taken into a facility."""

    scan: ScanFindings
    codes: tuple[Code, ...] | None = Field(
        default=None, max_length=MOST_CAMERAS, description="Of the scan's cameras, as the scan names them; default all."
    )
    prefix: Code | None = Field(
        default=None, description="What the new codes begin with, in place of `CAM`; by default the facility's code."
    )
    username: str | None = Field(default=None, min_length=1, max_length=64, description="The login of all of them.")
    password: SecretStr | None = Field(default=None, max_length=128)
    destination_ids: tuple[UUID, ...] | None = Field(
        default=None, description="Their destinations; by default every enabled one."
    )

    @field_validator("codes")
    @classmethod
    def _each_once(cls, codes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if codes is None else tuple(dict.fromkeys(codes))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.username is None) != (self.password is None):
            msg = "username and password belong together: give both or none"
            raise ValueError(msg)
        found = {source.code for each in self.scan.results for source in each.cameras}
        unknown = sorted(set(self.codes or ()) - found)
        if unknown:
            msg = f"codes: the scan has no {', '.join(unknown[:8])}"
            raise ValueError(msg)
        if not found:
            msg = "scan: no camera was found, so there is nothing to take"
            raise ValueError(msg)
        return self


def accepted(wanted: ScanAcceptance, facility_code: str) -> Iterator[tuple[FoundSource, dict[str, Any]]]:
    """Each camera that is taken, with its fields but facility and login, in the order of the scan."""
    for each in wanted.scan.results:
        for source in each.cameras:
            if wanted.codes is None or source.code in wanted.codes:
                yield source, _fields(each, source, wanted.prefix or facility_code)


def _fields(found: FoundAddress, source: FoundSource, prefix: str) -> dict[str, Any]:
    device, stream = found.device, source.profile
    whole = (stream.width, stream.height) if stream.width and stream.height else (None, None)
    host = f"[{found.address}]" if ":" in found.address else found.address
    expected = SurveyedDevice(
        codec=stream.codec if stream.codec in ("h264", "h265") else None,
        width=whole[0],
        height=whole[1],
        serial=device.serial_number or None,
        mac=device.mac,
        onvif_address=f"{host}:{found.port}",
    )
    return {
        "code": f"{prefix}-{source.code.removeprefix(_PREFIX)}",
        "name": source.name,
        "url": source.url,
        "expected": expected,
        "vendor": vendor_named(device.manufacturer),
        "model": device.model or None,
        "firmware": device.firmware or None,
    }


def vendor_named(manufacturer: str | None, known: Sequence[Vendor] = tuple(Vendor)) -> Vendor | None:
    """Find the make whose word begins what the device calls its maker; None for one that is not known."""
    words = fold(manufacturer or "").split()
    return next((vendor for vendor in known if words and words[0].replace("-", "") == fold(vendor.value)), None)
