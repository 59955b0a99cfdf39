"""The one exception family for every protocol with a camera or a destination.

    PeerError
     ├── MalformedError   what arrived (or was given) does not follow the protocol
     └── StatusError      the peer answered, and the answer is not 2xx
          └── RedirectError   … but 3xx, with the address to go to instead

Every error has a `Cause`, so that a supervisor makes a value of it without its class or text.
"""

import re

from vonggac.events.causes import Cause

_MAX_REASON = 60

_CAUSE_BY_STATUS = {
    401: Cause.AUTH_FAILED,
    403: Cause.AUTH_FAILED,
    404: Cause.NOT_FOUND,
    410: Cause.NOT_FOUND,
    415: Cause.NO_TRACK,
    453: Cause.SESSION_LIMIT,
    461: Cause.TRANSPORT_UNSUPPORTED,
    503: Cause.SESSION_LIMIT,
}
_PUBLISHING = frozenset({"ANNOUNCE", "RECORD"})
_ALREADY_PUBLISHING = frozenset({406, 409, 455})
"""What servers answer to a second publisher of a stream; others say it in words."""
_ALREADY_PUBLISHING_WORDS = re.compile(r"\balready\b|\bin use\b|\bbusy\b|publishing", re.IGNORECASE)
_NOT_UNDERSTOOD = frozenset({501, 505, 551})


class PeerError(Exception):
    """Communication with a camera or destination failed. `message` is short and holds no credential."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(cause, message)
        self.cause = cause
        self.message = message
        self.logged_in = False
        """Whether the peer accepted our login before this."""
        self.elsewhere = False
        """Whether it happened at another host or port, after a redirect."""
        self.login_sent = False
        """Whether the peer got our login; not after a redirect elsewhere, or for a challenge that we cannot answer."""
        self.rest_s: float | None = None
        """Seconds until the login may be tried, where it was not tried because it rests."""

    def __str__(self) -> str:
        return f"{self.cause}: {self.message}"


class MalformedError(PeerError):
    """Bytes or text that do not follow RTSP, SDP, RTP or H.26x; always `protocol_error`."""

    def __init__(self, message: str) -> None:
        super().__init__(Cause.PROTOCOL_ERROR, message)
        self.args = (message,)


class StatusError(PeerError):
    """The peer answered `status` to `method`."""

    def __init__(self, method: str, status: int, reason: str) -> None:
        shown = "".join(char for char in reason if char.isprintable())
        if len(shown) > _MAX_REASON:
            # No half word: half of a login that the peer repeats could not be recognised and hidden.
            shown = shown[: _MAX_REASON + 1].rpartition(" ")[0]
        super().__init__(cause_of_status(method, status, reason), f"{method} was answered {status} {shown}".rstrip())
        self.args = (method, status, reason)
        self.method = method
        self.status = status


class RedirectError(StatusError):
    """The peer answered `method` with a redirect to `location`, unchanged: not for display."""

    def __init__(self, method: str, status: int, reason: str, location: str) -> None:
        super().__init__(method, status, reason)
        self.location = location


def cause_of_status(method: str, status: int, reason: str = "") -> Cause:
    """Find the cause of a status that is not 2xx.

    Servers refuse a second publisher of a stream in many ways: by 406 or 455, or by the reason alone.

    Overloaded recorders answer SETUP with 500 or 503 instead of 453, hence the 5xx rule; to any other request 5xx is a
    fault of the peer's own. But 501, 505 and 551 mean that the request was not understood (RFC 7826 §17.5).
    """
    taken = status in _ALREADY_PUBLISHING or (status != 401 and _ALREADY_PUBLISHING_WORDS.search(reason))
    if method in _PUBLISHING and taken:
        return Cause.ALREADY_PUBLISHING
    if (method, status) == ("ANNOUNCE", 415):
        # We offer and the peer refuses; a camera that answers DESCRIBE so has nothing to offer.
        return Cause.CODEC_UNSUPPORTED
    if status in _CAUSE_BY_STATUS:
        return _CAUSE_BY_STATUS[status]
    if 500 <= status <= 599 and status not in _NOT_UNDERSTOOD:
        return Cause.SESSION_LIMIT if method == "SETUP" else Cause.SERVER_ERROR
    return Cause.REQUEST_REFUSED
