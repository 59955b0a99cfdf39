"""The papers of a proposal, a survey and a plan say what is on record, in the form of Decree 30/2020 (R06)."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import docx
import pytest

from inventory.domain.mandate.directive import LetterheadFields
from inventory.domain.mandate.planning.plan import Consent, ConsentKind, PlanFields
from inventory.domain.mandate.planning.proposal import ProposalFields
from inventory.domain.mandate.surveying.survey import SurveyFields
from inventory.minutes.papers import Heading, PaperForm, find_place
from inventory.minutes.plan_paper import plan_paper
from inventory.minutes.proposal_paper import proposal_paper, status_report
from inventory.minutes.survey_minutes import MinutesOf, survey_minutes
from vonggac.decree.pdf import letter_pdf
from vonggac.decree.pdf.typesetting import Typeset

FACILITY, LEAD = UUID(int=2), UUID(int=1)
OF = Heading(
    issuer="Sở Thông tin và Truyền thông",
    issuer_code="STTTT",
    issuer_parent="Ủy ban nhân dân tỉnh Quảng Trị",
    facility_name="Trường Tiểu học Cam An",
    facility_address="xã Cam An",
    basis="Công văn số 1742/UBND-VX ngày 07/5/2021 của Ủy ban nhân dân tỉnh Quảng Trị",
    agencies={LEAD: "Sở Thông tin và Truyền thông"},
)
PROPOSAL = ProposalFields(
    code="DX-01",
    facility_id=FACILITY,
    areas=({"area": "gate", "cameras": 2}, {"area": "yard", "cameras": 3, "type": "ptz"}),
    line="FTTH 40 Mbps",
    power="UPS 30 phút",
    estimated_cost_vnd=185_000_000,
    lead_time_days=5,
    proposed_connection="RTSP qua VPN",
    funding_source="Ngân sách tỉnh",
    decision_number="1234/QĐ-UBND",
    decision_date=date(2021, 5, 9),
)
SURVEY = SurveyFields(
    code="KS-01",
    facility_id=FACILITY,
    surveyed_on=date(2021, 5, 8),
    form={"areas": [{"area": "gate", "coverage": "not_covered", "cameras_needed": 2}]},
)


def words_of(content: bytes) -> str:
    document = docx.Document(io.BytesIO(content))
    lines = [one.text for one in document.paragraphs]
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*lines, *cells])


@pytest.mark.parametrize(
    "said",
    [
        "TỜ TRÌNH", "/TTr-STTTT", "Quảng Trị, ngày", "Kính gửi: Ủy ban nhân dân tỉnh Quảng Trị", "1742/UBND-VX",
        "Cổng ra vào", "Quay quét (PTZ)", "tổng cộng 5 camera", "185.000.000 đồng", "5 ngày", "Ngân sách tỉnh",
        "Quyết định số 1234/QĐ-UBND ngày 09/5/2021", "RTSP qua VPN", "cần bổ sung 2 camera", "Nơi nhận:",
    ],
)  # fmt: skip
def test_a_submission_has_areas_number_cost_days_funds_and_decision(said: str) -> None:
    assert said in words_of(proposal_paper(OF, PROPOSAL, SURVEY))


def test_a_submission_without_a_survey_or_figures_says_so() -> None:
    bare = ProposalFields(code="DX-02", facility_id=FACILITY)
    said = words_of(proposal_paper(OF, bare, None))
    for part in (
        "chưa có phiếu khảo sát được duyệt",
        "Kinh phí dự kiến: chưa xác định",
        "Nguồn kinh phí: chưa xác định",
        "1. Khu vực lắp đặt: chưa xác định.",
        "phê duyệt việc lắp đặt camera và nguồn kinh phí thực hiện.",
        "xem xét, quyết định./.",
    ):
        assert part in said
    assert " 0 camera" not in said


def test_a_submission_that_is_decided_asks_for_no_decision() -> None:
    said = words_of(proposal_paper(OF, PROPOSAL, SURVEY))
    assert "xem xét, quyết định" not in said
    assert "xem xét, cho ý kiến chỉ đạo thực hiện./." in said


def test_no_heading_of_minutes_or_of_a_report_on_a_site_stands_above_nothing() -> None:
    bare = SurveyFields(code="KS-02", facility_id=FACILITY)
    of = MinutesOf(bare, OF.facility_name, None, OF.issuer, OF.issuer_code, OF.issuer_parent, OF.agencies)
    minutes = words_of(survey_minutes(of))
    for part in ("Thành phần tham gia: chưa ghi nhận.", "Hướng dẫn an toàn của cơ sở: chưa ghi nhận."):
        assert part in minutes
    for said in (minutes, words_of(status_report(OF, bare))):
        assert "1. Kết luận: chưa có." in said


def test_the_last_of_a_list_in_minutes_ends_with_a_full_stop() -> None:
    people = [{"full_name": name, "agency_id": LEAD} for name in ("Trần Văn An", "Lê Quang Vinh")]
    survey = SurveyFields.model_validate({"code": "KS-03", "facility_id": FACILITY, "participants": people})
    of = MinutesOf(survey, OF.facility_name, None, OF.issuer, OF.issuer_code, OF.issuer_parent, OF.agencies)
    lines = words_of(survey_minutes(of)).splitlines()
    assert [line for line in lines if line.startswith("- Ông/Bà")] == [
        "- Ông/Bà Trần Văn An;",
        "- Ông/Bà Lê Quang Vinh.",
    ]


def test_no_cell_of_a_camera_in_minutes_is_empty() -> None:
    form = {"site": {"rooms": 2}, "system": {"kind": "ip", "cameras": [{"code": "C-01"}]}}
    survey = SurveyFields.model_validate({"code": "KS-04", "facility_id": FACILITY, "form": form})
    of = MinutesOf(survey, OF.facility_name, None, OF.issuer, OF.issuer_code, OF.issuer_parent, OF.agencies)
    document = docx.Document(io.BytesIO(survey_minutes(of)))
    [table] = [one for one in document.tables if one.rows[0].cells[1].text == "Mã"]
    assert [cell.text for cell in table.rows[1].cells] == ["1", "C-01", *["không ghi nhận"] * 4]


def test_a_report_on_a_site_says_what_the_survey_found() -> None:
    said = words_of(status_report(OF, SURVEY))
    for part in ("BÁO CÁO", "/BC-STTTT", "khảo sát ngày 08/5/2021", "Chưa có camera", "Cổng ra vào", "chưa đánh giá"):
        assert part in said


def test_a_plan_names_ways_centres_and_words_and_no_address() -> None:
    connection: Any = {
        "camera_code": "C-01", "address": "10.20.1.5:554", "bandwidth_kbps": 2048, "destination_codes": ["IOC"],
    }  # fmt: skip
    plan = PlanFields(facility_id=FACILITY, connections=(connection,), connect_by=date(2021, 5, 9))
    word = Consent(
        agency_id=LEAD,
        kind=ConsentKind.AGREED,
        given_by="Phó Giám đốc",
        given_on=date(2021, 5, 8),
        document="12/VT",
        document_file="a.pdf",
        recorded_by="lead",
    )
    said = words_of(plan_paper(OF, plan, 2, (word,)))
    for part in ("PHƯƠNG ÁN", "(lần 2)", "C-01", "IOC", "2.048", "Thống nhất (ghi nhận thay)", "12/VT", "09/5/2021"):
        assert part in said
    assert "10.20.1.5" not in said


def test_the_place_of_a_paper_is_the_province_of_its_committee() -> None:
    assert find_place(OF) == "Quảng Trị"


def test_papers_are_signed_where_and_by_whom_their_directive_says() -> None:
    head = LetterheadFields(
        place="Đông Hà", signer_authority="KT. GIÁM ĐỐC", signer_title="Phó Giám đốc", signer_name="Nguyễn Văn Mẫu"
    )
    of = replace(OF, letterhead=head)
    papers = (proposal_paper(of, PROPOSAL, SURVEY), status_report(of, SURVEY))
    for said in map(words_of, papers):
        assert "Đông Hà, ngày" in said
        assert "KT. GIÁM ĐỐC\nPHÓ GIÁM ĐỐC" in said
        assert "Nguyễn Văn Mẫu" in said


def test_the_pdf_says_what_the_docx_says(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def keep(_template: str, data: Any, at: datetime) -> Typeset:
        given.append((data, at))
        return Typeset(b"%PDF-", [])

    monkeypatch.setattr(letter_pdf, "typeset", keep)
    at = datetime(2021, 5, 9, 8, tzinfo=UTC)
    proposal_paper(replace(OF, form=PaperForm.PDF, changed_at=at), PROPOSAL, SURVEY)
    ((data, dated),) = given
    assert dated == at
    said = words_of(proposal_paper(OF, PROPOSAL, SURVEY))
    for block in data["blocks"]:
        for words in [block["text"]] if "text" in block else [cell for row in block["rows"] for cell in row]:
            assert words in said
    for words in (data["issuer"], data["subject"], data["number_line"], data["date_line"], *data["recipients"]):
        assert words in said
    assert data["only"] == "Ủy ban nhân dân tỉnh Quảng Trị"


def test_the_pdf_is_an_archive_copy_and_the_same_bytes_again() -> None:
    pdf = replace(OF, form=PaperForm.PDF)
    first = proposal_paper(pdf, PROPOSAL, SURVEY)
    assert first == proposal_paper(pdf, PROPOSAL, SURVEY)
    assert first.startswith(b"%PDF-1.7")
    assert b"StructTreeRoot" in first, "tagged, as PDF/UA-1 asks"
    assert b"<pdfaid:part>2</pdfaid:part>" in first
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in first
