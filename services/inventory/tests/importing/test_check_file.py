"""A file is checked without a database as an import would."""

from datetime import date

from inventory.importing.job import check_file
from inventory.nouns.registry import noun_named

TODAY = date(2021, 5, 14)


async def mistakes(text: str, noun: str = "camera", **known: list[str]) -> list[tuple[int | None, str]]:
    errors = await check_file(text.encode(), noun_named(noun), known=known, today=TODAY)
    return [(error.row, error.field) for error in errors]


async def test_what_an_import_refuses_is_named_with_row_and_column() -> None:
    header = "code,name,facility_code,url,mac,password\n"
    rows = (
        "A1,Cổng,QT-01,rtsp://10.0.0.1/x,,\n"
        "A2,Sân,QT-09,rtsp://10.0.0.2/x,xx,\n"
        "A3,Sân,QT-01,rtmp://10.0.0.3/live,,p\n"
        "A1,Sân,QT-01,rtsp://10.0.0.4/x,,\n"
        "A5,Sân,QT-01,rtsp://10.0.0.1/x,,\n"
    )
    found = await mistakes(header + rows, facility=["QT-01"])
    assert (3, "facility_code") in found
    assert (3, "mac") in found
    assert (4, "url") in found
    assert (5, "code") in found
    assert (6, "url") in found
    assert not [row for row, _ in found if row == 2]


async def test_a_code_of_a_noun_that_is_not_known_is_no_mistake() -> None:
    text = "code,name,facility_code,recorder_code,channel,url\nA1,Cổng,QT-01,NVR-1,1,rtsp://10.0.0.1/x\n"
    assert await mistakes(text) == []


async def test_a_login_is_in_no_mistake() -> None:
    text = "code,name,facility_code,url\nA1,Cổng,QT-01,rtsp://u:S3cret@10.0.0.1:99999/x\n"
    errors = await check_file(text.encode(), noun_named("camera"), known={}, today=TODAY)
    assert errors
    assert "S3cret" not in str(errors)
