"""From what was found to rows for the inventory."""

import csv
import io

from prober.probes.onvif import DeviceFacts, MediaProfile, OnvifFinding
from prober.probes.onvif.csv_export import COLUMNS, cameras_csv, candidates


def stream(token: str, source: str, width: int, height: int, url: str | None = "rtsp://10.1.2.3/") -> MediaProfile:
    return MediaProfile(token=token, source=source, width=width, height=height, stream_url=url and url + token)


def found(*profiles: MediaProfile, port: int = 80, maker: str = "Acme") -> OnvifFinding:
    device = DeviceFacts(manufacturer=maker, model="C1")
    return OnvifFinding(address="10.1.2.3", port=port, onvif=True, device=device, profiles=profiles)


def test_a_camera_is_one_row_with_its_best_stream() -> None:
    [camera] = candidates(found(stream("sub", "v", 640, 360), stream("main", "v", 1920, 1080)))
    assert (camera.code, camera.name, camera.url) == ("CAM-10-1-2-3", "Acme C1 10.1.2.3", "rtsp://10.1.2.3/main")


def test_a_recorder_is_a_row_per_channel() -> None:
    rows = candidates(found(stream("1", "a", 1, 1), stream("2", "b", 1, 1), stream("2s", "b", 0, 0)))
    assert [row.code for row in rows] == ["CAM-10-1-2-3-01", "CAM-10-1-2-3-02"]
    assert rows[1].name == "Acme C1 10.1.2.3 kênh 2"


def test_two_devices_behind_one_address_have_different_codes() -> None:
    ports = (80, 8000, 8080, 8081)
    codes = {candidates(found(stream("1", "a", 1, 1), port=port))[0].code for port in ports}
    assert len(codes) == len(ports)


def test_a_stream_without_an_address_is_no_row() -> None:
    assert candidates(found(stream("main", "v", 1920, 1080, url=None))) == []


def test_a_maker_that_is_a_formula_stays_text() -> None:
    text = cameras_csv([found(stream("m", "v", 1, 1), maker="=1+1")], facility_code="QT-KCL-01")
    header, row = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert tuple(header) == COLUMNS
    assert row[:6] == ["CAM-10-1-2-3", "'=1+1 C1 10.1.2.3", "QT-KCL-01", "rtsp://10.1.2.3/m", "", ""]


def test_what_the_device_says_of_itself_is_noted_so_that_another_one_is_found_out() -> None:
    profile = stream("m", "v", 1920, 1080).model_copy(update={"codec": "h265", "fps": 25.0})
    finding = found(profile, port=8080)
    device = finding.device.model_copy(update={"serial_number": "-S1", "mac": "0a:1b:2c:3d:4e:5f"})
    text = cameras_csv([finding.model_copy(update={"device": device})], facility_code="")
    header, row = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert dict(zip(header, row, strict=True)) | {"code": "", "name": "", "url": ""} == dict.fromkeys(header, "") | {
        "codec": "h265", "width": "1920", "height": "1080",
        "serial": "'-S1", "mac": "0a:1b:2c:3d:4e:5f", "onvif_address": "10.1.2.3:8080",
    }  # fmt: skip


def test_what_no_survey_notes_is_left_out() -> None:
    profile = stream("m", "v", 0, 1080).model_copy(update={"codec": "jpeg"})
    text = cameras_csv([found(profile)], facility_code="")
    assert text.splitlines()[1].endswith(",rtsp://10.1.2.3/m,,,,,,,,10.1.2.3:80")
