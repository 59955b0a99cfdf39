"""cameras.csv: checks each row on its own and seals its credentials, before any query."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from inventory.domain.devices.addresses import Address, check_networks, parse_camera_url
from inventory.domain.devices.camera import CameraFields
from inventory.domain.devices.destination import NO_DESTINATION
from inventory.domain.devices.expected import SurveyedDevice
from inventory.importing import cells
from inventory.importing.facilities import check_codes_unique
from inventory.importing.mistakes import Mistakes
from inventory.importing.reading import Columns, Row, read_table
from vonggac.auth import Credentials, Sealer
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError
from vonggac.net.origin import Origin

TRUST = {"fingerprint_sha256": "tls_fingerprint_sha256", "ca_pem": "tls_ca_pem"}
"""Field of `tls` to its column."""
SURVEYED = tuple(SurveyedDevice.model_fields)
"""Columns of `expected`, named as its fields."""
COLUMNS = Columns(
    required=("code", "name", "facility_code", "url"),
    optional=(
        "username", "password", "area", "destinations", "probe_interval_s", "transport", *SURVEYED,
        *TRUST.values(),
    ),
)  # fmt: skip
EXPORTED = (
    "code", "name", "facility_code", "url", "area", "destinations", "probe_interval_s", "transport", *SURVEYED,
    *TRUST.values(),
)  # fmt: skip
_FIELDS = ("code", "name", "area", "probe_interval_s", "transport")
_CONVERTED: dict[str, Callable[[str], str]] = {
    "area": str.lower, "probe_interval_s": cells.decimal_point, "transport": str.lower,
    "codec": str.lower, "fps": cells.decimal_point,
}  # fmt: skip
_COLUMN_OF = {
    "tls": "tls_ca_pem",
    **{f"expected.{name}": name for name in SURVEYED},
    **{f"tls.{name}": column for name, column in TRUST.items()},
}
_BETWEEN_CODES = re.compile(r"[;|,\s]+")


@dataclass(frozen=True, slots=True)
class CameraRow:
    """A row whose cells are valid."""

    line: int
    fields: CameraFields
    facility_code: str
    url: str
    sealed_secret: str | None
    destinations: tuple[str, ...] | None
    """Codes; None for every enabled destination."""


@dataclass(frozen=True, slots=True)
class CameraFile:
    """The rows, and the columns of the file; a column that it lacks leaves what is on record."""

    present: frozenset[str]
    rows: list[CameraRow]

    @property
    def has_secrets(self) -> bool:
        return any(row.sealed_secret is not None for row in self.rows)


def parse_cameras(
    body: bytes, mistakes: Mistakes, sealer: Sealer, allowed: AllowedNetworks | None = None
) -> CameraFile:
    """Parse a file; rows with a mistake go to `mistakes`. No password leaves this function unsealed."""
    table = read_table(body, COLUMNS, mistakes)
    rows = [parsed for row in table.rows if (parsed := _parse(row, mistakes, sealer, allowed)) is not None]
    check_codes_unique(((row.line, row.fields.code) for row in rows), mistakes)
    return CameraFile(table.present, rows)


def _parse(row: Row, mistakes: Mistakes, sealer: Sealer, allowed: AllowedNetworks | None) -> CameraRow | None:
    before = mistakes.count
    if not row.cells["facility_code"]:
        mistakes.add_mistake(row.line, "facility_code", "is empty: give the code of a facility on record")
    given: dict[str, Any] = {
        name: _CONVERTED.get(name, str)(cell)
        for name in _FIELDS
        if (cell := row.cells.get(name, "")) or name in COLUMNS.required
    }
    given["tls"] = {name: cell for name, column in TRUST.items() if (cell := row.cells.get(column, ""))} or None
    given["expected"] = {
        name: _CONVERTED.get(name, str)(cell) for name in SURVEYED if (cell := row.cells.get(name, ""))
    } or None
    try:
        fields = CameraFields.model_validate(given)
    except ValidationError as error:
        mistakes.add_validation_errors(row.line, error, _COLUMN_OF)
    address = _address(row, mistakes, allowed)
    credentials = _credentials(row, address, mistakes)
    if mistakes.count > before or address is None:
        return None
    return CameraRow(
        row.line,
        fields,
        row.cells["facility_code"],
        address.url,
        sealer.seal(credentials, address.origin, *_device_origins(fields)) if credentials is not None else None,
        _destinations(row.cells.get("destinations", "")),
    )


def _device_origins(fields: CameraFields) -> tuple[Origin, ...]:
    address = fields.expected.onvif_address if fields.expected is not None else None
    try:
        return (Origin.of_device_service(address),) if address is not None else ()
    except MalformedError:
        return ()


def _address(row: Row, mistakes: Mistakes, allowed: AllowedNetworks | None) -> Address | None:
    try:
        address = parse_camera_url(row.cells["url"])
        check_networks(address, allowed)
        return address
    except ValueError as error:
        mistakes.add_mistake(row.line, "url", str(error))
        return None


def _credentials(row: Row, address: Address | None, mistakes: Mistakes) -> Credentials | None:
    username, password = row.cells.get("username", ""), row.cells.get("password", "")
    in_url = address.credentials if address is not None else None
    if not username and not password:
        return in_url
    if not username:
        mistakes.add_mistake(row.line, "username", "is empty though there is a password: give both or none")
    elif in_url is not None:
        mistakes.add_mistake(row.line, "url", "holds credentials beside username and password: give them once")
    return Credentials(username=username, password=password)


def _destinations(cell: str) -> tuple[str, ...] | None:
    if not cell:
        return None
    if cell.lower() == NO_DESTINATION:
        return ()
    return tuple(dict.fromkeys(code for code in _BETWEEN_CODES.split(cell) if code))
