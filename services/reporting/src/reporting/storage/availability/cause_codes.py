"""The number of each cause, as the tail of a camera and the packed deliveries of the ledger store it."""

from collections.abc import Mapping
from types import MappingProxyType

from reporting.domain.timeline import BY_FORWARDER
from vonggac.events import Cause

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
        Cause.REPEATS: 44,
        BY_FORWARDER: 255,
        Cause.ANOTHER_DEVICE: 45,
        Cause.WORKER_LAGGED: 46,
        Cause.NOT_ASKED: 47,
        Cause.LEFT: 48,
        Cause.TLS_REQUIRED: 49,
    }
)
"""Stored: a number once given is never given to another cause. A test demands one for every cause."""
