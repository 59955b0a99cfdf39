"""A user's own cameras: a small CSV file, checked before anything starts.

Columns `code,name,url` and, if wanted, `username,password,facility_code`; comma or semicolon; UTF-8.
"""

import csv
import io
import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path

from local.apis.inventory import RefusedError
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl

REQUIRED = ("code", "name", "url")
OPTIONAL = ("username", "password", "facility_code")
SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "tcp", "udp")
MAX_SHOWN = 50

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class OwnCamera:
    """One checked row; `line` is the line of the file it begins in."""

    line: int
    code: str
    name: str
    url: str = field(repr=False)
    facility_code: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def row(self) -> dict[str, str]:
        """The row of inventory's import."""
        columns = {
            "code": self.code,
            "name": self.name,
            "facility_code": self.facility_code,
            "url": self.url,
            "username": self.username,
            "password": self.password,
        }
        return {column: cell for column, cell in columns.items() if cell}


class CameraFileError(Exception):
    """The file cannot be used; `mistakes` are lines for the user, each naming the row and a right value."""

    def __init__(self, path: Path, mistakes: list[str]) -> None:
        super().__init__(f"{path}: {len(mistakes)} mistakes")
        self.path, self.mistakes = path, mistakes

    def lines(self) -> list[str]:
        """What to print: at most MAX_SHOWN mistakes."""
        more = len(self.mistakes) - MAX_SHOWN
        return [f"{self.path}: {mistake}" for mistake in self.mistakes[:MAX_SHOWN]] + (
            [f"{self.path}: and {more} more"] if more > 0 else []
        )


def read_own_cameras(path: Path, *, facility_codes: list[str], allowed: AllowedNetworks) -> list[OwnCamera]:
    """The cameras of the file; one without a facility_code belongs to the first of `facility_codes`.

    Raises CameraFileError with every mistake.
    """
    table = _table(path)
    header = [cell.strip().lower() for cell in table[0][1]]
    _check_header(path, header)
    mistakes: list[str] = []
    cameras: list[OwnCamera] = []
    seen: dict[str, int] = {}
    for line, cells in table[1:]:
        wrong = [] if len(cells) == len(header) else [f"{len(cells)} cells, the header has {len(header)}"]
        row = {column: cell.strip() for column, cell in zip(header, cells, strict=False)}
        wrong = wrong or _mistakes(row, facility_codes, allowed)
        code = row.get("code", "")
        if code in seen:
            wrong.append(f"code: {code} is in row {seen[code]} already")
        seen.setdefault(code, line)
        mistakes += [f"row {line}, {mistake}" for mistake in wrong]
        if not wrong:
            facility = row.pop("facility_code", "") or facility_codes[0]
            cameras.append(OwnCamera(line=line, **row, facility_code=facility))
    if not cameras and not mistakes:
        mistakes.append("has no cameras: add a row below the header")
    if mistakes:
        raise CameraFileError(path, mistakes)
    return cameras


def refused_rows(path: Path, cameras: list[OwnCamera], refusal: RefusedError) -> CameraFileError:
    """Inventory's refusal of the import of `cameras`, with the row numbers of the user's file."""
    mistakes = []
    for error in refusal.errors:
        # Inventory counts the lines of the import: the header, then one line per camera.
        index = (error.get("row") or 0) - 2
        where = f"row {cameras[index].line}, " if 0 <= index < len(cameras) else ""
        mistakes.append(f"{where}{error['field']}: {error['message']}")
    return CameraFileError(path, mistakes or [str(refusal)])


def _table(path: Path) -> list[tuple[int, list[str]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CameraFileError(path, [f"cannot be read: {error.strerror or error}"]) from None
    except UnicodeDecodeError:
        raise CameraFileError(path, ["is not UTF-8: save it as 'CSV UTF-8'"]) from None
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    table: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                table.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise CameraFileError(path, [f"row {begins}, {error}: a quotation mark is not closed?"]) from None
    if not table:
        raise CameraFileError(path, [f"is empty: its first line must be {','.join(REQUIRED)}"])
    return table


def _check_header(path: Path, header: list[str]) -> None:
    known = (*REQUIRED, *OPTIONAL)
    mistakes = [f"column {name} is missing" for name in REQUIRED if name not in header]
    mistakes += [f"column '{name}' is not known: there are {', '.join(known)}" for name in header if name not in known]
    mistakes += [f"column {name} is there twice" for name in known if header.count(name) > 1]
    if mistakes:
        raise CameraFileError(path, mistakes)


def _mistakes(row: dict[str, str], facility_codes: list[str], allowed: AllowedNetworks) -> list[str]:
    wrong = [f"{name}: is empty" for name in REQUIRED if not row.get(name)]
    wrong += [f"{name}: must be on one line" for name, cell in row.items() if len(cell.splitlines()) > 1]
    if row.get("code") and not _CODE.fullmatch(row["code"]):
        wrong.append("code: use 1 to 64 letters, digits, '.', '_' or '-', e.g. CAM-01")
    if row.get("url"):
        wrong += [f"url: {mistake}" for mistake in _address_mistakes(row["url"], allowed)]
    if row.get("password") and not row.get("username"):
        wrong.append("username: is empty, but there is a password")
    facility = row.get("facility_code")
    if facility and facility not in facility_codes:
        wrong.append(f"facility_code: {facility} is not known; there are {', '.join(facility_codes)}")
    return wrong


def _address_mistakes(url: str, allowed: AllowedNetworks) -> list[str]:
    """Inventory checks what else each scheme needs (`refused_rows`)."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme.lower() not in SCHEMES:
        return [f"the scheme is {scheme[:20]}://, it must be one of {', '.join(SCHEMES)}"]
    try:
        host = RtspUrl.parse(f"rtsp://{rest}" if separator else url).host
    except MalformedError as error:
        return [f"{error.message.replace('RTSP address', 'address')}, e.g. rtsp://192.168.1.20:554/stream1"]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A name: the workers check what it resolves to, at every connection.
        return []
    if allowed.allow(str(address)):
        return []
    return [f"{address} is in none of the allowed networks; if it may be connected to, add ALLOW={address}"]
