"""By which signs a swapped camera is found, and how long the finding stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from prober.domain.findings import StreamSeen
from prober.probes.camera.identity import ConfirmedDevices, neighbour_mac
from vonggac.bus import Bus
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, Media, Verdict

TABLE = """IP address       HW type     Flags       HW address            Mask     Device
10.20.1.5        0x1         0x2         0a:1b:2c:3d:4e:5f     *        eth0
10.20.1.6        0x1         0x0         00:00:00:00:00:00     *        eth0
"""


def test_a_neighbour_has_its_mac_and_nobody_else_has_one(tmp_path: Path) -> None:
    table = tmp_path / "arp"
    table.write_text(TABLE, "ascii")
    assert neighbour_mac("10.20.1.5", table) == "0a:1b:2c:3d:4e:5f"
    assert neighbour_mac("10.20.1.6", table) is None
    assert neighbour_mac("cam.lan", table) is None
    assert neighbour_mac("10.20.1.5", tmp_path / "missing") is None


async def test_a_swapped_camera_stays_a_finding_through_a_restart_until_somebody_confirms(bus: Bus) -> None:
    began, camera_id = datetime.now(UTC), uuid4()

    def observed(after_s: float, verdict: Verdict = Verdict.UP) -> CameraObservedV1:
        return CameraObservedV1(
            camera_id=camera_id,
            camera_revision=1,
            worker_id="prober-1",
            verdict=verdict,
            interval_s=60,
            observed_at=began + timedelta(seconds=after_s),
            duration_ms=5,
        )

    old, new = (StreamSeen(Media(), stream=f"h264 High {size}") for size in ("1920x1080", "640x360"))
    first = await ConfirmedDevices(bus).add_device(observed(0), old, None, None)
    assert first.findings == ()
    swapped = await ConfirmedDevices(bus).add_device(observed(1), new, None, first)
    assert (swapped.verdict, swapped.findings) == (Verdict.UP, (Cause.ANOTHER_DEVICE,))
    silent = await ConfirmedDevices(bus).add_device(observed(2, Verdict.DOWN), None, None, swapped)
    assert silent.findings == ()
    again = await ConfirmedDevices(bus).add_device(observed(3), new, None, silent)
    assert again.findings == (Cause.ANOTHER_DEVICE,)
    assert f"{began + timedelta(seconds=1):%H:%M:%S}" in (again.detail or "")
    await ConfirmedDevices(bus).confirm(camera_id, by="somebody", at=began + timedelta(seconds=4))
    settled = await ConfirmedDevices(bus).add_device(observed(5), new, None, again)
    assert (settled.findings, settled.device and settled.device.stream) == ((), "h264 High 640x360")
