"""A user's own cameras: what is taken, and how each mistake is reported."""

from pathlib import Path

import pytest

from inventory.domain.fields import folded_code
from local.apis.inventory import RefusedError
from local.own.cameras import OwnCamera, read_cameras
from local.own.table import MAX_SHOWN, FileError, refused_rows

FACILITIES = ["QT-01", "QT-02"]
ALL = "code,name,url,username,password,facility_code,transport,codec,size"


def read(folder: Path, content: str | bytes) -> list[OwnCamera]:
    file = folder / "mine.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_cameras(file, facility_codes=FACILITIES, default_facility="QT-01")


def mistakes(folder: Path, content: str | bytes) -> list[str]:
    with pytest.raises(FileError) as caught:
        read(folder, content)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_three_columns_are_enough(tmp_path: Path) -> None:
    (camera,) = read(tmp_path, "code,name,url\nA1,Cổng,rtsp://10.0.0.1/x\n")
    assert (camera.line, camera.code, camera.facility_code, camera.host) == (2, "A1", "QT-01", "10.0.0.1")
    assert camera.columns == {
        "code": "A1",
        "name": "Cổng",
        "facility_code": "QT-01",
        "url": "rtsp://10.0.0.1/x",
    }


def test_transport_facility_codec_and_size_are_taken(tmp_path: Path) -> None:
    (camera,) = read(tmp_path, f"{ALL}\nA1,N,rtsp://cam.lan/x,,,QT-02,UDP,H.265,1920x1080\n")
    assert camera.columns == {
        "code": "A1",
        "name": "N",
        "facility_code": "QT-02",
        "url": "rtsp://cam.lan/x",
        "transport": "udp",
        "codec": "h265",
        "width": "1920",
        "height": "1080",
    }


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("facility,expected_codec,expected_size", "QT-02,hevc,2560 × 1440"),
        ("facility_code,codec,width,height", "QT-02,h265,2560,1440"),
    ],
)
def test_other_names_of_the_columns_are_understood(tmp_path: Path, header: str, row: str) -> None:
    (camera,) = read(tmp_path, f"code,name,url,{header}\nA1,N,rtsp://10.0.0.1/x,{row}\n")
    expected = {"facility_code": "QT-02", "codec": "h265", "width": "2560", "height": "1440"}
    assert {name: camera.columns[name] for name in expected} == expected


def test_the_file_of_a_scan_is_taken_as_it_is(tmp_path: Path) -> None:
    scan = "code,name,facility_code,url,username,password,codec,width,height,serial,mac,onvif_address"
    row = "CAM-10-0-0-1,Hikvision 10.0.0.1,,rtsp://10.0.0.1/1,,,h264,1920,1080,DS-1,0a:1b:2c:3d:4e:5f,10.0.0.1:80"
    (camera,) = read(tmp_path, f"\ufeff{scan}\r\n{row}\r\n")
    assert camera.columns["mac"] == "0a:1b:2c:3d:4e:5f"


def test_what_excel_saves_is_understood(tmp_path: Path) -> None:
    text = "\ufeffCode;Name;URL;username;password;facility_code\r\nA1;Sân, sau;rtsp://10.0.0.1/x;u;p;QT-02\r\n;;;;;\r\n"
    (camera,) = read(tmp_path, text)
    assert camera.columns["name"] == "Sân, sau"
    assert (camera.columns["username"], camera.columns["password"]) == ("u", "p")


