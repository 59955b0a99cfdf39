"""A user's own cameras, a row each: address, login, facility, and what the survey expects of the stream."""

import ipaddress
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from local.own.table import Columns, FileError, Mistake, Row, doubled, read_rows
from vonggac.net.address_secrets import random_parameters, secret_parameters
from vonggac.net.errors import MalformedError
from vonggac.net.sameness import normal_endpoint, normal_serial, normal_url
from vonggac.net.url import RtspUrl

COLUMNS = Columns(
    required=("code", "name", "url"),
    optional=(
        "username",
        "password",
        "facility_code",
        "transport",
        "codec",
        "size",
        "width",
        "height",
        "serial",
        "mac",
        "onvif_address",
        "shared_device_reason",
    ),
    aliases={"facility": "facility_code", "expected_codec": "codec", "expected_size": "size"},
)
"""The second line of `optional`: of the file that an ONVIF scan gives, which can be used as it is."""
SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "tcp", "udp")
PLACEHOLDERS = ("{username}", "{password}")
TRANSPORTS = ("tcp", "udp", "auto")
CODECS = {"h264": "h264", "h265": "h265", "h.264": "h264", "h.265": "h265", "avc": "h264", "hevc": "h265"}

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ONE_DEVICE = "two cameras are two devices; where one is meant to be both, say why in the column shared_device_reason"
_NOT_HEX = re.compile(r"[^0-9a-f]")
_SIZE = re.compile(r"([0-9]{2,5})\s*[xX×*]\s*([0-9]{2,5})")
_WHOLE = re.compile(r"[0-9]{2,5}")


@dataclass(frozen=True, slots=True)
class OwnCamera:
    """One checked row; `line` is the line of the file it begins in, `host` the host of its address."""

    line: int
    code: str
    facility_code: str
    host: str
    columns: dict[str, str] = field(repr=False)
    """As inventory imports them."""


def read_cameras(path: Path, *, facility_codes: Collection[str], default_facility: str) -> list[OwnCamera]:
    """Read the cameras of the file; one without a facility belongs to `default_facility`.

    Raises FileError with every mistake.
    """
    rows, mistakes = read_rows(path, COLUMNS)
    for row in rows:
        mistakes += _mistakes(row, facility_codes)
    mistakes += doubled(rows)
    if not mistakes:
        mistakes += one_device(rows)
    if mistakes:
        raise FileError(path, sorted(mistakes, key=lambda mistake: mistake.line))
    return [_camera(row, default_facility) for row in rows]


def one_device(rows: Iterable[Row]) -> list[Mistake]:
    """Find a mistake for each row whose device an earlier one has, and that gives no reason for it; as inventory has
    it.

    Cameras of one host and port are channels of a recorder: they share its serial number and MAC address.
    """
    by_address: dict[str, int] = {}
    by_mark: dict[tuple[str, str], dict[tuple[str, int | None], int]] = {}
    mistakes = []
    for row in rows:
        endpoint, address = normal_endpoint(row["url"]), normal_url(row["url"])
        marks = [("serial", normal_serial(row["serial"])), ("mac", _NOT_HEX.sub("", row["mac"].lower()))]
        marks = [(column, value) for column, value in marks if value]
        earlier = [
            (column, line)
            for column, value in marks
            for other, line in by_mark.get((column, value), {}).items()
            if other != endpoint
        ]
        earlier += [("url", by_address[address])] if address in by_address else []
        if earlier and not row["shared_device_reason"]:
            column, line = earlier[0]
            mistakes.append(row.wrong(column, f"line {line} has it already: {_ONE_DEVICE}"))
        by_address.setdefault(address, row.line)
        for mark in marks:
            by_mark.setdefault(mark, {}).setdefault(endpoint, row.line)
    return mistakes


def _camera(row: Row, default_facility: str) -> OwnCamera:
    facility_code = row["facility_code"] or default_facility
    columns = {name: cell for name, cell in row.cells.items() if cell and name != "size"}
    columns["facility_code"] = facility_code
    if row["transport"]:
        columns["transport"] = row["transport"].lower()
    if row["codec"]:
        columns["codec"] = CODECS[row["codec"].lower()]
    if size := _SIZE.fullmatch(row["size"]):
        columns["width"], columns["height"] = size.groups()
    return OwnCamera(row.line, row["code"], facility_code, _host(row["url"]), columns)


def _mistakes(row: Row, facility_codes: Collection[str]) -> list[Mistake]:
    wrong = []
    if row["code"] and not CODE.fullmatch(row["code"]):
        wrong.append(row.wrong("code", "use 1 to 64 letters, digits, '.', '_' or '-', e.g. CAM-01"))
    if row["url"]:
        wrong += [row.wrong("url", mistake) for mistake in _address_mistakes(row["url"])]
    if row["password"] and not row["username"]:
        wrong.append(row.wrong("username", "is empty, but there is a password"))
    if row["facility_code"] and row["facility_code"] not in facility_codes:
        known = ", ".join(sorted(facility_codes))
        wrong.append(row.wrong("facility_code", f"is not known: there are {known}; FACILITIES=file.csv brings more"))
    if row["transport"] and row["transport"].lower() not in TRANSPORTS:
        wrong.append(row.wrong("transport", f"must be one of {', '.join(TRANSPORTS)}, or empty"))
    if row["codec"] and row["codec"].lower() not in CODECS:
        wrong.append(row.wrong("codec", "must be h264 or h265, or empty where it is not known"))
    if row["size"] and not _SIZE.fullmatch(row["size"]):
        wrong.append(row.wrong("size", "must be width x height in pixels, e.g. 1920x1080"))
    for name in ("width", "height"):
        if row[name] and not _WHOLE.fullmatch(row[name]):
            wrong.append(row.wrong(name, "must be a whole number of pixels, e.g. 1080"))
    if row["size"] and (row["width"] or row["height"]):
        wrong.append(row.wrong("size", "stands beside width and height: give either"))
    return wrong


def _address_mistakes(url: str) -> list[str]:
    """Inventory checks what else each scheme needs (`refused_rows`)."""
    scheme, separator, _ = url.partition("://")
    if separator and scheme.lower() not in SCHEMES:
        return [f"the scheme is {scheme[:20]}://, it must be one of {', '.join(SCHEMES)}"]
    try:
        host = _host(url)
    except MalformedError as error:
        return [f"{error.message.replace('RTSP address', 'address')}, e.g. rtsp://192.168.1.20:554/stream1"]
    target = url.partition("://")[2].partition("/")[2]
    name = next((name for name, secret in secret_parameters(target) if secret not in ("", *PLACEHOLDERS)), None)
    if name is not None:
        return [f"holds a secret in '{name}=': write {{password}} there and the secret into the column password"]
    name = next((name for name, _ in random_parameters(target)), None)
    if name is not None:
        return [
            f"holds what looks like a key in '{name}=': write {{password}} there, and the key into the column password"
        ]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        # A name: the workers check what it resolves to, at every connection.
        return []
    if address.is_unspecified or str(address) == "255.255.255.255" or (address.is_multicast and scheme != "udp"):
        return [f"{address} is the address of no device, e.g. rtsp://192.168.1.20:554/stream1"]
    return []


def _host(url: str) -> str:
    """Parse the host of an address. Raises MalformedError."""
    _, separator, rest = url.partition("://")
    return RtspUrl.parse(f"rtsp://{rest}" if separator else url).host
