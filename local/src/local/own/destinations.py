"""A user's own monitoring centres, a row each: one that is pushed to has an address, one that pulls has networks."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from local.own.cameras import CODE
from local.own.table import Columns, FileError, Mistake, Row, doubled, read_rows
from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl

COLUMNS = Columns(
    required=("code", "name", "role", "mode"),
    optional=(
        "url_template", "username", "password", "source_networks", "transports", "tls", "responsible",
        "required_proof", "read_back_url_template", "read_back_username", "read_back_password",
    ),
    aliases={"address": "url_template", "networks": "source_networks", "proof": "required_proof",
             "read_back": "read_back_url_template"},
)  # fmt: skip
ROLES = ("national", "provincial")
MODES = ("push", "serve")
PROOFS = ("acknowledged", "verified")
SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps")
OF_PUSHED = ("url_template", "username", "password")
OF_PULLING = ("source_networks", "transports", "tls", "responsible")
PLACEHOLDERS = ("{camera_code}", "{camera_id}")
_EXAMPLE = "e.g. rtsp://10.9.0.1:8554/{camera_code}"
_SEPARATORS = re.compile(r"[;,\s]+")


@dataclass(frozen=True, slots=True)
class OwnDestination:
    """One checked row; `line` is the line of the file it begins in, `hosts` those of its addresses."""

    line: int
    code: str
    role: str
    mode: str
    hosts: tuple[str, ...]
    columns: dict[str, str]
    """As inventory imports them: without any login."""
    login: tuple[str, str] | None = field(default=None, repr=False)
    """For publishing, to a centre that is pushed to."""
    read_back_login: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def pulls(self) -> bool:
        return self.mode == "serve"

    @property
    def networks(self) -> list[str]:
        return split_texts(self.columns.get("source_networks", ""))


def read_destinations(path: Path, *, taken: Collection[str], served_host: str | None) -> list[OwnDestination]:
    """Read the centres of the file. `taken`: codes of the demo's; `served_host`: this machine's address for centres.

    Raises FileError with every mistake.
    """
    rows, mistakes = read_rows(path, COLUMNS)
    for row in rows:
        mistakes += _mistakes(row, taken, served_host)
    mistakes += doubled(rows)
    if mistakes:
        raise FileError(path, sorted(mistakes, key=lambda mistake: mistake.line))
    return [_destination(row) for row in rows]


def split_texts(text: str) -> list[str]:
    """Several texts of one cell, with a semicolon, comma or space between them."""
    return [part for part in _SEPARATORS.split(text) if part]


def _destination(row: Row) -> OwnDestination:
    mode = row["mode"].lower()
    names = ("code", "name", "role", "mode", "url_template", "read_back_url_template", "required_proof", "responsible")
    columns = {name: row[name] for name in names if row[name]}
    columns |= {name: row[name].lower() for name in ("role", "mode", "required_proof") if row[name]}
    if mode == "serve":
        columns["source_networks"] = ";".join(split_texts(row["source_networks"]))
        columns["served_transports"] = ";".join(split_texts(row["transports"].lower()) or ["tcp"])
        columns["served_tls"] = "none"
    hosts = tuple(dict.fromkeys(_host(row[name]) for name in ("url_template", "read_back_url_template") if row[name]))
    return OwnDestination(
        row.line,
        row["code"],
        columns["role"],
        mode,
        hosts,
        columns,
        (row["username"], row["password"]) if row["username"] else None,
        (row["read_back_username"], row["read_back_password"]) if row["read_back_username"] else None,
    )


def _mistakes(row: Row, taken: Collection[str], served_host: str | None) -> list[Mistake]:
    wrong = []
    if row["code"] and not CODE.fullmatch(row["code"]):
        wrong.append(row.wrong("code", "use 1 to 64 letters, digits, '.', '_' or '-', e.g. IOC-01"))
    elif row["code"] in taken:
        wrong.append(row.wrong("code", "is a centre of the demo: take another code, e.g. IOC-01"))
    for name, words in (("role", ROLES), ("mode", MODES), ("required_proof", PROOFS)):
        if row[name] and row[name].lower() not in words:
            wrong.append(row.wrong(name, f"must be {' or '.join(words)}"))
    mode = row["mode"].lower()
    if mode == "push":
        wrong += [
            row.wrong(name, "is of a centre that pulls: leave it empty, or write serve as its mode")
            for name in OF_PULLING
            if row[name]
        ]
        wrong += _address(row, "url_template", SCHEMES, needed="is empty: a centre that is pushed to receives there")
    elif mode == "serve":
        wrong += _pulling(row, served_host)
    wrong += _address(row, "read_back_url_template", ("rtsp", "rtsps"))
    if row["required_proof"].lower() == "verified" and not row["read_back_url_template"]:
        text = f"is empty, and verified needs it: where the centre plays the stream back, {_EXAMPLE}"
        wrong.append(row.wrong("read_back_url_template", text))
    for name in ("", "read_back_"):
        if row[f"{name}password"] and not row[f"{name}username"]:
            wrong.append(row.wrong(f"{name}username", "is empty, but there is a password"))
    return wrong


def _pulling(row: Row, served_host: str | None) -> list[Mistake]:
    wrong = []
    if row["url_template"]:
        wrong.append(row.wrong("url_template", "is ours where the centre pulls, and is printed: leave it empty"))
    if row["username"] or row["password"]:
        text = "the login of a centre that pulls is made here, and printed once: leave username and password empty"
        wrong.append(row.wrong("username", text))
    if row["tls"] and row["tls"].lower() != "none":
        text = "make run serves without TLS: write none; docs/operations/centres-that-pull.md is for an installation"
        wrong.append(row.wrong("tls", text))
    if unknown := [each for each in split_texts(row["transports"].lower()) if each not in ("tcp", "udp")]:
        wrong.append(row.wrong("transports", f"{unknown[0][:20]} is none of tcp, udp; both are 'tcp udp'"))
    networks = split_texts(row["source_networks"])
    if not networks:
        wrong.append(row.wrong("source_networks", "is empty: give the centre's networks, e.g. 10.9.0.0/24"))
    for text in networks:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            wrong.append(row.wrong("source_networks", f"{text[:50]} is no network, e.g. 10.9.0.0/24, or 10.9.0.5"))
            continue
        if not network.is_private:
            wrong.append(row.wrong("source_networks", f"{text[:50]} is not private, and make run serves without TLS"))
            continue
        if not network.is_loopback and served_host is None:
            text = (
                "no centre there reaches 127.0.0.1: start with SERVED_HOST=, this machine's address, e.g. 192.168.1.5"
            )
            wrong.append(row.wrong("source_networks", text))
            break
    return wrong


def _address(row: Row, name: str, schemes: Collection[str], *, needed: str | None = None) -> list[Mistake]:
    """Without a login: that has columns of its own, whose values are never printed."""
    template = row[name]
    if not template:
        return [row.wrong(name, f"{needed}, {_EXAMPLE}")] if needed is not None else []
    scheme, separator, rest = template.partition("://")
    if not separator or scheme.lower() not in schemes:
        return [row.wrong(name, f"must begin with {', '.join(f'{each}://' for each in schemes)}, {_EXAMPLE}")]
    if "@" in rest.partition("/")[0]:
        prefix = "read_back_" if name.startswith("read_back") else ""
        return [Mistake(f"holds a login: write it into {prefix}username and {prefix}password", row.line, name)]
    if not any(placeholder in template for placeholder in PLACEHOLDERS):
        return [row.wrong(name, f"has no {{camera_code}}: every camera would have one address, {_EXAMPLE}")]
    try:
        _host(template)
    except MalformedError as error:
        return [row.wrong(name, f"{error.message.replace('RTSP address', 'address')}, {_EXAMPLE}")]
    return []


def _host(template: str) -> str:
    """Parse the host of a template. Raises MalformedError."""
    return RtspUrl.parse(f"rtsp://{template.partition('://')[2].partition('/')[0]}/").host
