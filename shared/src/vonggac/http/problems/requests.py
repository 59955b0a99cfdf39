"""What the four services refuse alike, in Vietnamese: patterns of the library's sentences, a sentence for each code."""

import re
from collections.abc import Mapping

type Sentences = tuple[tuple[re.Pattern[str], str], ...]
"""Patterns of English sentences with the Vietnamese of each; the first that fits counts."""

OF_REQUESTS: Sentences = tuple(
    (re.compile(pattern), vietnamese)
    for pattern, vietnamese in (
        # Tokens.
        (r"^send a bearer token", "thiếu mã truy cập: gửi tiêu đề Authorization: Bearer <mã>"),
        (r"the token is no JWT", "mã truy cập không đọc được: mã JWT gồm ba phần, cách nhau bằng dấu chấm; chép lại cả mã"),
        (r"the token has expired", "mã truy cập đã hết hạn: xin mã mới"),
        (r"the token is not valid yet", "mã truy cập chưa có hiệu lực (nbf, iat): kiểm tra đồng hồ của nơi cấp"),
        (r"the token is valid for longer than (?P<hours>\S+) hours", "mã truy cập có hạn dài hơn {hours} giờ: xin mã có hạn ngắn hơn"),
        (r"the token is longer than (?P<most>\d+) characters", "mã truy cập dài hơn {most} ký tự"),
        (r"the token's signature does not fit", "chữ ký của mã truy cập không khớp: mã bị sửa, hoặc do nơi khác ký; xin mã mới"),
        (r"the token is signed by a key this service does not know", "mã truy cập do một khóa lạ ký: xin mã mới ở nơi cấp của hệ thống này"),
        (r"the token is signed by an algorithm", "mã truy cập ký bằng thuật toán không được nhận: dùng EdDSA, RS256, PS256, ES256 hoặc ES384"),
        (r"the token is for another audience; its aud must be '(?P<aud>[^']*)'", "mã truy cập dành cho hệ thống khác: aud phải là '{aud}'"),
        (r"the token is of another issuer; its iss must be '(?P<iss>[^']*)'", "mã truy cập của nơi cấp khác: iss phải là '{iss}'"),
        (r"the token lacks '(?P<claim>[^']*)'", "mã truy cập thiếu '{claim}': xin mã mới ở nơi cấp của hệ thống này"),
        (r"the token is of another type", "không phải mã truy cập (access token): gửi đúng loại mã"),
        (r"its times \(exp, nbf, iat\) are not numbers", "thời hạn trong mã truy cập (exp, nbf, iat) không phải số"),
        (r"its subject is not 1 to (?P<most>\d+) printable", "tên tài khoản (sub) trong mã truy cập phải có 1 đến {most} ký tự in được"),
        (r"its roles are not a list", "vai trò (roles) trong mã truy cập không phải danh sách chữ"),
        (r"its (?P<claim>vonggac_\w+) (?:is not|cannot be read)", "'{claim}' trong mã truy cập không đọc được: xin mã mới"),
        (r"needs the right '(?P<right>[^']*)'; the role '(?P<role>[^']*)' has it in a token with a scope", "cần quyền '{right}'; vai trò '{role}' chỉ có quyền này khi mã truy cập có phạm vi"),
        (r"needs the right '(?P<right>[^']*)'", "cần quyền '{right}', vai trò của tài khoản không có"),
        (r"the token is for a part of the province", "việc này cần tài khoản dùng cho cả tỉnh"),
        (r"too many wrong tokens or passwords from this address; a wrong one is read again in (?P<wait>\d+) s", "địa chỉ này đã gửi quá nhiều mã truy cập hoặc mật khẩu sai: sau {wait} giây mới đọc mã sai tiếp theo"),
        # Requests.
        (r"it has changed since you read it: its revision is (?P<now>\d+)", "bản ghi đã thay đổi sau khi bạn đọc: nay là phiên bản {now}; hãy đọc lại"),
        (r"send If-Match with the ETag", "thiếu If-Match: gửi ETag của bản ghi như khi bạn đọc, để không ghi đè sửa đổi của người khác"),
        (r"is no entity tag|no entity tag", "không phải ETag: viết cả dấu ngoặc kép, như trong tiêu đề ETag, ví dụ \"3\""),
        (r"is an instant to come; it is (?P<now>\S+) now", "là lúc chưa tới; bây giờ là {now}"),
        (r"unknown; known: (?P<known>.*)", "không có tham số này; có: {known}"),
        (r"unknown; no parameter is known here", "không có tham số này; ở đây không nhận tham số nào"),
        (r"given (?P<times>\d+) times; give it once", "được nêu {times} lần: chỉ nêu một lần"),
        (r"is given (?P<times>\d+) times in one object", "được nêu {times} lần trong một bản ghi: chỉ nêu một lần"),
        (r"holds a NUL character", "chứa ký tự NUL: hãy xóa"),
        (r"holds a control or an invisible character \((?P<sign>[^)]*)\)", "chứa ký tự điều khiển hoặc vô hình ({sign}): hãy xóa hoặc gõ lại"),
        (r"holds half of a letter", "chứa nửa ký tự (mã thay thế đơn lẻ): hãy gửi cả ký tự"),
        (r"is a number; write a day as", "là số: viết ngày như 2026-11-24, ngày giờ như 2026-11-24T07:00:00Z"),
        (r"is no JSON at character (?P<place>\d+)", "không phải JSON, từ ký tự thứ {place}"),
        (r"is of another list|it is of another", "con trỏ trang này thuộc danh sách khác: bắt đầu lại từ trang đầu"),
        (r"is no cursor|cursor", "không phải con trỏ trang còn dùng được: bắt đầu lại từ trang đầu"),
        (r"is a year of no row", "là năm không có dòng nào"),
        (r"write 1 to 255 printable ASCII", "viết 1 đến 255 ký tự ASCII trong dấu ngoặc kép, tốt nhất là một UUID ngẫu nhiên"),
        (r"was used for another request", "đã dùng cho một yêu cầu khác: dùng khóa mới cho yêu cầu mới"),
        (r"the body is larger than the (?P<most>\d+) bytes", "nội dung lớn hơn {most} byte: rút ngắn hoặc chia nhỏ"),
        (r"the body is compressed", "nội dung bị nén (Content-Encoding): gửi như vốn có"),
        (r"the length of the body is said in two ways", "độ dài nội dung được khai hai cách: chỉ khai một"),
        (r"the body did not come whole", "nội dung chưa đến đủ: gửi lại"),
        (r"a text holds half of a letter", "có nửa ký tự (mã thay thế đơn lẻ): hãy gửi cả ký tự"),
        (r"is blank: write something", "để trống: hãy điền"),
        (r"there is no (?P<noun>[a-z ]+) (?P<given>\S+)$", "không có {noun} {given}, hoặc tài khoản không được xem"),
        # Values.
        (r"is '(?P<given>[^']*)', not one of (?P<known>.*)", "'{given}' không thuộc danh sách: {known}"),
        (r"has a year that is not between (?P<first>\d+) and (?P<last>\d+)", "năm phải từ {first} đến {last}"),
        (r"should have at most (?P<most>\d+) characters", "quá dài: nhiều nhất {most} ký tự"),
        (r"should have at least (?P<least>\d+) characters", "quá ngắn: ít nhất {least} ký tự"),
        (r"(?:month|day|hour|minute|second|year) (?:\S+ )?(?:must be in|is out of range)", "không phải ngày giờ: viết ví dụ 2021-05-07T14:30+07:00"),
        (r"holds a control character", "chứa ký tự điều khiển: hãy xóa"),
        (r"is a number: write a day as", "là số: viết ngày như 2026-11-24, ngày giờ như 2026-11-24T07:00:00+07:00"),
    )
)  # fmt: skip
OF_CODES: Mapping[str, str] = {
    "bad_request": "yêu cầu không đọc được: gửi lại cả yêu cầu",
    "bus_unavailable": "hệ thống truyền tin (NATS) không trả lời: thử lại sau ít giây",
    "busy": "đang có thay đổi khác, có thể ở chính bản ghi này: thử lại sau ít giây",
    "cut_off": "kết nối đứt trước khi nhận đủ: gửi lại",
    "database_unavailable": "cơ sở dữ liệu không trả lời; chưa thay đổi gì, thử lại sau ít giây",
    "forbidden": "tài khoản không có quyền làm việc này",
    "if_match_required": "thiếu If-Match: gửi ETag của bản ghi như khi bạn đọc, để không ghi đè sửa đổi của người khác",
    "internal_error": "lỗi của hệ thống: xem nhật ký của dịch vụ",
    "invalid": "yêu cầu không hợp lệ: xem từng lỗi",
    "keys_unavailable": "không đọc được khóa công khai để nhận biết tài khoản: thử lại sau ít giây",
    "method_not_allowed": "địa chỉ này không nhận phương thức đó",
    "not_acceptable": "không có định dạng nào như yêu cầu",
    "not_found": "không có bản ghi này, hoặc tài khoản không được xem",
    "outside_scope": "nằm ngoài phạm vi của tài khoản, hoặc ở cơ sở hạn chế",
    "request_in_progress": "yêu cầu này đang được xử lý: gửi lại sau ít giây để nhận câu trả lời",
    "scope_too_narrow": "việc này cần tài khoản dùng cho cả tỉnh",
    "stale": "bản ghi đã thay đổi sau khi bạn đọc: hãy đọc lại",
    "too_large": "quá lớn: rút ngắn hoặc chia nhỏ",
    "too_many_wrong_tokens": "địa chỉ này đã gửi quá nhiều mã truy cập sai: kiểm tra mã, thử lại sau một phút",
    "unauthorized": "chưa đăng nhập, hoặc phiên đã hết hạn",
    "unsupported_media_type": "không nhận loại nội dung này",
}
"""Of a problem whose detail has no Vietnamese of its own."""
OF_STATUSES: Mapping[int, str] = {
    400: "Yêu cầu không đọc được",
    401: "Chưa nhận biết được tài khoản",
    403: "Không có quyền",
    404: "Không tìm thấy",
    405: "Phương thức không được nhận",
    406: "Không có định dạng này",
    408: "Gửi quá chậm",
    409: "Trái với trạng thái hiện có",
    410: "Không còn",
    412: "Đã thay đổi sau khi đọc",
    413: "Quá lớn",
    415: "Loại nội dung không được nhận",
    422: "Nội dung không hợp lệ",
    428: "Thiếu điều kiện",
    429: "Quá nhiều yêu cầu",
    500: "Lỗi của hệ thống",
    503: "Tạm thời chưa phục vụ được",
}
"""The titles of problems: a problem's title is that of its status (RFC 9457 §4.2.1)."""
