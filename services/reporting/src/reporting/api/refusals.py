"""What this API refuses, in Vietnamese: patterns of its sentences, and a sentence for each code."""

import re
from collections.abc import Mapping

from vonggac.http.problems import Translator

_SENTENCES = tuple(
    (re.compile(pattern), vietnamese)
    for pattern, vietnamese in (
        # Periods.
        (r"^lies in the future; the latest possible is (?P<latest>\S+)", "ở tương lai; muộn nhất là {latest}"),
        (r"^lies in the future$", "ở tương lai"),
        (r"must be earlier than (?P<end>to|as_of), which is (?P<at>\S+)", "phải trước {end}, là {at}"),
        (r"the period is longer than (?P<days>\d+) days; (?:ask|freeze) in parts", "khoảng thời gian dài hơn {days} ngày: chia thành nhiều phần"),
        (r"evidence may still come for that time; the latest possible is (?P<latest>\S+)", "số liệu của lúc đó còn có thể đến; muộn nhất là {latest}"),
        (r"lies between to, (?P<end>\S+), and (?P<latest>\S+)", "phải ở giữa to ({end}) và {latest}"),
        (r"no report before (?P<at>\S+) was frozen", "trước {at} chưa chốt báo cáo nào: hãy nêu một lúc cụ thể"),
        (r"is missing: give the earlier instant", "thiếu: nêu lúc trước đó, ví dụ 2026-11-24T07:00:00+07:00"),
        (r"'(?P<given>[^']*)' is not a time; write", "'{given}' không phải ngày giờ: viết theo ISO 8601, ví dụ 2026-11-24 hoặc 2026-11-24T07:00:00+07:00"),
        (r"'(?P<given>[^']*)' is no (?:zone of the IANA database|IANA time zone)", "'{given}' không phải múi giờ IANA: viết ví dụ Asia/Ho_Chi_Minh"),
        (r"write a time of day like", "viết giờ trong ngày, ví dụ 22:00"),
        (r"gives (?P<given>\d+) stretches, at most (?P<most>\d+)", "cho {given} đoạn, nhiều nhất {most}: lấy đoạn dài hơn"),
        # What is asked for.
        (r"no (?P<noun>\w+) with the code or id '(?P<given>[^']*)' is known", "không có {noun} '{given}': dùng mã hoặc mã định danh như trong sổ"),
        (r"no (?P<noun>\w+) (?P<given>\S+) is known", "không có {noun} {given}: dùng mã định danh như trong sổ"),
        (r"are of cameras; by=(?P<by>\S+) has", "chỉ có ở camera; by={by} có not_connected_by_cause_ms thay vào"),
        (r"is of csv, xlsx and parquet; the JSON document", "chỉ dùng với csv, xlsx và parquet; JSON có tất cả các bảng"),
        (r"is of the pages in JSON; a (?P<form>\w+) file has all rows", "chỉ dùng với trang JSON; tệp {form} có mọi dòng: hãy bỏ đi"),
        (r"is of csv and xlsx, and the answer is (?P<form>\w+)", "chỉ dùng với csv và xlsx, mà kết quả là {form}: hãy bỏ đi hoặc chọn format=csv"),
        (r"is not asked for of a frozen report", "báo cáo đã chốt có sẵn các camera của nó: hãy bỏ đi"),
        (r"is not of the table (?P<table>\w+), which is of all times", "bảng {table} không theo thời gian: hãy bỏ đi"),
        (r"does not narrow the table (?P<table>\w+)", "không lọc được bảng {table}: hãy bỏ đi"),
        (r"Accept: .* is none of what there is: (?P<known>.*); or give", "không có định dạng như yêu cầu; có: {known}; hoặc chọn format=json, csv, xlsx hoặc parquet"),
        (r"fits no form of a report; or give format=(?P<known>.*)", "báo cáo không có định dạng như yêu cầu; hoặc chọn format={known}"),
        # Reports and papers.
        (r"version (?P<version>\d+) of report \S+ is approved already", "phiên bản {version} của báo cáo đã được phê duyệt: không phê duyệt lại"),
        (r"meanwhile version (?P<version>\d+) is no longer the newest", "phiên bản {version} không còn là mới nhất: đọc phiên bản mới nhất rồi thử lại"),
        (r"every figure is as in version (?P<version>\d+)", "mọi số liệu như ở phiên bản {version}: chỉ lập phiên bản khi có số liệu thay đổi"),
        (r"the file did not come within (?P<wait>\d+) s", "tệp không đến trong {wait} giây: gửi lại"),
        (r"rhythm `days` needs every_days", "chế độ `days` cần every_days; các chế độ khác thì không"),
        (r"ends_on, (?P<end>\S+), is before starts_on, (?P<start>\S+)", "ends_on ({end}) trước starts_on ({start})"),
        (r"is before starts_on, (?P<start>\S+)", "trước starts_on ({start})"),
        (r"lies more than (?P<days>\d+) days back; freeze older reports", "cách đây hơn {days} ngày: báo cáo cũ hơn thì chốt bằng POST /v1/reports"),
        (r"reports were frozen by it, so (?P<names>.*) stays", "đã có báo cáo chốt theo chế độ này nên không đổi được {names}: ghi ends_on rồi lập chế độ khác"),
        (r"give report_id with its version, or urge_id", "nêu report_id và version, hoặc urge_id"),
        (r"version goes with report_id", "version đi cùng report_id: mỗi phiên bản của báo cáo là một văn bản"),
        (r"is no PDF: send the signed paper as PDF", "không phải PDF: gửi văn bản đã ký dạng PDF"),
        (r"is cut off: the end of the PDF", "tệp PDF bị cắt: gửi lại cả tệp"),
        # Urging and messages.
        (r"it was urged at (?P<at>\S+), within the last hour", "đã đôn đốc lúc {at}, chưa quá một giờ: gửi `again: true` nếu vẫn muốn đôn đốc"),
        (r"lies before the party was urged, at (?P<at>\S+)", "trước lúc được đôn đốc, {at}"),
        (r"(?P<day>\S+) is a day to come", "{day} là ngày chưa tới: ghi ngày trên văn bản"),
        (r"there are (?P<most>\d+) (?:\w+ )?already", "đã có {most}, là nhiều nhất: bỏ bớt cái không còn cần"),
        (r"'(?P<given>[^']*)' is no type of a notice; there are (?P<known>.*)", "'{given}' không phải loại thông báo; có: {known}"),
        (r"(?P<given>.*): no such type; there are (?P<known>.*)", "{given}: không có loại này; có: {known}"),
        (r"no agency (?P<id>\S+) is known", "không có cơ quan {id}: chọn cơ quan có trong sổ"),
        (r"cannot be null; leave it out", "không được là null: hãy bỏ đi"),
        (r"party `agency` needs agency_id", "bên `agency` cần agency_id; các bên khác thì không"),
        (r"an outage has no responsible agency", "sự cố không có cơ quan chịu trách nhiệm thực hiện: đôn đốc `managing` hoặc một `agency`"),
        (r"obligation_kinds say nothing of an outage", "obligation_kinds không dùng cho sự cố: hãy bỏ đi"),
        (r"quiet hours need quiet_from and quiet_to", "giờ yên tĩnh cần quiet_from và quiet_to khác nhau"),
        (r"a channel of the kind (?P<kind>\w+) begins with (?P<schemes>.*), like (?P<right>.*)", "kênh loại {kind} bắt đầu bằng {schemes}, ví dụ {right}"),
        (r"it holds a ; or a #", "có dấu ; hoặc #: viết %3B và %23"),
        (r"the option (?P<given>.*) is not taken; there are: (?P<known>.*)", "không nhận tùy chọn {given}; có: {known}"),
        (r"it is not complete: write it like (?P<right>.*)", "chưa đủ: viết ví dụ {right}"),
        (r"has a port that is not between", "cổng phải từ 1 đến 65535"),
        (r"is no address; write it like (?P<right>\S+)", "không phải địa chỉ: viết ví dụ {right}"),
        (r"leads to an address outside the allowed networks \((?P<host>.*)\)", "dẫn tới địa chỉ ngoài các mạng được phép ({host})"),
        (r"must begin with https:// or http://", "phải bắt đầu bằng https:// hoặc http:// và có tên máy"),
        (r"must not have a fragment", "không được có phần sau dấu #"),
        (r"must not hold a user or password", "không được có tài khoản hoặc mật khẩu vì địa chỉ được hiển thị: hãy bỏ đi, thông báo đã được ký"),
        (r"holds a secret in '(?P<name>[^']*)='", "có mật khẩu ở '{name}=', mà địa chỉ được hiển thị: hãy bỏ đi, thông báo đã được ký"),
        (r"has a part that looks like a key", "có phần giống mã khóa, mà địa chỉ được hiển thị: hãy bỏ đi; nếu không phải mật khẩu thì gửi path_is_no_secret: true"),
        (r"leads to (?P<host>\S+), which is in none", "dẫn tới {host}, nằm ngoài các mạng được phép"),
        (r"leads to (?P<host>\S+), which is a port of the platform", "dẫn tới {host}, là cổng của chính hệ thống"),
        (r"only the role '(?P<role>[^']*)' adds calendar feeds", "chỉ vai trò '{role}' thêm được lịch chung"),
        (r"give the feed's id as the user and its password", "dùng mã của lịch làm tài khoản, kèm mật khẩu của nó; lịch đã thu hồi thì không còn"),
    )
)  # fmt: skip
_CODES: Mapping[str, str] = {
    "approved_already": "phiên bản này đã được phê duyệt",
    "present_loading": "hiện trạng đang được tính: thử lại sau ít giây",
    "too_many_listeners": "quá nhiều kết nối theo dõi trực tiếp: thử lại sau ít giây, hoặc đọc /v1/present",
    "bus_unavailable": "hệ thống truyền tin (NATS) không trả lời: thử lại sau ít giây",
    "busy": "đang kiểm tra các tệp khác: gửi lại sau một phút",
    "file_kept": "đã lưu tệp của văn bản này: muốn thay tệp khác, hãy ghi lại văn bản",
    "no_key": "dịch vụ chưa có khóa để niêm phong mật khẩu: đặt VONGGAC_REPORTING_SECRETS_KEY_FILE rồi khởi động lại",
    "no_letter": "mức 1 là nhắc việc, không có công văn: đôn đốc ở mức 2",
    "not_approved": "chưa được phê duyệt: chỉ văn bản đã phê duyệt mới được ban hành",
    "not_your_word": "ý kiến của một bên do chính bên đó cho, bằng mã truy cập của mình",
    "nothing_changed": "không có số liệu nào thay đổi",
    "nothing_owed": "không có gì để đôn đốc: không nghĩa vụ nào quá hạn, không camera nào mất kết nối",
    "regime_has_reports": "đã có báo cáo theo chế độ này: ghi ends_on rồi lập chế độ khác",
    "superseded": "đã có phiên bản mới hơn: đọc phiên bản mới nhất rồi thử lại",
    "target_stands": "đã có chỉ tiêu bắt đầu vào lúc đó",
    "too_many": "đã đủ số lượng nhiều nhất: bỏ bớt cái không còn cần",
    "too_slow": "tệp đến quá chậm: gửi lại",
    "unavailable": "chưa đọc được lúc này: thử lại sau ít giây",
    "urged_lately": "đã đôn đốc trong một giờ qua: gửi `again: true` nếu vẫn muốn đôn đốc",
    "wrote_it": "người lập không tự phê duyệt: người khác có quyền quyết định phê duyệt",
}
"""Of a problem whose detail has no Vietnamese of its own."""
VIETNAMESE = Translator.of(_SENTENCES, codes=_CODES)
