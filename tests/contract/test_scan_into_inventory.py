"""What prober's scan writes is what inventory's camera import reads."""

import csv
import io

from inventory.importing.checking.rows import check_cells
from inventory.importing.derived import columns_of
from inventory.importing.mistakes.collected import Mistakes
from inventory.importing.reading.file import read_file
from inventory.importing.reading.table import read_table
from inventory.nouns.devices.declared import CAMERA
from prober.probes.onvif import DeviceFacts, MediaProfile, OnvifFinding
from prober.probes.onvif.csv_export import cameras_csv


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
