"""Who came to this worker's ports and was turned away, counted by the reason."""

from collections import Counter
from enum import StrEnum


class Reason(StrEnum):
    """Why a connection or a request was turned away."""

    CONNECTIONS = "connections"
    """More connections than the worker takes: the oldest without a login was ended."""
    HANDSHAKES = "handshakes"
    """More TLS handshakes at the same time than the worker takes."""
    AUTH_FAILED = "auth_failed"
    """A wrong login."""
    RESTING = "resting"
    """A login of an account and address that had too many wrong ones, whatever it was."""
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    """A right login from outside the centre's source networks."""
    TLS_REQUIRED = "tls_required"
    """A right login in clear, at a centre that must come inside TLS."""
    SESSION_LIMIT = "session_limit"
    """More sessions of a camera than its centre may open."""
    TRANSPORT_UNSUPPORTED = "transport_unsupported"
    """A transport that the centre may not have."""
    NO_HOLDER = "no_holder"
    """A camera that no worker in reach holds."""


type TurnedAway = Counter[Reason]


def new_turned_away() -> TurnedAway:
    """Every reason is there from the start, so that a rate can be taken of the first."""
    return Counter(dict.fromkeys(Reason, 0))