def test_a_password_is_not_shown_with_its_camera(tmp_path: Path) -> None:
    (camera,) = read(tmp_path, "code,name,url,username,password\nA1,N,rtsp://u2:s3cret@10.0.0.1/x,u1,s3cret\n")
    assert "s3cret" not in repr(camera)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("A 1,N,rtsp://10.0.0.1/x,,,,,,", "line 2, column code, 'A 1': use 1 to 64 letters"),
        ("A1,,rtsp://10.0.0.1/x,,,,,,", "line 2, column name: is empty"),
        ("A1,N,,,,,,,", "line 2, column url: is empty"),
        (
            "A1,N,rtsp://10.0.0.1/live;matkhau=Zk7pQ9,,,,,,",
            "line 2, column url, 'rtsp://10.0.0.1/live;matkhau=***': holds a secret in 'matkhau=': write {password}",
        ),
        ("A1,N,rtsp://u:Zk7/pQ9@10.0.0.1/x,,,,,,", "line 2, column url, 'rtsp://***@10.0.0.1/x': the port is not a"),
        ("A1,N,ftp://10.0.0.1/x,,,,,,", "line 2, column url, 'ftp://10.0.0.1/x': the scheme is ftp://, it must be"),
        ("A1,N,10.0.0.1/x,,,,,,", "line 2, column url, '10.0.0.1/x': the address does not begin with rtsp://"),
        ("A1,N,rtsp://0.0.0.0/x,,,,,,", "line 2, column url, 'rtsp://0.0.0.0/x': 0.0.0.0 is the address of no device"),
        ("A1,N,rtsp://u:s3cret@h:99999/x,,,,,,", "line 2, column url, 'rtsp://***@h:99999/x': "),
        ("A1,N,rtsp://10.0.0.1/x,,s3cret,,,,", "line 2, column username: is empty, but there is a password"),
        ("A1,N,rtsp://10.0.0.1/x,,,QT-9,,,", "line 2, column facility_code, 'QT-9': is not known: there are QT-01,"),
        ("A1,N,rtsp://10.0.0.1/x,,,,http,,", "line 2, column transport, 'http': must be one of tcp, udp, auto"),
        ("A1,N,rtsp://10.0.0.1/x,,,,,mjpeg,", "line 2, column codec, 'mjpeg': must be h264 or h265"),
        ("A1,N,rtsp://10.0.0.1/x,,,,,,1080p", "line 2, column size, '1080p': must be width x height in pixels, e.g."),
        ("A1,N,rtsp://10.0.0.1/x", "line 2: has 3 cells, the header has 9: is one missing?"),
        ("A1,N, sân,rtsp://10.0.0.1/x,,,,,,", "line 2: has 10 cells, the header has 9: a comma inside one needs"),
        ('A1,"N\nM",rtsp://10.0.0.1/x,,,,,,', "line 2, column name, 'N M': must be on one line"),
    ],
)  # fmt: skip
def test_a_mistake_names_line_column_value_and_what_would_be_right(tmp_path: Path, row: str, expected: str) -> None:
    (reported,) = mistakes(tmp_path, f"{ALL}\n{row}\n")
    assert reported.startswith(expected)
    assert "s3cret" not in reported


def test_all_mistakes_of_a_row_are_reported_at_once(tmp_path: Path) -> None:
    reported = mistakes(tmp_path, f"{ALL}\nA 1,,ftp://x,,,QT-9,x,y,z\n")
    assert [mistake.partition("column ")[2].partition(",")[0].partition(":")[0] for mistake in reported] == [
        "name", "code", "url", "facility_code", "transport", "codec", "size",
    ]  # fmt: skip


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    reported = mistakes(tmp_path, "code,name,url\n\nA1,N,rtsp://10.0.0.1/x\n\nA1,N,rtsp://10.0.0.2/x\n")
    assert reported == ["line 5, column code, 'A1': line 3 has this code already: each needs its own"]


@pytest.mark.parametrize("almost", ["cong-01", "Cong-1", "CONG-001"])
def test_two_codes_that_inventory_takes_for_one_are_found(tmp_path: Path, almost: str) -> None:
    assert folded_code(almost) == folded_code("Cong-01")
    (reported,) = mistakes(tmp_path, f"code,name,url\nCong-01,N,rtsp://10.0.0.1/x\n{almost},N,rtsp://10.0.0.2/x\n")
    what = "line 2 has Cong-01, almost this code, already: each needs its own"
    assert reported == f"line 3, column code, '{almost}': {what}"


TWICE = "it already: two cameras are two devices; where one is meant to be both, say why in the column"


@pytest.mark.parametrize(
    ("heading", "first", "second", "column"),
    [
        ("serial", "rtsp://10.0.0.1/x,", "RTSP://10.0.0.1:554/x/,", "url"),
        ("serial", "rtsp://10.0.0.1/x,DS-1", "rtsp://10.0.0.2/x,ds -1", "serial"),
        ("mac", "rtsp://10.0.0.1/x,0a:1b:2c:3d:4e:5f", "rtsp://10.0.0.2/x,0A-1B-2C-3D-4E-5F", "mac"),
    ],
)
def test_two_rows_that_are_one_device_are_found_before_anything_starts(
    tmp_path: Path, heading: str, first: str, second: str, column: str
) -> None:
    (reported,) = mistakes(tmp_path, f"code,name,url,{heading}\nA1,N,{first}\nA2,N,{second}\n")
    assert reported.startswith(f"line 3, column {column}, ")
    assert f"line 2 has {TWICE} shared_device_reason" in reported


