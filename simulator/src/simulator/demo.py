"""The demo of `make run` and the smoke test: eight cameras, six of them good, and two centres; either may pull."""

from pydantic import SecretStr

from simulator.config import CameraConfig, CentreConfig, PullingConfig, SimulatorConfig
from simulator.devices.faults import CameraFault, CameraFaultName

USERNAME = "viewer"
PASSWORD = "Xem-Camera-2021"  # noqa: S105 - of a virtual camera
PUBLISHER_USERNAME = "publisher"
PUBLISHER_PASSWORD = "Gui-Hinh-2021"  # noqa: S105 - of a virtual centre

WRONG_PASSWORD_CAMERA_ID = "demo-07"  # noqa: S105 - an id
SILENT_CAMERA_ID = "demo-08"
CENTRE_IDS = ("national", "provincial")


def demo_config(base_port: int = 0) -> SimulatorConfig:
    """Configure the demo's cameras on `base_port` + 1 … 8, its centres on + 11 and + 12; 0 chooses free ports.

    demo-01 to demo-06 are good; demo-07 is good too, but inventory gets a wrong password for
    it; demo-08 accepts TCP and never answers.
    """
    cameras = [
        _camera(1, base_port),
        _camera(2, base_port, audio="pcma"),
        _camera(3, base_port, audio="aac", width=1280, height=720, fps=12, bitrate_kbps=900),
        _camera(4, base_port, codec="h265", width=480, height=272, fps=12, bitrate_kbps=400),
        _camera(5, base_port, **_login("digest")),
        _camera(6, base_port, **_login("basic")),
        _camera(7, base_port, **_login("digest")),
        _camera(8, base_port, fault=CameraFault(fault=CameraFaultName.BLACK_HOLE)),
    ]
    centres = [
        CentreConfig(
            id=centre_id,
            port=base_port and base_port + 11 + index,
            auth=auth,
            username=PUBLISHER_USERNAME,
            password=SecretStr(PUBLISHER_PASSWORD),
            # New plans reach the workers within a second or two; five wrong logins within 30 s would be a lock-out.
            pulling=PullingConfig(first_after_s=2.0, again_most_s=8.0),
        )
        for index, (centre_id, auth) in enumerate(zip(CENTRE_IDS, ("digest", "basic"), strict=True))
    ]
    return SimulatorConfig(cameras=cameras, centres=centres)


def _camera(number: int, base_port: int, **options: object) -> CameraConfig:
    return CameraConfig.model_validate(
        {
            "id": f"demo-{number:02}",
            "port": base_port and base_port + number,
            "path": f"/live/{number}",
            "number": number,
            "clock": True,
            **options,
        }
    )


def _login(auth: str) -> dict[str, object]:
    return {"auth": auth, "username": USERNAME, "password": PASSWORD}
