"""The newest observations of one thing as bytes: 26 each, little endian, oldest first."""

import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from reporting.domain.instants import Millis
from reporting.domain.timeline import WINDOW, CameraState, Observation
from reporting.storage.availability.cause_codes import CAUSE_CODES

_RECORD = struct.Struct("<qqqBB")
SIZE = _RECORD.size
FULL = WINDOW * SIZE

STATE_CODES: Mapping[CameraState, int] = MappingProxyType(
    {CameraState.UNKNOWN: 0, CameraState.UP: 1, CameraState.DOWN: 2}
)

_STATES = {code: state for state, code in STATE_CODES.items()}
_CAUSES: dict[int, str | None] = {0: None, **{code: str(cause) for cause, code in CAUSE_CODES.items()}}


def pack(seen: Observation) -> bytes:
    """One record of SIZE bytes. Raises KeyError for a cause without a number."""
    cause = CAUSE_CODES[seen.cause] if seen.cause else 0
    return _RECORD.pack(seen.at, seen.interval, seen.knows_since, STATE_CODES[seen.state], cause)


def pack_all(observations: Sequence[Observation]) -> bytes:
    return b"".join(map(pack, observations))


def unpack_all(tail: bytes) -> tuple[Observation, ...]:
    """Unpack a tail. Raises struct.error or KeyError when the bytes are none of ours."""
    return tuple(
        Observation(at, interval, _STATES[state], _CAUSES[cause], knows_since)
        for at, interval, knows_since, state, cause in _RECORD.iter_unpack(tail)
    )


def appended(tail: bytes, seen: Observation, run_started_at: Millis) -> bytes | None:
    """Append a newer observation to the tail; None when that would drop a run older than the open one."""
    if len(tail) < FULL:
        return tail + pack(seen)
    at: Millis = _RECORD.unpack_from(tail, SIZE)[0]
    return tail[SIZE:] + pack(seen) if at >= run_started_at else None
