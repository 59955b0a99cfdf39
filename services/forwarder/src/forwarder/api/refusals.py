"""What this API refuses, in Vietnamese: patterns of its sentences, and a sentence for each code."""

import re
from collections.abc import Mapping

from vonggac.http.problems import Translator

_SENTENCES = tuple(
    (re.compile(pattern), vietnamese)
    for pattern, vietnamese in (
        (r"no forwarder has reported a delivery of a camera (?P<id>\S+);", "chưa có tiến trình chuyển tiếp nào báo về camera {id}: camera có trong sổ không?"),
        (r"no forwarder has reported a delivery (?P<id>\S+);", "chưa có tiến trình chuyển tiếp nào báo về luồng gửi {id}: camera của nó có trong sổ không?"),
        (r"NATS was not reached yet; what other workers report", "chưa kết nối được NATS, nơi các tiến trình khác báo trạng thái: thử lại sau ít giây"),
    )
)  # fmt: skip
_CODES: Mapping[str, str] = {
    "camera_rests": "camera đã từ chối tài khoản; đăng nhập nữa có thể làm khóa tài khoản: hãy sửa tài khoản trong sổ",
    "camera_unknown": "chưa có tiến trình chuyển tiếp nào báo về camera này",
    "delivery_not_running": "hiện không có tiến trình nào chuyển luồng này: luồng đang tắt, hoặc camera đang chờ chỗ",
    "delivery_not_stopped": "không ai đã dừng luồng này",
    "delivery_not_waiting": "luồng này không chờ gì: phiên đang chạy, hoặc đang được mở",
    "delivery_stopped": "luồng này đã bị dừng: hãy cho chạy lại (start)",
    "delivery_unknown": "chưa có tiến trình chuyển tiếp nào báo về luồng gửi này",
}
"""Of a problem whose detail has no Vietnamese of its own."""
VIETNAMESE = Translator.of(_SENTENCES, codes=_CODES)
