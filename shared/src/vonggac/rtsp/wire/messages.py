"""RTSP/1.0 requests and responses as values, and their text form (RFC 2326 §4 to §7)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vonggac.net.errors import MalformedError

MAX_HEADERS = 128

_INJECTED = "a header field holds a line break"
_LINE_BREAK = re.compile(r"[\r\n\x00]")
_STATUS_LINE = re.compile(r"RTSP/[0-9]\.[0-9] +([0-9]{3})(?: (.*))?$")
_NUMBER = re.compile(r"[0-9]{1,10}")
_SPACED_NUMBER = re.compile(r"\s*[0-9]{1,10}\s*")
_TIMEOUT = re.compile(r"""\s*"?\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)(?![0-9])""")
_REQUEST_LINE = re.compile(r"([A-Z_]{3,32}) +(\S+) +RTSP/[0-9]\.[0-9]\s*$")


class Headers:
    """Header fields in order: names compare without case, and may repeat."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = list(items)
        for name, value in self._items:
            if _LINE_BREAK.search(f"{name}:{value}"):
                raise MalformedError(_INJECTED)

    def add_field(self, name: str, value: str) -> None:
        """Append a field. Raises MalformedError for a line break (header injection)."""
        if _LINE_BREAK.search(f"{name}:{value}"):
            raise MalformedError(_INJECTED)
        self._items.append((name, value))

    def set(self, name: str, value: str) -> None:
        """Replace every field of that name by this one, at the end."""
        lowered = name.lower()
        self._items = [item for item in self._items if item[0].lower() != lowered]
        self.add_field(name, value)

    def get(self, name: str) -> str | None:
        """Find the first value of that name, or None."""
        lowered = name.lower()
        # No generator: asked often.
        for key, value in self._items:
            if key.lower() == lowered:
                return value
        return None

    def get_all(self, name: str) -> list[str]:
        lowered = name.lower()
        return [value for key, value in self._items if key.lower() == lowered]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._items == other._items

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        # Only the names: a value may be an Authorization.
        return f"Headers({[name for name, _ in self._items]})"


@dataclass(slots=True)
class Request:
    """One request. `repr` shows no header value and no body."""

    method: str
    uri: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)

    def encode(self) -> bytes:
        """Encode the bytes for the wire; Content-Length is added when there is a body."""
        if _LINE_BREAK.search(self.method) or _LINE_BREAK.search(self.uri):
            raise MalformedError("a request line holds a line break")
        return _encode(f"{self.method} {self.uri} RTSP/1.0", self.headers, self.body)

    @property
    def cseq(self) -> int | None:
        return _cseq(self.headers)


@dataclass(slots=True)
class Response:
    """One response. `repr` shows no header value and no body."""

    status: int
    reason: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)

    def encode(self) -> bytes:
        """Encode the bytes for the wire; Content-Length is added when there is a body."""
        if _LINE_BREAK.search(self.reason):
            raise MalformedError("a status line holds a line break")
        return _encode(f"RTSP/1.0 {self.status} {self.reason}", self.headers, self.body)

    @property
    def ok(self) -> bool:
        return 200 <= self.status <= 299

    @property
    def cseq(self) -> int | None:
        return _cseq(self.headers)


def is_start_line(line: str) -> bool:
    """Whether a line (without its end) can begin a message."""
    return bool(_STATUS_LINE.match(line) or _REQUEST_LINE.match(line))


def parse_head(head: bytes) -> Request | Response:
    """Parse start line and header fields (the bytes before the empty line) into a message without its body.

    Tolerant: bare LF, missing reason, folded lines; a field without a colon is left out.
    Raises MalformedError when the start line is none, or for more than MAX_HEADERS fields.
    """
    lines = _decode(head).replace("\r\n", "\n").split("\n")
    start = lines[0].strip("\r")
    headers = _parse_headers(lines[1:])
    if status := _STATUS_LINE.match(start):
        return Response(int(status[1]), (status[2] or "").strip(), headers)
    if request := _REQUEST_LINE.match(start):
        return Request(request[1], request[2], headers)
    raise MalformedError("the first line is neither an RTSP request nor an RTSP status line")


def content_length(headers: Headers) -> int:
    """Read the length. Raises MalformedError when the field is there and is not a whole number of bytes."""
    value = headers.get("Content-Length")
    if value is None or not value.strip():
        return 0
    if not _NUMBER.fullmatch(value.strip()):
        raise MalformedError("Content-Length is not a whole number")
    return int(value)


def parse_session(value: str) -> tuple[str, float | None]:
    """`Session: id;timeout=60` -> (id, timeout in s or None) (RFC 2326 §12.37).

    Also as devices write it: in quotes, with spaces around the `=`, with a unit after the number, a comma for the
    semicolon. A timeout of 0 is none.
    """
    session_id, *parameters = [part.strip() for part in re.split("[;,]", value)]
    timeout_s = None
    for parameter in parameters:
        name, _, number = parameter.partition("=")
        found = _TIMEOUT.match(number)
        if name.strip().lower() == "timeout" and found is not None:
            timeout_s = float(found[1]) or None
            break
    return session_id.strip('"'), timeout_s


def _parse_headers(lines: list[str]) -> Headers:
    fields: list[tuple[str, str]] = []
    for raw in lines:
        line = raw.rstrip("\r").replace("\r", " ").replace("\x00", " ")
        if line[:1] in (" ", "\t") and fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon and name.strip():
            fields.append((name.strip(), value.strip()))
        if len(fields) > MAX_HEADERS:
            raise MalformedError(f"more than {MAX_HEADERS} header fields")
    headers = Headers()
    # Unchanged: a line has no line break in it.
    headers._items = fields
    return headers


def _encode(start_line: str, headers: Headers, body: bytes) -> bytes:
    lines = [start_line, *(f"{name}: {value}" for name, value in headers)]
    if body and "Content-Length" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    # "replace": text that UTF-8 cannot carry (a lone surrogate) must not raise an error of another family.
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace") + body


def _decode(head: bytes) -> str:
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _cseq(headers: Headers) -> int | None:
    value = headers.get("CSeq")
    return int(value) if value is not None and _SPACED_NUMBER.fullmatch(value) else None


def is_end_of_stream(request: Request) -> bool:
    """Recognise an ANNOUNCE with notice 2101 (or the like) instead of a new description."""
    notices = [value for name in ("Notice", "x-notice") for value in request.headers.get_all(name)]
    return any("2101" in notice or "end-of-stream" in notice.lower() for notice in notices)
