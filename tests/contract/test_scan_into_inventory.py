"""What prober's scan writes is what inventory's camera import reads."""

import csv
import io

from inventory.importing.cameras import COLUMNS, parse_cameras
from nacl.public import PrivateKey

from inventory.importing.mistakes import Mistakes
from prober.probes.onvif import DeviceFacts, MediaProfile, OnvifFinding
from prober.probes.onvif.csv_export import cameras_csv
from vonggac.auth import Sealer


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
    mistakes = Mistakes()
    file = parse_cameras(text.encode(), mistakes, Sealer(bytes(PrivateKey.generate().public_key)))
    mistakes.raise_if_any()
    assert set(next(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))) <= set(COLUMNS.all)
    assert [(row.fields.code, row.fields.name) for row in file.rows] == [
        ("CAM-10-20-1-5-8081-01", "=Acme NVR, 2 kênh 10.20.1.5 kênh 1"),
        ("CAM-10-20-1-5-8081-02", "=Acme NVR, 2 kênh 10.20.1.5 kênh 2"),
    ]
    assert [row.url for row in file.rows] == [profile.stream_url for profile in found[0].profiles]
    assert not file.has_secrets
