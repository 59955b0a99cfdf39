"""A form with a file as a browser sends it (RFC 7578), and what its file is."""

import hashlib
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import quote

MOST_PARTS = 12
LONGEST_FIELD = 2000
LONGEST_HEAD = 4096
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Sent:
    """What was typed, and the file; an empty one where none was chosen."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str = ""
    content: bytes = b""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def headers(self) -> dict[str, str]:
        """As the register takes a file: its kind by the first bytes, its name in the form that takes every letter."""
        kind = XLSX if self.content.startswith(b"PK\x03\x04") else CSV
        name = f"attachment; filename*=utf-8''{quote(self.file_name, safe='')}"
        return {"Content-Type": kind, "Content-Disposition": name}


def read_sent(content_type: str, body: bytes) -> Sent:
    """Parse the form. Nothing of its file is opened."""
    head = Message()
    head["content-type"] = content_type
    boundary = head.get_param("boundary")
    if head.get_content_type() != "multipart/form-data" or not isinstance(boundary, str) or not boundary:
        return Sent()
    begin = b"--" + boundary.encode("latin-1", "replace")
    fields: dict[str, str] = {}
    # The parts of a body may be millions, and what stands before one may be all of it.
    file_name, content = "", b""
    for part in body.split(b"\r\n" + begin, MOST_PARTS)[:MOST_PARTS] if body.startswith(begin) else ():
        headers, gap, value = part.removeprefix(begin).partition(b"\r\n\r\n")
        name, file = _names_of(headers) if gap and len(headers) <= LONGEST_HEAD else ("", None)
        if not name:
            continue
        if file is None:
            fields[name] = value[:LONGEST_FIELD].decode("utf-8", "replace").strip()
        elif not content:
            file_name, content = file, value
    return Sent(fields, file_name, content)


def _names_of(headers: bytes) -> tuple[str, str | None]:
    """Name of the field, and of its file where it has one."""
    for line in headers.decode("utf-8", "replace").split("\r\n"):
        head, _, value = line.partition(":")
        if head.strip().lower() == "content-disposition":
            part = Message()
            part[head.strip()] = value.strip()
            name, file = (part.get_param(each, header="content-disposition") for each in ("name", "filename"))
            return name if isinstance(name, str) else "", file if isinstance(file, str) else None
    return "", None
