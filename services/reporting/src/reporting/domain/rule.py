"""The rule of the reports, in words, with a version: it is printed in every report and file."""

RULE_VERSION = "2"
RULE_VI = (
    "Camera đạt yêu cầu tại một thời điểm khi camera hoạt động (có hình, giải mã được) và mọi kết nối bắt buộc tới cả "
    "hai trung tâm (trung ương và tỉnh) đều được xác nhận theo mức mỗi trung tâm yêu cầu. Thời gian không có số liệu "
    "là 'không rõ', không tính là hoạt động cũng không tính là mất kết nối; bảo trì được thống nhất trước được tách "
    "riêng. Tỷ lệ đo được bỏ phần không rõ; tỷ lệ chặt tính không rõ là không đạt; tỷ lệ lỏng tính không rõ là đạt. "
    "Kỳ báo cáo gồm thời điểm đầu, không gồm thời điểm cuối. Ngoài phạm vi là thời gian camera chưa có, đã gỡ hoặc "
    "được tắt theo thống nhất, và thời gian cơ sở dự kiến, tạm dừng hoặc đã đóng; kế hoạch lấy theo từng thời điểm."
)
RULE_EN = (
    "A camera complies at a moment when it is up (a picture arrived and decoded) and every required delivery to both "
    "centres, national and provincial, is confirmed as that centre demands. Time without data is unknown, neither up "
    "nor down; maintenance agreed beforehand is kept apart. The measured percentage leaves unknown out, the strict one "
    "counts it as bad, the lenient one as good. A period includes its start and excludes its end. Out of scope is the "
    "time before a camera existed, after it was removed, while it was switched off by agreement, and while its "
    "facility was planned, suspended or closed; the plan is that of each moment."
)
