"""What a survey found, in the words and tables of its minutes."""

from collections.abc import Iterator

from inventory.domain.mandate.surveying.form import Coverage, Infrastructure, SurveyForm
from inventory.domain.mandate.surveying.survey import SurveyFields
from inventory.minutes.papers import write_grid
from inventory.minutes.wording import AREAS, COVERAGES, SYSTEMS, amount, yes_no
from vonggac.decree.letter_page import Page

_AREA_COLUMNS = ("TT", "Khu vực", "Hiện trạng", "Camera", "Cần bổ sung", "Ghi chú")
_AREA_WIDTHS = (10, 48, 27, 28, 18, 34)
_CAMERA_COLUMNS = ("TT", "Mã", "Vị trí", "Hãng, kiểu máy", "Độ phân giải", "Tình trạng")
_CAMERA_WIDTHS = (10, 27, 38, 36, 24, 30)
_UNRECORDED = "không ghi nhận"


def write_findings(page: Page, survey: SurveyFields) -> None:
    """Write what stands there: size, system, areas, infrastructure, notice board."""
    page.heading("III. HIỆN TRẠNG")
    form = survey.form
    if form is None:
        page.text("Chưa có kết quả khảo sát.")
        return
    if form.site is not None:
        counts = (("dãy nhà", form.site.buildings), ("tầng", form.site.floors), ("phòng cách ly", form.site.rooms))
        named = [
            f"{amount(count)} {what}" for what, count in (*counts, ("giường", form.site.beds)) if count is not None
        ]
        page.text(f"1. Quy mô: {', '.join(named) or 'không ghi nhận'}.")
    _system(page, form)
    if form.areas:
        page.text("3. Khu vực phải giám sát:", keep=True)
        write_grid(page, _AREA_COLUMNS, _AREA_WIDTHS, list(_area_rows(form)), right={"Cần bổ sung"})
    if form.infrastructure is not None:
        page.text(f"4. Hạ tầng: {'; '.join(_infrastructure(form.infrastructure)) or 'không ghi nhận'}.")
    page.text(f"5. Biển thông báo có camera: {yes_no(form.notice_board) or 'không ghi nhận'}.")


def _system(page: Page, form: SurveyForm) -> None:
    if form.system is None:
        return
    cameras, recorders = form.system.cameras, form.system.recorders
    counts = f"{len(recorders)} đầu ghi, {len(cameras)} camera"
    page.text(f"2. Hệ thống: {SYSTEMS[form.system.kind]}; {counts}.", keep=bool(recorders or cameras))
    for number, recorder in enumerate(recorders, start=1):
        parts = [" ".join(part for part in (recorder.make, recorder.model) if part is not None)]
        parts += [f"{amount(recorder.channels)} kênh"] if recorder.channels is not None else []
        parts += [f"lưu {amount(recorder.days_kept)} ngày"] if recorder.days_kept is not None else []
        page.text(f"- Đầu ghi {', '.join(parts)}{';' if number < len(recorders) else '.'}", keep=bool(cameras))
    rows = []
    for number, camera in enumerate(cameras, start=1):
        main = camera.main
        size = f"{main.width}×{main.height}" if main is not None and None not in {main.width, main.height} else ""
        make = " ".join(part for part in (camera.make, camera.model) if part is not None)
        rows.append(
            (str(number), camera.code, *(one or _UNRECORDED for one in (camera.position, make, size, camera.condition)))
        )
    if rows:
        write_grid(page, _CAMERA_COLUMNS, _CAMERA_WIDTHS, rows)


def _area_rows(form: SurveyForm) -> Iterator[tuple[str, ...]]:
    for number, one in enumerate(form.areas, start=1):
        note = "; ".join(part for part in (one.reason, one.blind_spots) if part is not None)
        needed = str(max(1, one.cameras_needed or 0)) if one.coverage is Coverage.NOT_COVERED else ""
        yield str(number), AREAS[one.area], COVERAGES[one.coverage], ", ".join(one.camera_codes), needed, note


def _infrastructure(found: Infrastructure) -> Iterator[str]:
    """Format the notes of the survey, under the titles of the form."""
    for name, info in type(found).model_fields.items():
        value = getattr(found, name)
        if value is None:
            continue
        if isinstance(value, bool):
            shown = yes_no(value).lower()
        elif isinstance(value, int | float):
            shown = amount(value)
        else:
            shown = _ASSIGNMENTS.get(value, value)
        yield f"{info.title}: {shown}"


_ASSIGNMENTS = {"static": "tĩnh", "dynamic": "động", "cgnat": "dùng chung (CGNAT)", "none": "không có"}
