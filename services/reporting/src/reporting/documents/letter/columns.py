"""What the tables and columns of a frozen report mean, Vietnamese and English: every one, a test counts them."""

from collections.abc import Mapping

from reporting.reports.snapshot.report import Report

TABLE_NAMES: Mapping[str, str] = {
    "totals": "tổng",
    "units": "địa bàn",
    "agencies": "cơ quan",
    "types": "loại hình",
    "facilities": "cơ sở",
    "progress": "tiến độ",
    "obligations": "nghĩa vụ",
    "cameras": "camera",
    "deliveries": "kết nối",
    "outages": "gián đoạn",
    "days": "ngày",
    "strips": "dải 24 giờ",
    "notes": "lưu ý",
    "changes": "thay đổi",
}
_LENGTHS: Mapping[str, tuple[str, str]] = {
    "period": ("Tổng thời gian", "The whole time; the parts below add up to it"),
    "up": ("Hoạt động", "A true picture arrived"),
    "down": ("Mất", "None did, with a cause"),
    "maintenance": ("Bảo trì đã thống nhất trước", "Maintenance agreed beforehand"),
    "unknown": ("Không rõ", "Nobody measured"),
    "out_of_scope": ("Ngoài phạm vi", "Out of scope by the plan of the moment"),
    "compliant": ("Đạt yêu cầu", "Up, and both centres received as they demand"),
    "non_compliant": ("Không đạt yêu cầu", "Certainly not compliant"),
    "compliance_unknown": ("Không rõ có đạt không", "Not known to comply or not"),
    "both": ("Cả hai trung tâm nhận", "Both centres received"),
    "national_only": ("Chỉ trung tâm của Bộ nhận", "Only the national centre received"),
    "provincial_only": ("Chỉ IOC của tỉnh nhận", "Only the provincial centre received"),
    "neither": ("Không trung tâm nào nhận", "Neither centre received"),
    "connection_unknown": ("Không rõ trung tâm nào nhận", "Not known which centre received"),
    "connected": ("Trung tâm đã nhận", "The destination received as it demands"),
    "not_connected": ("Trung tâm không nhận", "It did not"),
    "length": ("Độ dài", "Length"),
}
MEANINGS: Mapping[str, tuple[str, str]] = {
    **{f"{name}_ms": (f"{vi} (mili giây)", f"{en} (milliseconds)") for name, (vi, en) in _LENGTHS.items()},
    "code": ("Mã", "Code"),
    "name": ("Tên", "Name"),
    "facilities": ("Số cơ sở", "Facilities that are counted"),
    "facilities_with_cameras": ("Số cơ sở có camera", "Facilities with cameras"),
    "facilities_connected": (
        "Số cơ sở kết nối (mọi camera thuộc khu vực bắt buộc cùng lúc, từ 10 phút liên tục)",
        "Facilities connected: the cameras of required areas together, for ten unbroken minutes",
    ),
    "counted": ("Thuộc phạm vi", "The facility is counted: it was approved or active at some moment of the period"),
    "cameras": ("Số camera", "Cameras"),
    "cameras_national": ("Số camera kết nối trung tâm của Bộ", "Cameras at the national centre for ten minutes"),
    "cameras_provincial": ("Số camera kết nối IOC của tỉnh", "Cameras at the provincial centre for ten minutes"),
    "cameras_both": ("Số camera kết nối cả hai", "Cameras at both for ten minutes"),
    "unit_code": ("Mã địa bàn", "Code of the unit"),
    "unit_name": ("Địa bàn", "Unit"),
    "agency_code": ("Mã cơ quan quản lý", "Code of the managing agency"),
    "agency_name": ("Cơ quan quản lý", "Managing agency"),
    "facility_id": ("Định danh cơ sở", "Id of the facility"),
    "facility_code": ("Mã cơ sở", "Code of the facility"),
    "facility_name": ("Tên cơ sở", "Facility"),
    "facility_type": ("Loại hình", "Type of the facility"),
    "camera_id": ("Định danh camera", "Id of the camera"),
    "camera_code": ("Mã camera", "Code of the camera"),
    "camera_name": ("Tên camera", "Camera"),
    "delivery_id": ("Định danh kết nối", "Id of the delivery"),
    "destination_code": ("Mã trung tâm", "Code of the destination"),
    "destination_name": ("Trung tâm", "Destination"),
    "destination_role": ("Cấp trung tâm", "Role of the destination"),
    "required_proof": ("Mức xác nhận yêu cầu", "Proof that the destination demands"),
    "from_ms": ("Từ (mili giây từ 1970 UTC)", "Start, included (milliseconds since 1970 UTC)"),
    "to_ms": ("Đến trước (mili giây từ 1970 UTC)", "End, excluded (milliseconds since 1970 UTC)"),
    "ongoing": ("Còn tiếp diễn", "It goes on at the moment of freezing"),
    "began_before": ("Bắt đầu trước kỳ", "It began before the period"),
    "confirmed": ("Đã xác nhận", "A second probe failed too"),
    "cause": ("Nguyên nhân đầu tiên", "First cause"),
    "causes": ("Mọi nguyên nhân", "All causes in order"),
    "site_fault_ms": (
        "Sự cố cả cơ sở bắt đầu lúc",
        "Start of the fault of the whole site (milliseconds since 1970 UTC)",
    ),
    "state": ("Trạng thái", "State"),
    "as_of_ms": ("Theo sổ tại (mili giây từ 1970 UTC)", "Instant of the register (milliseconds since 1970 UTC)"),
    "status": ("Vòng đời cơ sở", "Lifecycle of the facility; empty: not in the report's scope at that instant"),
    "address": (
        "Địa chỉ (xã, huyện)",
        "Address, with the units that it lies in; of a restricted facility the units alone",
    ),
    "focal_point": ("Có đầu mối", "Somebody is in office as focal point; no name is kept"),
    "focal_point_from": ("Đầu mối từ ngày", "Since which day somebody in office is"),
    "cameras_needed": (
        "Số camera cần bổ sung cho các khu vực được đánh giá là chưa có camera",
        "Cameras still to be installed in the areas that were found uncovered",
    ),
    "sufficient": (
        "Đủ camera; để trống: không khu vực nào thiếu, có khu vực chưa đánh giá",
        "No required area is uncovered; empty: none was found so, and some are not assessed",
    ),
    "missing_areas": (
        "Khu vực chưa có camera, kể cả khu vực chưa đánh giá",
        "Required areas without a camera, unassessed ones too",
    ),
    "unassessed_areas": ("Khu vực chưa đánh giá", "Required areas that nobody assessed"),
    "survey_code": ("Mã khảo sát", "Code of the survey: the approved one, else the newest"),
    "survey_status": ("Tình trạng khảo sát", "State of the survey"),
    "surveyed": ("Đã khảo sát", "A survey is approved"),
    "surveyed_on": ("Ngày khảo sát", "Day of the survey"),
    "survey_scheduled_on": ("Ngày hẹn khảo sát", "Day for which the survey was scheduled"),
    "plan_code": ("Mã phương án", "Code of the plan: the one in force, else the newest"),
    "plan_status": ("Tình trạng phương án", "State of the plan"),
    "plan_agreed": ("Đã thống nhất phương án", "A plan is in force"),
    "plan_agreed_ms": ("Thống nhất lúc", "When it was agreed (milliseconds since 1970 UTC)"),
    "plan_cameras": ("Số luồng theo phương án", "Streams in the plan"),
    "plan_sources": ("Nguồn hình", "Where the streams come from"),
    "plan_transports": ("Phương thức truyền", "Transports"),
    "plan_destinations": ("Trung tâm theo phương án", "Codes of the destinations in the plan"),
    "plan_excepted": ("Kết nối ngoài phương án", "Forwarded by an exception"),
    "connected_national": ("Kết nối trung tâm của Bộ", "Every camera of a required area is; empty: not known"),
    "connected_provincial": ("Kết nối IOC của tỉnh", "Every camera of a required area is; empty: not known"),
    "connected_both": ("Kết nối cả hai", "Every camera of a required area is; empty: not known"),
    "due_obligation": ("Nghĩa vụ gấp nhất", "Code of the most pressing obligation"),
    "due_before_ms": ("Thời hạn (trước)", "Strictly before (milliseconds since 1970 UTC); empty: no deadline"),
    "due_state": ("Tình trạng thời hạn", "How the most pressing obligation stands"),
    "overdue": ("Số việc quá hạn", "Obligations that are overdue"),
    "blocked": ("Vướng mắc", "Kinds of reasons on record"),
    "blocked_why": ("Nội dung vướng mắc", "What the register says of them, without phones and e-mail addresses"),
    "note": ("Ghi chú", "What else is to be known, without phones and e-mail addresses"),
    "obligation_id": ("Định danh nghĩa vụ", "Id of the obligation"),
    "obligation_code": ("Mã nghĩa vụ", "Code of the obligation"),
    "obligation_name": ("Nghĩa vụ", "What is demanded"),
    "obligation_kind": ("Loại nghĩa vụ", "Kind of the obligation"),
    "directive": ("Văn bản", "Number of the directive"),
    "responsible_code": ("Mã cơ quan chịu trách nhiệm", "Code of who owes it"),
    "responsible_name": ("Cơ quan chịu trách nhiệm", "Who owes it"),
    "done_at_ms": ("Hoàn thành lúc", "When it was done (milliseconds since 1970 UTC)"),
    "settled_by": ("Người quyết định", "Who waived it or settled it on record"),
    "settled_why": ("Lý do", "Why it was waived"),
    "note_kind": ("Loại lưu ý", "Kind of the note: clock_step, corrected_facts or stream_lost"),
    "facts": ("Số lượng số liệu", "Facts that the note is of"),
    "text_vi": ("Nội dung lưu ý", "The note in Vietnamese"),
    "text_en": ("Nội dung lưu ý (tiếng Anh)", "The note in English"),
    "table": ("Bảng", "Table"),
    "row": ("Dòng", "What names the row"),
    "column": ("Cột", "Column; * is the whole row"),
    "before": ("Trước", "In the version before"),
    "after": ("Sau", "In this version"),
}
_PROVEN_MEANINGS: Mapping[str, tuple[str, str]] = {
    **MEANINGS,
    "unknown_ms": (
        "Không rõ, kể cả sau lần khớp hình cuối cùng cho đến lần đọc lại tiếp theo (mili giây)",
        "Nobody measured, or no read-back has spoken since the last match (milliseconds)",
    ),
    "connected_ms": (
        "Trung tâm đã nhận, theo mức xác nhận yêu cầu: đã kiểm chứng là giữa hai lần đọc lại đều khớp hình (mili giây)",
        "The destination received as it demands; `verified`: between two matching read-backs (milliseconds)",
    ),
    "not_connected_ms": (
        "Trung tâm không nhận, từ lúc bắt đầu lần đọc lại không được hoặc khác hình (mili giây)",
        "It did not, from the beginning of a read-back that failed or differed (milliseconds)",
    ),
}
_BEFORE_ASSESSMENT: Mapping[str, tuple[str, str]] = {
    "cameras_needed": ("Số camera cần bổ sung", "Cameras still to be installed for the required areas"),
    "sufficient": ("Đủ camera", "No required area is uncovered"),
    "missing_areas": ("Khu vực còn thiếu", "Required areas that no camera watches"),
}
_EARLIER_MEANINGS: Mapping[str, tuple[str, str]] = {
    **MEANINGS,
    "facilities_connected": ("Số cơ sở có tất cả camera kết nối", "Facilities all of whose cameras were connected"),
}


def meanings_of(report: Report) -> Mapping[str, tuple[str, str]]:
    """By the rule of the report: Vietnamese, English."""
    if report.has_assessment:
        return _PROVEN_MEANINGS
    if report.by_read_backs:
        return {**_PROVEN_MEANINGS, **_BEFORE_ASSESSMENT}
    return {**(MEANINGS if report.has_register else _EARLIER_MEANINGS), **_BEFORE_ASSESSMENT}
