"""A user's own cameras: what is taken, and how each mistake is told."""

from pathlib import Path

import pytest

from local.apis.inventory import RefusedError
from local.demo.own_cameras import MAX_SHOWN, CameraFileError, OwnCamera, read_own_cameras, refused_rows
from vonggac.net.allowed_networks import AllowedNetworks

ALLOWED = AllowedNetworks.parse(["127.0.0.0/8", "10.0.0.0/8"])
FACILITIES = ["QT-01", "QT-02"]


def read(folder: Path, content: str | bytes) -> list[OwnCamera]:
    file = folder / "mine.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_own_cameras(file, facility_codes=FACILITIES, allowed=ALLOWED)


def mistakes(folder: Path, content: str | bytes) -> list[str]:
    with pytest.raises(CameraFileError) as caught:
        read(folder, content)
    return caught.value.mistakes


def test_three_columns_are_enough(tmp_path: Path) -> None:
    cameras = read(tmp_path, "code,name,url\nA1,Cổng,rtsp://10.0.0.1/x\n")
    assert cameras == [OwnCamera(2, "A1", "Cổng", "rtsp://10.0.0.1/x", "QT-01")]
    assert cameras[0].row() == {
        "code": "A1",
        "name": "Cổng",
        "facility_code": "QT-01",
        "url": "rtsp://10.0.0.1/x",
    }


def test_what_excel_saves_is_understood(tmp_path: Path) -> None:
    text = "\ufeffCode;Name;URL;username;password;facility_code\r\nA1;Sân, sau;rtsp://10.0.0.1/x;u;p;QT-02\r\n;;;;;\r\n"
    (camera,) = read(tmp_path, text)
    assert camera == OwnCamera(2, "A1", "Sân, sau", "rtsp://10.0.0.1/x", "QT-02", "u", "p")


def test_a_password_is_not_shown_with_its_camera(tmp_path: Path) -> None:
    (camera,) = read(tmp_path, "code,name,url,username,password\nA1,N,rtsp://u2:s3cret@10.0.0.1/x,u1,s3cret\n")
    assert "s3cret" not in repr(camera)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("A 1,N,rtsp://10.0.0.1/x,,,", "row 2, code: use 1 to 64 letters"),
        ("A1,,rtsp://10.0.0.1/x,,,", "row 2, name: is empty"),
        ("A1,N,,,,", "row 2, url: is empty"),
        ("A1,N,ftp://10.0.0.1/x,,,", "row 2, url: the scheme is ftp://, it must be one of rtsp, rtsps, rtmp"),
        ("A1,N,10.0.0.1/x,,,", "row 2, url: the address does not begin with rtsp://"),
        ("A1,N,udp://8.8.8.8:5000,,,", "row 2, url: 8.8.8.8 is in none of the allowed networks"),
        ("A1,N,rtsp://8.8.8.8/x,,,", "row 2, url: 8.8.8.8 is in none of the allowed networks"),
        ("A1,N,rtsp://10.0.0.1/x,,p,", "row 2, username: is empty, but there is a password"),
        ("A1,N,rtsp://10.0.0.1/x,,,QT-9", "row 2, facility_code: QT-9 is not known; there are QT-01, QT-02"),
        ("A1,N,rtsp://10.0.0.1/x", "row 2, 3 cells, the header has 6"),
        ('A1,"N\nM",rtsp://10.0.0.1/x,,,', "row 2, name: must be on one line"),
    ],
)
def test_a_mistake_names_its_row_its_column_and_what_would_be_right(tmp_path: Path, row: str, expected: str) -> None:
    (told,) = mistakes(tmp_path, f"code,name,url,username,password,facility_code\n{row}\n")
    assert told.startswith(expected)


def test_rows_are_counted_as_lines_of_the_file(tmp_path: Path) -> None:
    told = mistakes(tmp_path, "code,name,url\n\nA1,N,rtsp://10.0.0.1/x\n\nA1,N,rtsp://10.0.0.2/x\n")
    assert told == ["row 5, code: A1 is in row 3 already"]


def test_all_mistakes_are_told_at_once_but_not_without_end(tmp_path: Path) -> None:
    rows = "".join(f"A{number},,rtsp://10.0.0.1/x\n" for number in range(MAX_SHOWN + 7))
    with pytest.raises(CameraFileError) as caught:
        read(tmp_path, f"code,name,url\n{rows}")
    assert len(caught.value.mistakes) == MAX_SHOWN + 7
    assert caught.value.lines()[-1].endswith("and 7 more")
    assert len(caught.value.lines()) == MAX_SHOWN + 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty"),
        ("code,name,url\n", "has no cameras"),
        ("code,name,adress\nA,B,C\n", "column url is missing"),
        ("code,name,url,url\nA,B,C,D\n", "column url is there twice"),
        ("code,name,url\nA1,Cổng,rtsp://10.0.0.1/x\n".encode("utf-16"), "is not UTF-8"),
        ('code,name,url\nA1,"N,rtsp://10.0.0.1/x\n', "row 2, unexpected end of data"),
    ],
)
def test_a_file_that_is_none_is_told_so(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert mistakes(tmp_path, content)[0].startswith(expected)


def test_a_missing_file_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(CameraFileError, match="1 mistakes") as caught:
        read_own_cameras(tmp_path / "none.csv", facility_codes=FACILITIES, allowed=ALLOWED)
    assert caught.value.lines() == [f"{tmp_path / 'none.csv'}: cannot be read: No such file or directory"]


def test_what_inventory_refuses_is_told_with_the_rows_of_the_users_file(tmp_path: Path) -> None:
    cameras = read(tmp_path, "code,name,url\n\n\nA1,N,rtsp://10.0.0.1/x\nA2,N,rtsp://10.0.0.2/x\n")
    refusal = RefusedError("no", [{"row": 3, "field": "url", "message": "holds a secret"}])
    assert refused_rows(tmp_path, cameras, refusal).mistakes == ["row 5, url: holds a secret"]


@pytest.mark.parametrize("url", ["rtsps://10.0.0.1/x", "https://10.0.0.1/x.m3u8", "udp://10.0.0.2:5000"])
def test_every_scheme_of_inventory_is_taken(tmp_path: Path, url: str) -> None:
    (camera,) = read(tmp_path, f"code,name,url\nA1,N,{url}\n")
    assert camera.url == url