def test_one_device_under_two_cameras_is_taken_with_a_reason(tmp_path: Path) -> None:
    header = "code,name,url,shared_device_reason"
    cameras = read(tmp_path, f"{header}\nA1,N,rtsp://10.0.0.1/x,\nA2,N,rtsp://10.0.0.1/x,một máy hai cổng\n")
    assert cameras[1].columns["shared_device_reason"] == "một máy hai cổng"


def test_channels_of_one_recorder_share_its_serial_number(tmp_path: Path) -> None:
    rows = "A1,N,rtsp://10.0.0.1/1,DS-1\nA2,N,rtsp://10.0.0.1/2,DS-1\n"
    assert len(read(tmp_path, f"code,name,url,serial\n{rows}")) == 2


def test_all_mistakes_are_reported_but_not_without_end(tmp_path: Path) -> None:
    rows = "".join(f"A{number},,rtsp://10.0.0.1/x\n" for number in range(MAX_SHOWN + 7))
    with pytest.raises(FileError) as caught:
        read(tmp_path, f"code,name,url\n{rows}")
    assert len(caught.value.mistakes) == MAX_SHOWN + 7
    assert caught.value.lines()[-1].endswith("and 7 more")
    assert len(caught.value.lines()) == MAX_SHOWN + 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty"),
        ("code,name,url\n", "has no rows"),
        ("code,name,adress\nA,B,C\n", "line 1: column url is missing"),
        ("code,name,url,colour\nA,B,C,D\n", "line 1, 'colour': is no column: there are code, name, url, username"),
        ("code,name,url,url\nA,B,C,D\n", "line 1: column url is there twice"),
        ("code,name,url,facility,facility_code\nA,B,C,D,E\n", "line 1: column facility_code is there twice"),
        ("code,name,url\nA1,Cổng,rtsp://10.0.0.1/x\n".encode("utf-16"), "line 1: is not UTF-8 (byte 0xff)"),
        (b"code,name,url\nA1,C\xe9,rtsp://10.0.0.1/x\n", "line 2: is not UTF-8 (byte 0xe9): save it as 'CSV UTF-8'"),
        ('code,name,url\nA1,"N,rtsp://10.0.0.1/x\n', "line 2: unexpected end of data"),
    ],
)
def test_a_file_that_is_none_is_reported_so(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert mistakes(tmp_path, content)[0].startswith(expected)


def test_a_missing_file_is_reported_so(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        read_cameras(tmp_path / "none.csv", facility_codes=FACILITIES, default_facility="QT-01")
    assert caught.value.lines() == [f"{tmp_path / 'none.csv'}: cannot be read: No such file or directory"]


def test_what_inventory_refuses_is_reported_with_the_lines_of_the_users_file(tmp_path: Path) -> None:
    cameras = read(tmp_path, "code,name,url\n\n\nA1,N,rtsp://10.0.0.1/x\nA2,N,rtsp://10.0.0.2/x\n")
    refusal = RefusedError("no", [{"row": 3, "field": "url", "message": "holds a secret", "value": "rtsp://…"}])
    (mistake,) = refused_rows(tmp_path, [camera.line for camera in cameras], refusal).mistakes
    assert str(mistake) == "line 5, column url, 'rtsp://…': holds a secret"


@pytest.mark.parametrize(
    "url",
    [
        "rtsps://10.0.0.1/x",
        "https://10.0.0.1/x.m3u8",
        "udp://10.0.0.2:5000",
        "udp://239.1.1.1:5000",
        "rtsp://8.8.8.8/x",
    ],
)
def test_every_scheme_of_inventory_is_taken(tmp_path: Path, url: str) -> None:
    (camera,) = read(tmp_path, f"code,name,url\nA1,N,{url}\n")
    assert camera.columns["url"] == url
