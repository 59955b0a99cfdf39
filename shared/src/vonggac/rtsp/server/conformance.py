"""What every request must satisfy before it means anything: pure."""

import re

from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.wire.messages import Request

_CSEQ = re.compile(r"[0-9]{1,10}")
_MAX_URI = 2_048


def usable_cseq(request: Request) -> str | None:
    """Find the CSeq to repeat in the answer; None when there is none that is a number of at most ten digits.

    A client matches answers with its requests by it (RFC 2326 §12.17): what is no number is not repeated.
    """
    value = (request.headers.get("CSeq") or "").strip()
    return value if _CSEQ.fullmatch(value) else None


def find_violation(request: Request) -> Reply | None:
    """Return the refusal of a request that no method may read; None when it may be read.

    400 without a usable CSeq (RFC 2326 §12.17) or with an address of more than 2,048 characters, 551 for any feature
    that a client requires (§12.32), 406 where a description is wanted in a form that is none of `application/*`.
    """
    if usable_cseq(request) is None or len(request.uri) > _MAX_URI:
        return Reply(400)
    required = [value for name in ("Require", "Proxy-Require") for value in request.headers.get_all(name)]
    if required:
        return Reply(551, (("Unsupported", ", ".join(required)),))
    if request.method == "DESCRIBE" and not _accepts_description(request.headers.get("Accept")):
        return Reply(406)
    return None


def _accepts_description(accept: str | None) -> bool:
    if not accept:
        return True
    kinds = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    return any(kind == "*/*" or kind.startswith("application/") for kind in kinds)
