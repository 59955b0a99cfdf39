"""The rule of the reports, in words, with a version: it is printed in every report and file."""

RULE_VERSION = "1"
RULE_VI = (
    "Camera đạt yêu cầu tại một thời điểm khi camera hoạt động (có hình, giải mã được) và mọi kết nối bắt buộc tới cả "
    "hai trung tâm (trung ương và tỉnh) đều được xác nhận theo mức mỗi trung tâm yêu cầu. Thời gian không có số liệu "
    "là 'không rõ', không tính là hoạt động cũng không tính là mất kết nối; bảo trì được thống nhất trước được tách "
    "riêng. Tỷ lệ đo được bỏ phần không rõ; tỷ lệ chặt tính không rõ là không đạt; tỷ lệ lỏng tính không rõ là đạt. "
    "Kỳ báo cáo gồm thời điểm đầu, không gồm thời điểm cuối. Không tính camera đã tắt và cơ sở dự kiến hoặc đã đóng."
)
RULE_EN = (
    "A camera complies at a moment when it is up (a picture arrived and decoded) and every required delivery to both "
    "centres, national and provincial, is confirmed as that centre demands. Time without data is unknown, neither up "
    "nor down; maintenance agreed beforehand is kept apart. The measured percentage leaves unknown out, the strict one "
    "counts it as bad, the lenient one as good. A period includes its start and excludes its end. Disabled cameras and "
    "facilities that are planned or closed are not counted."
)
