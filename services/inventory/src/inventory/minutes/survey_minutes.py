"""The minutes of a survey (biên bản): participants, findings, verdict, for signature (R19, R20).

Number and signatures are left to the clerk and the parties. Addresses of cameras and positions are not in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from inventory.domain.days import VIETNAM
from inventory.domain.mandate.surveying.survey import VERDICTS, Participant, SurveyFields
from inventory.domain.places.areas import Area
from inventory.minutes.findings import write_findings
from inventory.minutes.wording import (
    AREAS,
    amount,
    clock_time,
    heading_name,
)
from vonggac.decree.dates import long_day, short_day
from vonggac.decree.letter_page import LetterPage, Page
from vonggac.sufficiency import SUFFICIENT, Sufficiency


@dataclass(frozen=True, slots=True)
class MinutesOf:
    """What the minutes are made from. `agencies`: names by id."""

    survey: SurveyFields
    facility_name: str
    facility_address: str | None
    issuer: str
    issuer_code: str
    issuer_parent: str | None
    agencies: Mapping[UUID, str]


def survey_minutes(of: MinutesOf) -> bytes:
    """Write the minutes as DOCX."""
    subject = f"Khảo sát hiện trạng hệ thống camera giám sát tại {of.facility_name}"
    page = LetterPage(f"Biên bản {subject[0].lower()}{subject[1:]}")
    parent = heading_name(of.issuer_parent) if of.issuer_parent is not None else None
    page.head(parent=parent, issuer=heading_name(of.issuer), symbol=f"BB-{of.issuer_code}")
    page.name("BIÊN BẢN", subject)
    _opening(page, of)
    _participants(page, of)
    _safety(page, of.survey)
    write_findings(page, of.survey)
    write_verdict(page, of.survey)
    page.text(
        "Biên bản được lập thành ...... bản có giá trị như nhau, mỗi bên giữ ...... bản, đã đọc lại cho các thành phần "
        "tham gia cùng nghe, thống nhất và ký tên. Kết thúc vào ...... giờ ...... cùng ngày./."
    )
    page.signatures([*(f"ĐẠI DIỆN {heading_name(name)}" for name in _parties(of)), "ĐẠI DIỆN CƠ SỞ CÁCH LY"])
    page.recipients(("Như thành phần tham gia", "Lưu: VT, hồ sơ khảo sát"))
    return page.saved()


def _opening(page: LetterPage, of: MinutesOf) -> None:
    survey = of.survey
    if survey.basis is not None:
        page.text(f"Căn cứ {survey.basis}.")
    day = survey.surveyed_on or survey.scheduled_on
    page.text(f"Hôm nay, {long_day(day) if day is not None else 'ngày ...... tháng ...... năm ......'}.")
    place = survey.place or ", ".join(part for part in (of.facility_name, of.facility_address) if part is not None)
    page.text(f"Địa điểm: {place}.")


def _participants(page: LetterPage, of: MinutesOf) -> None:
    page.heading("I. THÀNH PHẦN THAM GIA")
    if of.survey.lead_name is not None:
        page.text(f"Trưởng đoàn khảo sát: Ông/Bà {of.survey.lead_name}.")
    if not of.survey.participants:
        page.text("Thành phần tham gia: chưa ghi nhận.")
    for number, (agency, people) in enumerate(_by_agency(of), start=1):
        page.text(f"{number}. {agency if agency is not None else of.facility_name}")
        for place, one in enumerate(people, start=1):
            position = f", {one.position}" if one.position is not None else ""
            day = f" (tham gia ngày {short_day(one.present_on)})" if one.present_on is not None else ""
            page.text(f"- Ông/Bà {one.full_name}{position}{day}{';' if place < len(people) else '.'}")


def _safety(page: LetterPage, survey: SurveyFields) -> None:
    page.heading("II. AN TOÀN PHÒNG, CHỐNG DỊCH")
    if survey.briefed_at is None:
        page.text("Hướng dẫn an toàn của cơ sở: chưa ghi nhận.")
    if survey.rules_version is None:
        page.text("Cam kết tuân thủ quy định phòng dịch của đoàn khảo sát: chưa ghi nhận.")
    if survey.briefed_by is not None and survey.briefed_at is not None:
        at = survey.briefed_at.astimezone(VIETNAM)
        page.text(
            f"Cơ sở đã hướng dẫn an toàn cho đoàn khảo sát lúc {clock_time(at)} ngày {short_day(at.date())}; "
            f"người hướng dẫn: {survey.briefed_by}{_recorded(survey)}."
        )
    if survey.rules_version is not None:
        page.text(f"Đoàn khảo sát cam kết tuân thủ {survey.rules_version}; người cam kết: {survey.acknowledged_by}.")


def _recorded(survey: SurveyFields) -> str:
    """Cite the document that stands for the facility's word, where somebody else recorded it."""
    if survey.briefing_document is None or survey.briefing_signed_on is None:
        return ""
    return f" (ghi nhận theo văn bản số {survey.briefing_document} ngày {short_day(survey.briefing_signed_on)})"


def write_verdict(page: Page, survey: SurveyFields) -> None:
    """Verdict, sufficiency, proposal and cost, as minutes and reports on a site say them."""
    page.heading("IV. KẾT LUẬN, ĐỀ XUẤT")
    for number, line in enumerate(_conclusions(survey), start=1):
        page.text(f"{number}. {line}")


def _conclusions(survey: SurveyFields) -> Iterator[str]:
    if survey.verdict is None:
        yield "Kết luận: chưa có."
    else:
        yield f"Kết luận: {VERDICTS[survey.verdict]}. Lý do: {_sentence(survey.verdict_reason or '')}"
    form = survey.form
    if form is None:
        return
    yield _sufficiency(form.sufficiency())
    if form.proposal is not None:
        yield f"Đề xuất: {_sentence(form.proposal)}"
    if form.estimated_cost_vnd is not None:
        yield f"Kinh phí dự kiến: {amount(form.estimated_cost_vnd)} đồng."


def _sufficiency(found: Sufficiency) -> str:
    words = [f"Camera giám sát các khu vực: {SUFFICIENT[found.sufficient]}"]
    if found.uncovered:
        areas = ", ".join(AREAS[Area(area)].lower() for area in found.uncovered)
        words.append(f"chưa có camera: {areas}; cần bổ sung {amount(found.cameras_needed)} camera")
    if found.unassessed:
        words.append(f"chưa đánh giá: {', '.join(AREAS[Area(area)].lower() for area in found.unassessed)}")
    return f"{'; '.join(words)}."


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _by_agency(of: MinutesOf) -> Iterator[tuple[str | None, list[Participant]]]:
    """Participants by agency, in the order of their first; those of the facility last."""
    order = list(dict.fromkeys(one.agency_id for one in of.survey.participants))
    for agency_id in sorted(order, key=lambda each: each is None):
        people = [one for one in of.survey.participants if one.agency_id == agency_id]
        yield (of.agencies.get(agency_id, "") if agency_id is not None else None), people


def _parties(of: MinutesOf) -> Iterator[str]:
    for agency, _people in _by_agency(of):
        if agency:
            yield agency
