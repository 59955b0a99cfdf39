"""What this API refuses, in Vietnamese: patterns of its sentences, and a sentence for each code."""

import re
from collections.abc import Mapping

from vonggac.http.problems import Translator

_SENTENCES = tuple(
    (re.compile(pattern), vietnamese)
    for pattern, vietnamese in (
        (r"nobody has probed a camera (?P<id>\S+);", "chưa kiểm tra camera {id} lần nào: camera có trong sổ và đang bật không?"),
        (r"the inventory has no camera (?P<id>\S+)", "trong sổ không có camera {id}, hoặc tài khoản không được xem"),
        (r"the camera (?P<id>\S+) has no such delivery", "camera {id} không có luồng gửi này"),
        (r"nothing is known of a delivery (?P<id>\S+) yet", "chưa biết gì về luồng gửi {id}: hãy nêu camera_id"),
        (r"the facility of the camera is (?P<status>\w+)", "cơ sở của camera đang ở trạng thái «{status}»: đổi trạng thái trong sổ trước"),
        (r"give either camera_id or url", "nêu camera_id hoặc url, không nêu cả hai"),
        (r"give either delivery_id or camera_id", "nêu delivery_id hoặc camera_id, không nêu cả hai"),
        (r"username and password belong together", "tài khoản và mật khẩu đi cùng nhau: điền cả hai hoặc để trống cả hai"),
        (r"a camera of the inventory is probed with the login", "camera trong sổ được kiểm tra bằng tài khoản đã lưu của nó: bỏ tài khoản ở đây"),
        (r"Nothing was probed: put the url right", "chưa kiểm tra gì: sửa url trước"),
        (r"Nothing was asked: put the addresses right", "chưa quét gì: sửa các địa chỉ trước"),
        (r"there is no scan (?P<id>\S+);", "không có lần quét {id}; mỗi lần quét chỉ giữ một giờ"),
        (r"is no address: write it like", "không phải địa chỉ: viết như 10.20.1.5 hoặc 10.20.1.5:8080"),
        (r"is a name: a scan takes IP addresses", "là tên máy: chỉ quét địa chỉ IP (10.20.1.5, 10.20.1.5:8080) và mạng (10.20.1.0/24)"),
        (r"is no network: write it like", "không phải mạng: viết như 10.20.1.0/24"),
        (r"has more than (?P<most>\d+) addresses", "có hơn {most} địa chỉ: lấy mạng nhỏ hơn, ví dụ /24"),
        (r"has a zone \(%\)", "có vùng (%): chỉ quét địa chỉ không có vùng"),
        (r"leads to (?P<host>\S+), which is in none", "dẫn tới {host}, nằm ngoài các mạng được phép"),
        (r"leads to (?P<host>\S+), which is a port of the platform", "dẫn tới {host}, là cổng của chính hệ thống: không có camera hay trung tâm nào ở đó"),
        (r"one caller may have (?P<most>\d+) addresses and ports asked in an hour, (?P<asked>\d+) were", "mỗi tài khoản được hỏi {most} địa chỉ và cổng trong một giờ, đã hỏi {asked}"),
        (r"(?P<most>\d+) addresses and ports of the network (?P<network>\S+) may be asked in an hour", "mạng {network} được hỏi {most} địa chỉ và cổng trong một giờ, tính mọi tài khoản"),
        (r"(?P<most>\d+) different ports of (?P<address>\S+) may be asked in an hour", "{address} được hỏi {most} cổng khác nhau trong một giờ: thiết bị chỉ có ít cổng, hãy nêu đúng cổng"),
        (r"it is (?P<state>\w+) already; read it \(GET\)", "việc này đã «{state}»: đọc lại (GET) để biết ai nói và vì sao"),
        (r"it was decided already: (?P<state>\w+), by (?P<who>.*)", "đã được quyết định («{state}») bởi {who}"),
        (r"nobody disputes it: there is nothing to decide", "không ai có ý kiến khác: không có gì để quyết định"),
    )
)  # fmt: skip
_CODES: Mapping[str, str] = {
    "being_probed": "camera đang được kiểm tra: xem kết quả sau ít giây",
    "being_read_back": "các luồng gửi của camera đang được đối chiếu: xem kết quả sau ít giây",
    "camera_disabled": "camera đang tắt: bật trong sổ trước",
    "camera_not_found": "trong sổ không có camera này, hoặc tài khoản không được xem",
    "camera_not_probed": "chưa kiểm tra camera này lần nào",
    "decided_already": "việc này đã được quyết định",
    "delivery_disabled": "camera hoặc luồng gửi đang tắt, chưa có phương án đã thống nhất, hoặc cơ sở đã đóng: sửa trong sổ trước",
    "delivery_not_found": "không có luồng gửi này, hoặc tài khoản không được xem",
    "centre_failed": "trung tâm không trả lại hình lúc này",
    "demand_limit": "đã hỏi quá nhiều địa chỉ trong một giờ: đợi rồi thử lại",
    "disputed_already": "đã có người nêu ý kiến khác: đọc lại (GET) để biết ai và vì sao",
    "facility_not_in_service": "cơ sở của camera không hoạt động: đổi trạng thái trong sổ trước",
    "live_codec": "trung tâm trả lại hình H.265, ít trình duyệt phát được: hãy xem hình tĩnh",
    "live_viewers": "đang có đủ số người xem hình trực tiếp: thử lại sau nửa phút",
    "login_resting": "tài khoản đã sai hai lần ở camera này; thử nữa có thể làm khóa tài khoản: hãy sửa tài khoản",
    "no_device": "chưa thấy thiết bị nào ở địa chỉ của camera: kiểm tra camera trước (POST /v1/probes)",
    "no_picture": "trong một ngày qua chưa thấy hình nào của camera: kiểm tra camera trước (POST /v1/probes)",
    "no_reference": "chưa duyệt hình mẫu nào của camera này",
    "no_repetition": "các lần kiểm tra không thấy camera phát lại hình cũ, và không ai có ý kiến khác",
    "not_disputed": "không ai có ý kiến khác: không có gì để quyết định",
    "not_given_back": "trung tâm không trả lại hình: chưa có địa chỉ đối chiếu cho luồng gửi này",
    "not_repeating": "lần kiểm tra cuối không thấy camera phát lại hình cũ: không có gì để nêu ý kiến",
    "on_demand_limit": "đang có đủ số lần kiểm tra theo yêu cầu: đợi rồi thử lại",
    "overtaken": "người khác vừa nêu ý kiến: đọc lại (GET) rồi thử lại",
    "picture_streams": "đang mở đủ số luồng hình: đóng bớt, hoặc thử lại sau nửa phút",
    "own_dispute": "người nêu ý kiến không tự quyết định: người khác có quyền quyết định",
    "picture_not_good": "hình hiện nay không đạt: chỉnh camera, kiểm tra lại (POST /v1/probes) rồi duyệt hình",
    "scan_not_found": "không có lần quét này; mỗi lần quét chỉ giữ một giờ",
    "site_busy": "mạng của cơ sở, tài khoản hoặc chính camera đang được kiểm tra: thử lại sau ít giây",
    "too_many_scans": "đang chạy đủ số lần quét: dừng một lần quét, hoặc thử lại sau một phút",
}
"""Of a problem whose detail has no Vietnamese of its own."""
VIETNAMESE = Translator.of(_SENTENCES, codes=_CODES)
