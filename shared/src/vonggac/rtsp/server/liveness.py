"""How long a client may be silent: pure."""

from dataclasses import dataclass

HANDSHAKE_S = 10.0
"""A first request, and each that has begun, is whole after so long, or the connection ends: a client that sends a byte
a second keeps no place. Also the limit of a TLS handshake."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`timeout_s`: silence after which a session ends; a shorter one than HANDSHAKE_S holds for handshakes too."""

    timeout_s: float
    ends_silent_tcp: bool = True
    """False: while media goes out over the connection itself, its end alone ends the session. Many players send nothing
    then, and servers that cut them after 60 s are the ones that are complained of."""


@dataclass(frozen=True, slots=True)
class Signs:
    """When a client was heard, in seconds of one clock."""

    connected_at: float
    heard_at: float | None = None
    """The last whole request or frame, or receiver report."""
    unfinished_since: float | None = None
    """When a request or frame that is not whole yet began."""
    carries_media: bool = False


def seconds_left(patience: Patience, signs: Signs, now: float) -> float:
    """How long the client may still be silent; 0 or less ends the connection, infinity is for ever."""
    handshake = [at for at in (signs.unfinished_since,) if at is not None]
    if signs.heard_at is None:
        handshake.append(signs.connected_at)
    limits = [at + min(HANDSHAKE_S, patience.timeout_s) for at in handshake]
    if signs.heard_at is not None and not (signs.carries_media and not patience.ends_silent_tcp):
        limits.append(signs.heard_at + patience.timeout_s)
    return min(limits, default=float("inf")) - now
