"""A user's own centres: what is wrong is named by line and column, with what would be right, before anything starts."""

from pathlib import Path

import pytest

from local.own.destinations import OwnDestination, read_destinations
from local.own.files import read_own
from local.own.known import Known
from local.own.table import FileError

HEADER = "code,name,role,mode,address,username,password,networks,transports,tls,proof,read_back,read_back_username"
HEADER += ",read_back_password"


def written(folder: Path, *rows: str) -> Path:
    file = folder / "centres.csv"
    file.write_text("\n".join([HEADER, *rows, ""]), "utf-8")
    return file


def read(file: Path, served_host: str | None = None) -> list[OwnDestination]:
    return read_destinations(file, taken=["D1", "D2"], served_host=served_host)


def test_a_centre_that_is_pushed_to_and_one_that_pulls(tmp_path: Path) -> None:
    back = "rtsp://10.9.0.7/{camera_code}"
    file = written(
        tmp_path,
        "BYT,Bộ Y tế,national,push,rtsp://10.8.0.1:8554/{camera_code},gui,Mat-1,,,,,,,",
        f"IOC,IOC tỉnh,provincial,serve,,,,10.9.0.0/24 10.9.1.5,tcp udp,none,verified,{back},xem,Mat-2",
    )
    pushed, pulling = read(file, served_host="192.168.1.5")
    assert (pushed.pulls, pushed.login, pushed.hosts) == (False, ("gui", "Mat-1"), ("10.8.0.1",))
    assert pushed.columns["url_template"] == "rtsp://10.8.0.1:8554/{camera_code}"
    assert (pulling.pulls, pulling.login, pulling.read_back_login) == (True, None, ("xem", "Mat-2"))
    assert pulling.networks == ["10.9.0.0/24", "10.9.1.5"]
    assert pulling.columns == {
        "code": "IOC",
        "name": "IOC tỉnh",
        "role": "provincial",
        "mode": "serve",
        "required_proof": "verified",
        "read_back_url_template": back,
        "source_networks": "10.9.0.0/24;10.9.1.5",
        "served_transports": "tcp;udp",
        "served_tls": "none",
    }
    assert "Mat-" not in repr([pushed, pulling])


PUSHED = "rtsp://10.8.0.1/{camera_code}"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("I O,N,national,serve,,,,127.0.0.1,,,,,,", "column code, 'I O': use 1 to 64 letters"),
        ("D2,N,national,serve,,,,127.0.0.1,,,,,,", "column code, 'D2': is a centre of the demo: take another code"),
        ("A,N,town,serve,,,,127.0.0.1,,,,,,", "column role, 'town': must be national or provincial"),
        ("A,N,national,pull,,,,,,,,,,", "column mode, 'pull': must be push or serve"),
        ("A,N,national,push,,,,,,,,,,", "column url_template: is empty: a centre that is pushed to receives there"),
        ("A,N,national,push,http://10.8.0.1/x,,,,,,,,,", "must begin with rtsp://, rtsps://, rtmp://, rtmps://"),
        ("A,N,national,push,rtsp://10.8.0.1/x,,,,,,,,,", "has no {camera_code}: every camera would have one address"),
        (
            "A,N,national,push,rtsp://u:Mat-1@h/{camera_id},,,,,,,,,",
            "column url_template: holds a login: write it into",
        ),
        (
            f"A,N,national,push,{PUSHED},,,10.9.0.0/24,,,,,,",
            "column source_networks, '10.9.0.0/24': is of a centre that",
        ),
        (f"A,N,national,push,{PUSHED},,Mat-1,,,,,,,", "column username: is empty, but there is a password"),
        (f"A,N,national,serve,{PUSHED},,,127.0.0.1,,,,,,", "is ours where the centre pulls, and is printed"),
        (
            "A,N,national,serve,,u,Mat-1,127.0.0.1,,,,,,",
            "column username: the login of a centre that pulls is made here",
        ),
        ("A,N,national,serve,,,,,,,,,,", "column source_networks: is empty: give the centre's networks"),
        ("A,N,national,serve,,,,ioc.example,,,,,,", "ioc.example is no network, e.g. 10.9.0.0/24"),
        ("A,N,national,serve,,,,10.9.0.0/24,,,,,,", "no centre there reaches 127.0.0.1: start with SERVED_HOST="),
        ("A,N,national,serve,,,,8.8.8.0/24,,,,,,", "8.8.8.0/24 is not private, and make run serves without"),
        ("A,N,national,serve,,,,127.0.0.1,srt,,,,,", "column transports, 'srt': srt is none of tcp, udp"),
        ("A,N,national,serve,,,,127.0.0.1,,required,,,,", "column tls, 'required': make run serves without TLS"),
        (
            "A,N,national,serve,,,,127.0.0.1,,,verified,,,",
            "column read_back_url_template: is empty, and verified needs",
        ),
        (
            "A,N,national,serve,,,,127.0.0.1,,,seen,,,",
            "column required_proof, 'seen': must be acknowledged or verified",
        ),
    ],
)
def test_a_mistake_names_line_column_and_what_would_be_right(tmp_path: Path, row: str, expected: str) -> None:
    with pytest.raises(FileError) as caught:
        read(written(tmp_path, row))
    text = "\n".join(caught.value.lines())
    assert "centres.csv: line 2, " in text
    assert expected in text
    assert "Mat-1" not in text


@pytest.mark.server
def test_hosts_of_centres_are_opened_to_the_workers(tmp_path: Path) -> None:
    file = written(tmp_path, f"BYT,Bộ Y tế,national,push,{PUSHED},,,,,,verified,rtsp://10.8.0.2/{{camera_code}},,")
    own = read_own(None, None, Known(), lambda *_: None, first_start=True, destinations_path=file)
    assert own.known.hosts == ("10.8.0.1", "10.8.0.2")
