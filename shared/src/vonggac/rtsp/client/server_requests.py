"""What a client answers to the requests of its peer: servers ask for signs of life, tell of ends and send elsewhere."""

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.rtsp.wire.messages import Headers, Request, Response, is_end_of_stream

_SERVED = frozenset({"OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE", "REDIRECT", "TEARDOWN"})
_KNOWN = frozenset({"DESCRIBE", "SETUP", "PLAY", "PAUSE", "RECORD"})
_REASONS = {200: "OK", 405: "Method Not Allowed", 501: "Not Implemented"}


def answer_to(request: Request) -> Response:
    """200, 405 for what only a server does, 501 for what nobody knows."""
    status = 200 if request.method in _SERVED else 405 if request.method in _KNOWN else 501
    headers = Headers()
    if request.cseq is not None:
        headers.add_field("CSeq", str(request.cseq))
    if request.method == "OPTIONS" or status == 405:
        headers.add_field("Public" if status == 200 else "Allow", ", ".join(sorted(_SERVED)))
    return Response(status, _REASONS[status], headers)


def end_announced_by(request: Request) -> PeerError | None:
    """Why the session is over after this request; None when it goes on."""
    if request.method == "TEARDOWN" or (request.method == "ANNOUNCE" and is_end_of_stream(request)):
        return PeerError(Cause.ENDED, "the peer ended the session")
    if request.method == "REDIRECT":
        # Where to is asked anew: a server that moves its sessions answers the next DESCRIBE with the address.
        return PeerError(Cause.ENDED, "the peer ended the session and sends its clients elsewhere")
    return None
