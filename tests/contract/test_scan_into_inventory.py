"""What prober's scan writes is what inventory's camera import reads."""

import csv
import io
import json
from datetime import UTC, datetime
from uuid import uuid4

from inventory.domain.devices.scanned import ScanAcceptance, accepted
from inventory.importing.checking.rows import check_cells
from inventory.importing.derived import columns_of
from inventory.importing.mistakes.collected import Mistakes
from inventory.importing.reading.file import read_file
from inventory.importing.reading.table import read_table
from inventory.nouns.devices.declared import CAMERA
from prober.api.scans import Scan, ScannedAddress
from prober.probes.onvif import DeviceFacts, MediaProfile, OnvifFinding
from prober.probes.onvif.csv_export import cameras_csv
from prober.probes.onvif.scan_store import ScanState


def test_the_file_of_a_scan_is_imported_without_a_mistake() -> None:
    found = [
        OnvifFinding(
            address="10.20.1.5",
            port=8081,
            onvif=True,
            device=DeviceFacts(manufacturer="=Acme", model="NVR, 2 kênh"),
            profiles=tuple(
                MediaProfile(token=source, source=source, width=1920, height=1080, stream_url=url)
                for source, url in (
                    ("a", "rtsp://10.20.1.5/user={username}&password={password}&channel=1"),
                    ("b", "rtsp://10.20.1.5:8554/2"),
                )
            ),
        )
    ]
    text = cameras_csv(found, facility_code="QT-KCL-01")
    mistakes, columns = Mistakes(), columns_of(CAMERA)
    file = read_file(text.encode(), mistakes)
    assert file is not None
    table = read_table(file.sheets[0], columns, mistakes)
    rows = check_cells(table, mistakes)
    assert not mistakes.found
    headings = next(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert set(headings) <= {column.name for column in columns.columns}
    assert [(row.values["code"], row.values["name"]) for row in rows] == [
        ("CAM-10-20-1-5-8081-01", "=Acme NVR, 2 kênh 10.20.1.5 kênh 1"),
        ("CAM-10-20-1-5-8081-02", "=Acme NVR, 2 kênh 10.20.1.5 kênh 2"),
    ]
    assert [row.values["url"] for row in rows] == [profile.stream_url for profile in found[0].profiles]


def test_a_scan_is_accepted_as_the_prober_answers_it() -> None:
    found = OnvifFinding(
        address="fd00::5",
        port=8081,
        onvif=True,
        device=DeviceFacts(manufacturer="Hikvision", model="DS", serial_number="S-1", mac="0a:1b:2c:3d:4e:5f"),
        profiles=(
            MediaProfile(token="a", source="a", codec="h264", width=1920, height=1080, stream_url="rtsp://[fd00::5]/1"),
        ),
    )
    now = datetime.now(UTC)
    answer = Scan(
        id=uuid4(),
        state=ScanState.FINISHED,
        total=1,
        scanned=1,
        found=1,
        started_at=now,
        updated_at=now,
        expires_at=now,
        results=[ScannedAddress.of(found)],
    )
    wanted = ScanAcceptance.model_validate({"scan": json.loads(answer.model_dump_json())})
    ((source, fields),) = accepted(wanted, "KCL-01")
    assert (source.url, fields["code"], fields["vendor"]) == ("rtsp://[fd00::5]/1", "KCL-01-fd00--5-8081", "hikvision")
    assert fields["expected"].onvif_address == "[fd00::5]:8081"
    assert (fields["expected"].serial, fields["expected"].codec) == ("S-1", "h264")
