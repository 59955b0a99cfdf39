"""The submission (tờ trình) by which a proposal reaches its decider, and the report on the state of a site (R06)."""

from collections.abc import Iterator

from inventory.domain.mandate.planning.proposal import CameraType, ProposalFields
from inventory.domain.mandate.surveying.survey import SurveyFields
from inventory.domain.places.areas import Area
from inventory.minutes.findings import write_findings
from inventory.minutes.papers import Heading, begin_paper, end_paper, name_place, write_grid
from inventory.minutes.survey_minutes import write_verdict
from inventory.minutes.wording import AREAS, amount
from vonggac.decree.dates import short_day

AREA_COLUMNS = ("TT", "Khu vực", "Loại camera", "Số lượng", "Vị trí lắp đặt")
AREA_WIDTHS = (10, 60, 30, 20, 45)
CAMERA_TYPES = {
    CameraType.BULLET: "Thân trụ",
    CameraType.DOME: "Bán cầu",
    CameraType.PTZ: "Quay quét (PTZ)",
    CameraType.FISHEYE: "Mắt cá",
}


def proposal_paper(of: Heading, proposal: ProposalFields, survey: SurveyFields | None) -> bytes:
    """Write the submission: basis, state, what is proposed, cost, days, funds, and what is asked."""
    decider = of.issuer_parent or "Ủy ban nhân dân tỉnh"
    page = begin_paper(of, "TỜ TRÌNH", "TTr", f"Đề xuất lắp đặt và kết nối camera giám sát tại {of.facility_name}")
    page.addressees([decider])
    begin = f"Thực hiện {of.basis}, " if of.basis is not None else ""
    page.text(f"{begin}{of.issuer} kính trình {decider} đề xuất lắp đặt camera giám sát tại {name_place(of)} như sau:")
    page.heading("I. HIỆN TRẠNG")
    for line in _state(survey):
        page.text(line)
    page.heading("II. ĐỀ XUẤT LẮP ĐẶT")
    if proposal.areas:
        page.text(f"1. Khu vực lắp đặt, tổng cộng {amount(proposal.cameras)} camera:", keep=True)
        write_grid(page, AREA_COLUMNS, AREA_WIDTHS, list(_area_rows(proposal)), right={"Số lượng"})
    else:
        page.text("1. Khu vực lắp đặt: chưa xác định.")
    for number, line in enumerate(_needs(proposal), start=2):
        page.text(f"{number}. {line}")
    page.heading("III. PHƯƠNG ÁN KẾT NỐI")
    page.text(_sentence(proposal.proposed_connection or "Chưa đề xuất"))
    page.heading("IV. KIẾN NGHỊ")
    for line in _decision(proposal, decider):
        page.text(line)
    wish = "xem xét, quyết định" if _decided(proposal) is None else "xem xét, cho ý kiến chỉ đạo thực hiện"
    page.text(f"{of.issuer} kính trình {decider} {wish}./.")
    return end_paper(of, page, ("Như trên", "Cơ quan quản lý cơ sở", "Lưu: VT, hồ sơ đề xuất"))


def status_report(of: Heading, survey: SurveyFields) -> bytes:
    """Write the report on the state of a site, from its survey."""
    page = begin_paper(of, "BÁO CÁO", "BC", f"Hiện trạng hệ thống camera giám sát tại {of.facility_name}")
    basis = survey.basis or of.basis
    if basis is not None:
        page.text(f"Thực hiện {basis}, {of.issuer} báo cáo hiện trạng như sau:")
    page.heading("I. CƠ SỞ")
    page.text(f"Cơ sở: {name_place(of)}.")
    page.heading("II. CĂN CỨ KHẢO SÁT")
    for line in _state(survey)[:1]:
        page.text(line)
    write_findings(page, survey)
    write_verdict(page, survey)
    return end_paper(of, page, ("Cơ quan cấp trên", "Cơ quan quản lý cơ sở", "Lưu: VT, hồ sơ khảo sát"))


def _state(survey: SurveyFields | None) -> list[str]:
    """Write what the approved survey says, in sentences; without one that there is none."""
    if survey is None:
        return ["Cơ sở chưa có phiếu khảo sát được duyệt."]
    lines = []
    day = f" ngày {short_day(survey.surveyed_on)}" if survey.surveyed_on is not None else ""
    number = f", biên bản số {survey.document_number}" if survey.document_number is not None else ""
    lines.append(f"Theo kết quả khảo sát{day} (mã {survey.code}{number}).")
    if survey.form is not None:
        found = survey.form.sufficiency()
        lacking = ", ".join(AREAS[Area(area)].lower() for area in found.uncovered)
        if lacking:
            lines.append(f"Chưa có camera: {lacking}; cần bổ sung {amount(found.cameras_needed)} camera.")
        if found.unassessed:
            lines.append(f"Chưa đánh giá: {', '.join(AREAS[Area(area)].lower() for area in found.unassessed)}.")
    if survey.verdict_reason is not None:
        lines.append(f"Đánh giá: {_sentence(survey.verdict_reason)}")
    return lines


def _area_rows(proposal: ProposalFields) -> Iterator[tuple[str, ...]]:
    for number, one in enumerate(proposal.areas, start=1):
        yield str(number), AREAS[one.area], CAMERA_TYPES[one.type], amount(one.cameras), one.position or ""
    yield "", "Tổng cộng", "", amount(proposal.cameras), ""


def _needs(proposal: ProposalFields) -> Iterator[str]:
    for name, value in (
        ("Đầu ghi", proposal.recorder),
        ("Đường truyền", proposal.line),
        ("Nguồn điện", proposal.power),
    ):
        if value is not None:
            yield f"{name}: {_sentence(value)}"
    cost = proposal.estimated_cost_vnd
    yield f"Kinh phí dự kiến: {f'{amount(cost)} đồng' if cost is not None else 'chưa xác định'}."
    yield f"Nguồn kinh phí: {_sentence(proposal.funding_source or 'chưa xác định')}"
    days = proposal.lead_time_days
    yield f"Thời gian thực hiện: {f'{amount(days)} ngày, kể từ khi được cấp kinh phí' if days else 'chưa xác định'}."


def _decision(proposal: ProposalFields, decider: str) -> Iterator[str]:
    cost = f", kinh phí {amount(proposal.estimated_cost_vnd)} đồng" if proposal.estimated_cost_vnd else ""
    number = f"{amount(proposal.cameras)} " if proposal.areas else ""
    what = f"việc lắp đặt {number}camera{cost} và nguồn kinh phí thực hiện."
    decided = _decided(proposal)
    yield f"Đề nghị {decider} phê duyệt {what}" if decided is None else f"Đã có {decided} về {what}"


def _decided(proposal: ProposalFields) -> str | None:
    """Format the decision as it is cited; None while there is none."""
    if proposal.decision_number is None or proposal.decision_date is None:
        return None
    return f"Quyết định số {proposal.decision_number} ngày {short_day(proposal.decision_date)}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
