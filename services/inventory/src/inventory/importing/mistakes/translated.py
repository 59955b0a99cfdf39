"""Mistakes that the fields' own rules find, in both languages."""

import re
from collections.abc import Mapping
from typing import Any

from inventory.importing.mistakes.texts import Text

_BY_TYPE: Mapping[str, str] = {
    "missing": "thiếu: hãy điền",
    "greater_than_equal": "quá nhỏ: ít nhất là {ge}",
    "less_than_equal": "quá lớn: nhiều nhất là {le}",
    "greater_than": "quá nhỏ: phải lớn hơn {gt}",
    "less_than": "quá lớn: phải nhỏ hơn {lt}",
    "string_too_long": "quá dài: nhiều nhất {max_length} ký tự",
    "string_too_short": "quá ngắn: ít nhất {min_length} ký tự",
    "enum": "không thuộc danh sách: {expected}",
    "literal_error": "không thuộc danh sách: {expected}",
    "int_parsing": "không phải số nguyên",
    "float_parsing": "không phải số",
    "date_from_datetime_parsing": "không phải ngày: viết ngày/tháng/năm, ví dụ 07/05/2021",
}
_BY_SENTENCE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), vietnamese)
    for pattern, vietnamese in (
        (r"a code is 1 to 64", "mã gồm 1 đến 64 ký tự A-Z a-z 0-9 . _ - và bắt đầu bằng chữ hoặc số, ví dụ QT-KCL-01"),
        (r"a phone number is", "số điện thoại gồm 6 đến 25 chữ số, có thể có dấu cách, chấm, gạch hoặc + ở đầu, ví dụ 0233 3852 123"),
        (r"an e-mail address", "địa chỉ email có dạng ten@quangtri.gov.vn"),
        (r"must not be before valid_from \((?P<day>.*)\)", "không được trước «Từ ngày» ({day})"),
        (r"a MAC address", "địa chỉ MAC gồm mười hai chữ số thập lục phân, ví dụ 0a:1b:2c:3d:4e:5f"),
        (r"an ONVIF address", "địa chỉ ONVIF có dạng máy hoặc máy:cổng, ví dụ 10.20.1.5:8080, không có http:// và đường dẫn"),
        (r"cameras must not watch", "camera không được quay phòng ở, nhà vệ sinh, nhà tắm (4403/CV-BCĐ)"),
        (r"probe_timeout_s must be less", "thời hạn kiểm tra phải nhỏ hơn chu kỳ kiểm tra"),
        (r"holds no readable certificate", "không phải chứng thư đọc được: dán cả tệp PEM (-----BEGIN CERTIFICATE----- …)"),
        (r"give either ca_pem or fingerprint", "chỉ điền một trong hai: chứng thư CA hoặc vân tay chứng thư"),
        (r"is given, but the address does not use TLS", "có mà địa chỉ không dùng TLS: sửa một trong hai"),
        (r"does not begin with a scheme", "không bắt đầu bằng giao thức; địa chỉ có dạng rtsp://10.1.2.3:554/duong-dan"),
        (r"has the scheme .* not supported", "giao thức không được hỗ trợ: dùng rtsp, rtsps, rtmp, rtmps, http, https, tcp hoặc udp"),
        (r"ends neither in", "địa chỉ http phải kết thúc bằng .m3u8 (HLS) hoặc .ts (MPEG-TS)"),
        (r"leads to (?P<host>\S+), which is in none", "dẫn tới {host}, nằm ngoài các mạng được phép"),
        (r"leads to (?P<host>\S+), which is a port of the platform", "dẫn tới {host}, là cổng của chính hệ thống: không có camera hay trung tâm nào ở đó"),
        (r"has a part that looks like a stream key", "có phần giống khoá luồng: đưa vào tài khoản và viết {{password}} ở đó; nếu không phải khoá thì thêm trung tâm qua API"),
        (r"leads to another scheme, host or port", "dẫn tới giao thức, máy hoặc cổng khác với nơi đã lưu tài khoản: hãy điền lại tài khoản và mật khẩu"),
        (r"holds a secret in", "có mật khẩu trong địa chỉ: viết {{password}} vào đó và điền mật khẩu ở cột riêng"),
        (r"holds a password and no user name", "có mật khẩu mà thiếu tài khoản: viết taikhoan:matkhau@"),
        (r"no host name has", "tên máy có ký tự không dùng trong tên máy"),
        (r"holds a space or a letter", "có dấu cách hoặc ký tự không dùng trong địa chỉ: hãy mã hoá phần trăm"),
        (r"has a second @", "có hai dấu @ hoặc dấu #: trong tài khoản hoặc mật khẩu viết %40, %23, %2F, %3F"),
        (r"holds credentials beside username", "có tài khoản trong địa chỉ và cả ở cột riêng: chỉ điền một nơi"),
        (r"a focal point needs name, position and phone", "để trống: cán bộ đầu mối cần họ tên, chức vụ và điện thoại"),
        (r"is empty though there is a password", "để trống mà có mật khẩu: điền cả hai hoặc để trống cả hai"),
        (r"holds a placeholder", "có chỗ điền {{…}} không dùng được ở đây"),
        (r"names an application and no stream", "thiếu tên luồng: địa chỉ RTMP cần ứng dụng và luồng, ví dụ rtmp://10.1.2.3/live/cam01"),
        (r"can(not)? be read back", "không đọc lại được: chỉ đối chiếu qua rtsp hoặc rtsps; điền địa chỉ RTSP mà trung tâm phát lại, hoặc chỉ yêu cầu «acknowledged»"),
        (r"has no port", "thiếu cổng: viết ví dụ tcp://10.1.2.3:5000"),
        (r"is longer than (?P<most>\d+)", "dài hơn {most} ký tự"),
        (r"must have \{camera_code\}", "phải có {{camera_code}} hoặc {{camera_id}} trong đường dẫn"),
        (r"looks like TCVN3, VNI", "có vẻ là chữ TCVN3, VNI hoặc bị hỏng: hãy chuyển sang Unicode"),
        (r"holds an invisible character \((?P<sign>[^)]*)\)", "chứa ký tự vô hình ({sign}): hãy xoá hoặc gõ lại"),
        (r"has a year that is not between (?P<first>\d+) and (?P<last>\d+)", "năm phải từ {first} đến {last}"),
        (r"camera (?P<code>\S+) has this", "camera {code} đã có thiết bị này: sửa một trong hai, hoặc điền lý do dùng chung thiết bị"),
        (r"the recorder has channels 1 to (?P<last>\d+)", "đầu ghi chỉ có kênh 1 đến {last}"),
        (r"successor_id needs valid_to", "cơ quan kế nhiệm cần có ngày kết thúc («Đến ngày»)"),
        (r"would be above itself", "không thể là cấp trên của chính mình: chọn cơ quan khác"),
        (r"would succeed itself", "không thể kế nhiệm chính mình: chọn cơ quan khác"),
        (r"this code is taken", "mã này đã có: chọn mã khác"),
        (r"would be published at an address that is in use", "sẽ phát tới một địa chỉ đã dùng: hãy đổi mã"),
        (r"cannot carry it", "camera khảo sát là H.265 mà trung tâm nhận RTMP không mở rộng: đổi camera sang H.264 hoặc không chuyển tới đó"),
        (r"needs a reason", "cần lý do: gửi kèm tham số reason"),
        (r"cannot become", "không được chuyển trạng thái như vậy"),
        (r"credentials.*write_secret|write_secret", "tệp có mật khẩu, người gửi cần quyền write_secret"),
        (r"is given once", "chỉ điền khi tạo mới, không sửa được"),
        (r"means no destination", "từ này dành riêng: chọn mã khác"),
        (r"is missing, and required_proof", "thiếu: mức chứng minh «verified» cần địa chỉ phát lại"),
    )
)  # fmt: skip
_OTHERWISE = "không hợp lệ: {english}"


def translate(english: str, kind: str = "", context: Mapping[str, Any] | None = None) -> Text:
    """The sentence of a rule with its Vietnamese; what nobody translated yet keeps the English behind it."""
    english = english.removeprefix("Value error, ")
    if kind in _BY_TYPE:
        return Text(english, _BY_TYPE[kind].format_map(_Blank(context or {})))
    for pattern, vietnamese in _BY_SENTENCE:
        if found := pattern.search(english):
            return Text(english, vietnamese.format(**found.groupdict()))
    return Text(english, _OTHERWISE.format(english=english))


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"
