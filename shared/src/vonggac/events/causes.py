"""The closed list of causes: why a camera or a delivery is not as it should be.

The words are part of the public contract (events, API, metrics, exports): adding one is a compatible change,
renaming or removing one is not. Source of the list: the fault taxonomy of the prober (network, session, stream,
picture, identity), see docs/reference/causes.md for detection and advice.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


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


CAUSE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        Cause.DNS: "Không phân giải được tên máy",
        Cause.ROUTE: "Mất đường truyền tới cơ sở",
        Cause.REFUSED: "Cổng kết nối bị từ chối",
        Cause.TIMEOUT: "Không trả lời trong thời hạn",
        Cause.TLS: "Sai chứng thư hoặc cổng TLS",
        Cause.ADDRESS_NOT_ALLOWED: "Địa chỉ ngoài mạng được phép",
        Cause.AUTH_FAILED: "Sai tên hoặc mật khẩu",
        Cause.SESSION_LIMIT: "Hết phiên xem",
        Cause.ALREADY_PUBLISHING: "Đường dẫn đang có phiên khác",
        Cause.NOT_FOUND: "Không có luồng ở địa chỉ",
        Cause.NO_TRACK: "Không có luồng hình",
        Cause.CODEC_UNSUPPORTED: "Chuẩn nén không hỗ trợ",
        Cause.TRANSPORT_UNSUPPORTED: "Phương thức truyền không hỗ trợ",
        Cause.PROTOCOL_ERROR: "Sai giao thức",
        Cause.HUNG_UP: "Ngắt kết nối mà không trả lời",
        Cause.REQUEST_REFUSED: "Từ chối yêu cầu",
        Cause.SERVER_ERROR: "Thiết bị báo lỗi bên trong",
        Cause.NO_MEDIA: "Không có dữ liệu hình",
        Cause.NO_KEYFRAME: "Không có khung hình chính",
        Cause.FLOOD: "Camera gửi quá nhiều gói tin",
        Cause.KEYFRAME_TOO_LARGE: "Khung hình chính quá lớn",
        Cause.DECODE_FAILED: "Không giải mã được hình",
        Cause.DECODER_CRASHED: "Bộ giải mã hỏng vì hình này",
        Cause.PICTURE_TOO_LARGE: "Hình quá lớn",
        Cause.LOW_FPS: "Tốc độ khung hình thấp",
        Cause.LOW_BITRATE: "Tốc độ bit thấp",
        Cause.PACKET_LOSS: "Mất gói tin",
        Cause.JITTER: "Trễ không đều",
        Cause.FROZEN: "Hình đứng yên",
        Cause.REPEATS: "Hình phát lặp lại, không trực tiếp",
        Cause.BLACK: "Hình đen",
        Cause.COVERED: "Ống kính bị che",
        Cause.BLURRED: "Hình mờ",
        Cause.NO_SIGNAL_CARD: "Đầu ghi báo mất tín hiệu",
        Cause.SCENE_CHANGED: "Khung cảnh thay đổi",
        Cause.CLOCK_DRIFT: "Lệch giờ",
        Cause.IDENTITY_CHANGED: "Thiết bị khác với khảo sát",
        Cause.ANOTHER_DEVICE: "Đã thay thiết bị khác",
        Cause.MISMATCH: "Trung tâm phát sai hình",
        Cause.ENDED: "Luồng kết thúc",
        Cause.STALLED: "Bị đình trệ",
        Cause.STOPPED: "Do người vận hành dừng",
        Cause.NOT_ASKED: "Trung tâm chưa kết nối lấy hình",
        Cause.LEFT: "Trung tâm đã ngừng lấy hình",
        Cause.TLS_REQUIRED: "Trung tâm kết nối không dùng TLS",
        Cause.SECRET_UNREADABLE: "Không mở được thông tin đăng nhập",
        Cause.SECRET_MOVED: "Thông tin đăng nhập đặt sai chỗ",
        Cause.WORKER_LAGGED: "Máy kiểm tra quá tải",
        Cause.INTERNAL_ERROR: "Lỗi nội bộ",
    }
)
"""Every cause in Vietnamese words; one of a newer release is shown by its code."""
