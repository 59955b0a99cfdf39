"""A user's own facilities: two columns are enough, and each mistake is reported."""

from pathlib import Path

import pytest

from local.own.facilities import read_facilities
from local.own.files import read_own
from local.own.known import Known
from local.own.table import FileError

DEFAULTS = {"type": "school", "unit_code": "468", "managing_agency_code": "UBND-468", "status": "active"}


def written(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, "utf-8")
    return folder / name


def test_code_and_name_are_enough(tmp_path: Path) -> None:
    file = written(tmp_path, "sites.csv", "code,name,type\nCS-01,Trạm y tế,health\nCS-02,Trường,\n")
    first, second = read_facilities(file, taken=["QT-01"], defaults=DEFAULTS)
    assert first.columns == {**DEFAULTS, "code": "CS-01", "name": "Trạm y tế", "type": "health"}
    assert second.columns["type"] == "school"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("CS 1,N,,", "line 2, column code, 'CS 1': use 1 to 64 letters"),
        ("QT-01,N,,", "line 2, column code, 'QT-01': is a facility of the demo: take another code"),
        ("CS-1,,,", "line 2, column name: is empty"),
        ("CS-1,N,prison,", "line 2, column type, 'prison': must be one of military, health"),
        ("CS-1,N,,open", "line 2, column status, 'open': must be one of planned"),
        ("CS-1,N,,approved", "line 2, column status, 'approved': what approves a facility is a decision"),
    ],
)
def test_a_mistake_names_line_column_value_and_what_would_be_right(tmp_path: Path, row: str, expected: str) -> None:
    file = written(tmp_path, "sites.csv", f"code,name,type,status\n{row}\n")
    with pytest.raises(FileError) as caught:
        read_facilities(file, taken=["QT-01"], defaults=DEFAULTS)
    (reported,) = caught.value.lines()
    assert reported.startswith(f"{file}: {expected}")


@pytest.mark.server
def test_cameras_belong_to_facilities_of_the_file_and_of_earlier_ones(tmp_path: Path) -> None:
    sites = written(tmp_path, "sites.csv", "code,name\nCS-01,Trạm\n")
    mine = written(
        tmp_path,
        "mine.csv",
        "code,name,url,facility\nA,N,rtsp://10.0.0.1/x,\nB,N,rtsp://c.lan/x,CS-00\nC,N,rtsp://10.0.0.1/y,QT-02\n",
    )
    own = read_own(mine, sites, Known(("10.9.9.9",), ("CS-00",)), lambda *_: None)
    assert [camera.facility_code for camera in own.cameras] == ["CS-01", "CS-00", "QT-02"]
    assert own.known == Known(("10.9.9.9", "10.0.0.1", "c.lan"), ("CS-00", "CS-01"))
    with pytest.raises(FileError, match="1 mistakes"):
        read_own(mine, None, Known(), lambda *_: None)
