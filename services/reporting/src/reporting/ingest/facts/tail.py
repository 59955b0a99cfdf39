"""The newest observations of one thing as bytes: 26 each, little endian, oldest first."""

import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from reporting.domain.instants import Millis
from reporting.domain.timeline import BY_FORWARDER, WINDOW, CameraState, Observation
from vonggac.events import Cause

_RECORD = struct.Struct("<qqqBB")
SIZE = _RECORD.size
FULL = WINDOW * SIZE

STATE_CODES: Mapping[CameraState, int] = MappingProxyType(
    {CameraState.UNKNOWN: 0, CameraState.UP: 1, CameraState.DOWN: 2}
)
CAUSE_CODES: Mapping[str, int] = MappingProxyType(
    {
        Cause.DNS: 1,
        Cause.ROUTE: 2,
        Cause.REFUSED: 3,
        Cause.TIMEOUT: 4,
        Cause.TLS: 5,
        Cause.ADDRESS_NOT_ALLOWED: 6,
        Cause.AUTH_FAILED: 7,
        Cause.SESSION_LIMIT: 8,
        Cause.NOT_FOUND: 9,
        Cause.NO_TRACK: 10,
        Cause.CODEC_UNSUPPORTED: 11,
        Cause.TRANSPORT_UNSUPPORTED: 12,
        Cause.PROTOCOL_ERROR: 13,
        Cause.NO_MEDIA: 14,
        Cause.NO_KEYFRAME: 15,
        Cause.DECODE_FAILED: 16,
        Cause.ENDED: 17,
        Cause.STALLED: 18,
        Cause.SECRET_UNREADABLE: 19,
        Cause.INTERNAL_ERROR: 20,
        Cause.LOW_FPS: 21,
        Cause.LOW_BITRATE: 22,
        Cause.PACKET_LOSS: 23,
        Cause.JITTER: 24,
        Cause.FROZEN: 25,
        Cause.BLACK: 26,
        Cause.COVERED: 27,
        Cause.BLURRED: 28,
        Cause.NO_SIGNAL_CARD: 29,
        Cause.SCENE_CHANGED: 30,
        Cause.CLOCK_DRIFT: 31,
        Cause.IDENTITY_CHANGED: 32,
        Cause.MISMATCH: 33,
        Cause.STOPPED: 34,
        Cause.SECRET_MOVED: 35,
        Cause.ALREADY_PUBLISHING: 36,
        Cause.HUNG_UP: 37,
        Cause.REQUEST_REFUSED: 38,
        Cause.SERVER_ERROR: 39,
        Cause.KEYFRAME_TOO_LARGE: 40,
        Cause.FLOOD: 41,
        Cause.DECODER_CRASHED: 42,
        Cause.PICTURE_TOO_LARGE: 43,
        BY_FORWARDER: 255,
    }
)
"""Stored: a number once given is never given to another cause. A test demands one for every cause."""

_STATES = {code: state for state, code in STATE_CODES.items()}
_CAUSES: dict[int, str | None] = {0: None, **{code: str(cause) for cause, code in CAUSE_CODES.items()}}


def pack(seen: Observation) -> bytes:
    """One record of SIZE bytes. Raises KeyError for a cause without a number."""
    cause = CAUSE_CODES[seen.cause] if seen.cause else 0
    return _RECORD.pack(seen.at, seen.interval, seen.knows_since, STATE_CODES[seen.state], cause)


def pack_all(observations: Sequence[Observation]) -> bytes:
    return b"".join(map(pack, observations))


def unpack_all(tail: bytes) -> tuple[Observation, ...]:
    """Raises struct.error or KeyError when the bytes are none of ours."""
    return tuple(
        Observation(at, interval, _STATES[state], _CAUSES[cause], knows_since)
        for at, interval, knows_since, state, cause in _RECORD.iter_unpack(tail)
    )


def appended(tail: bytes, seen: Observation, run_started_at: Millis) -> bytes | None:
    """The tail with a newer observation at its end; None when that would drop a run older than the open one."""
    if len(tail) < FULL:
        return tail + pack(seen)
    at: Millis = _RECORD.unpack_from(tail, SIZE)[0]
    return tail[SIZE:] + pack(seen) if at >= run_started_at else None
