"""A client's answers to its peer's requests: servers check for life, announce ends and redirect."""

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.rtsp.wire.messages import Headers, Request, Response, is_end_of_stream

_SERVED = frozenset({"OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE", "REDIRECT", "TEARDOWN"})
_KNOWN = frozenset({"DESCRIBE", "SETUP", "PLAY", "PAUSE", "RECORD"})
_REASONS = {200: "OK", 405: "Method Not Allowed", 501: "Not Implemented"}


def answer_to(request: Request) -> Response:
    """200, 405 for a server's method, 501 for an unknown one."""
    status = 200 if request.method in _SERVED else 405 if request.method in _KNOWN else 501
    headers = Headers()
    if request.cseq is not None:
        headers.add_field("CSeq", str(request.cseq))
    if request.method == "OPTIONS" or status == 405:
        headers.add_field("Public" if status == 200 else "Allow", ", ".join(sorted(_SERVED)))
    return Response(status, _REASONS[status], headers)


def end_announced_by(request: Request) -> PeerError | None:
    """Find the reason for which this request ends the session; None when it continues."""
    if request.method == "TEARDOWN" or (request.method == "ANNOUNCE" and is_end_of_stream(request)):
        return PeerError(Cause.ENDED, "the peer ended the session")
    if request.method == "REDIRECT":
        # The new address is not read here: such a server answers the next DESCRIBE with it.
        return PeerError(Cause.ENDED, "the peer ended the session and sends its clients elsewhere")
    return None
