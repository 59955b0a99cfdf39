"""Mistakes that only inventory's rules see are found before anything starts."""

from pathlib import Path

import pytest

from local.own.files import read_own
from local.own.known import Known
from local.own.table import FileError

pytestmark = pytest.mark.server

HEADER = "code,name,url,mac,onvif_address"


def mistakes(folder: Path, *rows: str, facilities: str | None = None) -> list[str]:
    file, sites = folder / "mine.csv", folder / "sites.csv"
    file.write_text("\n".join((HEADER, *rows)) + "\n", "utf-8")
    if facilities is not None:
        sites.write_text(facilities, "utf-8")
    with pytest.raises(FileError) as caught:
        read_own(file, sites if facilities else None, Known(), lambda _part, _text: None, first_start=True)
    assert caught.value.path == (sites if facilities else file)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_what_only_inventory_sees_in_a_foreign_file_is_named_with_its_line(tmp_path: Path) -> None:
    reported = mistakes(
        tmp_path,
        "A1,Cổng,rtsp://10.0.0.1:554/live@main,xx,",
        "",
        "A2,Sân,rtmp://10.0.0.2/live,,",
        "A3,Sân,http://10.0.0.3/x,,",
        "A4,Sân,tcp://10.0.0.4,,",
        "A5,Sân,rtsp://010.0.0.4/x,,",
        "A6,Sân,rtsp://10.0.0.6/x,,http://10.0.0.6/onvif",
    )
    assert [mistake.partition(":")[0].partition(", '")[0] for mistake in reported] == [
        "line 2, column mac",
        "line 4, column url",
        "line 5, column url",
        "line 6, column url",
        "line 7, column url",
        "line 8, column onvif_address",
    ]


def test_a_unit_that_no_facility_can_be_in_is_named_before_the_first_start(tmp_path: Path) -> None:
    sites = "code,name,unit_code\nCS-01,Trạm y tế,99999\n"
    (reported,) = mistakes(tmp_path, "A1,Cổng,rtsp://10.0.0.1/x,,", facilities=sites)
    assert reported.startswith("line 2, column unit_code, '99999'")


def test_a_good_foreign_file_passes(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(f"{HEADER}\nA1,Cổng,rtsp://u:p@10.0.0.1/live@main,0a:1b:2c:3d:4e:5f,10.0.0.1:80\n", "utf-8")
    own = read_own(file, None, Known(), lambda _part, _text: None)
    assert [camera.code for camera in own.cameras] == ["A1"]
