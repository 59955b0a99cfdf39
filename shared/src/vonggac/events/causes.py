"""The closed list of causes: why a camera or a delivery is not as it should be.

The words are part of the public contract (events, API, metrics, exports): adding one is a compatible change,
renaming or removing one is not. Source of the list: the fault taxonomy of the prober (network, session, stream,
picture, identity), see docs/reference/causes.md for detection and advice.
"""

from enum import StrEnum


class Cause(StrEnum):
    """One machine-readable reason. `None` beside a good state, never an empty string."""

    DNS = "dns"
    ROUTE = "route"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    TLS = "tls"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    AUTH_FAILED = "auth_failed"
    SESSION_LIMIT = "session_limit"
    ALREADY_PUBLISHING = "already_publishing"
    NOT_FOUND = "not_found"
    NO_TRACK = "no_track"
    CODEC_UNSUPPORTED = "codec_unsupported"
    TRANSPORT_UNSUPPORTED = "transport_unsupported"
    PROTOCOL_ERROR = "protocol_error"
    FLOOD = "flood"
    HUNG_UP = "hung_up"
    REQUEST_REFUSED = "request_refused"
    SERVER_ERROR = "server_error"
    NO_MEDIA = "no_media"
    NO_KEYFRAME = "no_keyframe"
    KEYFRAME_TOO_LARGE = "keyframe_too_large"
    DECODE_FAILED = "decode_failed"
    DECODER_CRASHED = "decoder_crashed"
    PICTURE_TOO_LARGE = "picture_too_large"
    LOW_FPS = "low_fps"
    LOW_BITRATE = "low_bitrate"
    PACKET_LOSS = "packet_loss"
    JITTER = "jitter"
    FROZEN = "frozen"
    REPEATS = "repeats"
    BLACK = "black"
    COVERED = "covered"
    BLURRED = "blurred"
    NO_SIGNAL_CARD = "no_signal_card"
    SCENE_CHANGED = "scene_changed"
    CLOCK_DRIFT = "clock_drift"
    IDENTITY_CHANGED = "identity_changed"
    ANOTHER_DEVICE = "another_device"
    MISMATCH = "mismatch"
    ENDED = "ended"
    STALLED = "stalled"
    STOPPED = "stopped"
    NOT_ASKED = "not_asked"
    LEFT = "left"
    TLS_REQUIRED = "tls_required"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a cause, not a secret
    SECRET_MOVED = "secret_moved"  # noqa: S105 - a cause, not a secret
    WORKER_LAGGED = "worker_lagged"
    INTERNAL_ERROR = "internal_error"
