"""Cameras at the moment of the file, beside what was agreed (plan against fact) and what is asked of their security."""

from reporting.domain.mandate.camera_security import (
    BASES_VI,
    ITEMS_VI,
    VERDICTS_VI,
    Basis,
    SecurityFinding,
    SecurityItem,
    SecurityVerdict,
)
from reporting.domain.mandate.deviations import Field, Verdict
from reporting.reports.mandate.camera_security import CameraSecurity, camera_security
from reporting.reports.mandate.deviations import NOUNS as DEVIATION_NOUNS
from reporting.reports.mandate.deviations import CameraCompared, compared_cameras
from reporting.reports.mandate.situation import situation
from reporting.tables.catalogue.columns import PLACE, place_values
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions
from reporting.tables.table import Column, Kind, Row, Table

DEVIATIONS = Table(
    "deviations",
    "Phương án và thực tế",
    "Plan against fact",
    "A row for each thing of each camera that was compared: as agreed beside as observed.",
    (
        Column("camera_id", Kind.TEXT, "ID camera", "Id of the camera.", required=True),
        Column("number", Kind.INTEGER, "Thứ tự", "Number of the comparison.", required=True),
        Column("camera_code", Kind.TEXT, "Mã camera", "Its code.", required=True),
        Column("camera_name", Kind.TEXT, "Camera", "Its name.", required=True),
        Column("facility_code", Kind.TEXT, "Mã cơ sở", "Its facility.", required=True),
        Column("facility_name", Kind.TEXT, "Cơ sở", "The facility's name.", required=True),
        Column("plan_code", Kind.TEXT, "Mã phương án", "The agreed plan that names the camera."),
        Column("field", Kind.TEXT, "Thông số", "What is compared.", choices=[*Field], required=True),
        Column("agreed", Kind.TEXT, "Theo phương án", "As agreed."),
        Column("observed", Kind.TEXT, "Thực tế", "As observed."),
        Column("verdict", Kind.TEXT, "Kết luận", "What the comparison came to.", choices=[*Verdict], required=True),
    ),
    ("camera_id", "number"),
    periodic=False,
)
CAMERA_SECURITY = Table(
    "camera_security",
    "An toàn camera",
    "Camera security",
    "A row for each item of each camera (QCVN 135:2024/BTTTT): what the register declares, or what probes saw.",
    (
        *PLACE,
        Column("camera_id", Kind.TEXT, "ID camera", "Id of the camera.", required=True),
        Column("camera_code", Kind.TEXT, "Mã camera", "Its code.", required=True),
        Column("camera_name", Kind.TEXT, "Camera", "Its name.", required=True),
        Column("item", Kind.TEXT, "Mã nội dung", "What is asked of it.", choices=[*SecurityItem], required=True),
        Column("item_name", Kind.TEXT, "Nội dung", "The same in words.", required=True),
        Column("verdict", Kind.TEXT, "Mã kết luận", "How it stands.", choices=[*SecurityVerdict], required=True),
        Column("verdict_name", Kind.TEXT, "Kết luận", "The same in words.", required=True),
        Column("value", Kind.TEXT, "Giá trị", "As declared or observed; empty: not known."),
        Column("basis", Kind.TEXT, "Mã nguồn", "Where it is known from.", choices=[*Basis]),
        Column("basis_name", Kind.TEXT, "Nguồn", "The same in words."),
        Column("known_at", Kind.INSTANT, "Thời điểm", "Since when it is on record, or when a probe saw it last."),
        Column("detail", Kind.TEXT, "Ghi chú", "What is wrong, or why it is not known."),
    ),
    ("camera_id", "item"),
    periodic=False,
)


async def security_rows(asked: Selection) -> Portions:
    """Camera by camera, in the order of the reports."""
    question = asked.question
    for one in await camera_security(asked.session, question.now, question.presumed_alive_ms, asked.scope):
        yield [_row(one, each) for each in one.findings]


def _row(one: CameraSecurity, each: SecurityFinding) -> Row:
    camera = one.camera
    return (
        *place_values(one.facility),
        camera.id,
        camera.code,
        camera.name,
        each.item.value,
        ITEMS_VI[each.item],
        each.verdict.value,
        VERDICTS_VI[each.verdict],
        each.value,
        None if each.basis is None else each.basis.value,
        None if each.basis is None else BASES_VI[each.basis],
        each.at,
        each.detail_vi,
    )


async def deviation_rows(asked: Selection) -> Portions:
    """Camera by camera, in the order of the reports."""
    question = asked.question
    then = await situation(asked.session, question.now, question.presumed_alive_ms, asked.scope, DEVIATION_NOUNS)
    for one in await compared_cameras(asked.session, then):
        yield _compared(one)


def _compared(one: CameraCompared) -> list[Row]:
    camera = one.camera.camera
    plan_code = None if one.plan is None else str(one.plan.state["code"])
    return [
        (
            camera.id,
            number,
            camera.code,
            camera.name,
            one.facility.code,
            one.facility.name,
            plan_code,
            each.field.value,
            each.agreed,
            each.observed,
            each.verdict.value,
        )
        for number, each in enumerate(one.compared)
    ]


SOURCES = (Source(DEVIATIONS, deviation_rows), Source(CAMERA_SECURITY, security_rows))
