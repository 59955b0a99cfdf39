"""What a server answers: a status with its phrase, header fields, a body, and what follows the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

REASONS = MappingProxyType(
    {
        200: "OK",
        302: "Moved Temporarily",
        400: "Bad Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed",
        406: "Not Acceptable",
        413: "Request Entity Too Large",
        415: "Unsupported Media Type",
        453: "Not Enough Bandwidth",
        454: "Session Not Found",
        455: "Method Not Valid in This State",
        459: "Aggregate Operation Not Allowed",
        461: "Unsupported Transport",
        500: "Internal Server Error",
        501: "Not Implemented",
        503: "Service Unavailable",
        505: "RTSP Version Not Supported",
        551: "Option not supported",
    }
)
"""RFC 2326 §7.1.1."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. `then` runs right after the answer was written; `close` ends the connection after it."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    then: Callable[[], None] | None = None
    close: bool = False
