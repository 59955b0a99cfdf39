"""A configuration file is read whole or refused with one line that says where."""

import json
from pathlib import Path

import pytest

from simulator import CameraFaultName, SimulatorConfig, demo_config
from simulator.config import ConfigError


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"cameras": [{"id": "a"}, {"id": "a"}]}, "camera id a is used twice"),
        ({"cameras": [{"id": "a", "port": 7}], "centres": [{"id": "a", "port": 7}]}, "port 7 is used twice"),
        ({"centres": [{"id": "a", "auth": "digest"}]}, "needs a username"),
        ({"cameras": [{"id": "a", "smoke": 1}]}, "cameras.0.smoke"),
        ({"cameras": [{"id": "a", "width": 321}]}, "cameras.0.width"),
        ({"cameras": [{"id": "a", "fault": {"fault": "smoke"}}]}, "cameras.0.fault.fault"),
        ({"cameras": [{"id": "a b"}]}, "cameras.0.id"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, config: object, complaint: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), "utf-8")
    with pytest.raises(ConfigError) as refused:
        SimulatorConfig.from_file(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert complaint in str(refused.value)


def test_a_password_is_in_no_complaint(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"cameras": [{"id": "a", "auth": "basic", "password": "Never-Shown"}]}), "utf-8")
    with pytest.raises(ConfigError) as refused:
        SimulatorConfig.from_file(path)
    assert "Never-Shown" not in str(refused.value)


def test_a_file_that_is_not_there_or_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        SimulatorConfig.from_file(tmp_path / "nothing.json")
    (tmp_path / "broken.json").write_text("{", "utf-8")
    with pytest.raises(ConfigError, match="Invalid JSON"):
        SimulatorConfig.from_file(tmp_path / "broken.json")


def test_the_demo_has_the_cameras_that_the_smoke_test_counts_on() -> None:
    demo = demo_config(9000)
    assert [camera.port for camera in demo.cameras] == list(range(9001, 9009))
    assert [centre.port for centre in demo.centres] == [9011, 9012]
    kinds = [(camera.codec, camera.audio, camera.auth) for camera in demo.cameras]
    assert kinds == [
        ("h264", "none", "none"),
        ("h264", "pcma", "none"),
        ("h264", "aac", "none"),
        ("h265", "none", "none"),
        ("h264", "none", "digest"),
        ("h264", "none", "basic"),
        ("h264", "none", "digest"),
        ("h264", "none", "none"),
    ]
    assert demo.cameras[7].fault is not None
    assert demo.cameras[7].fault.fault is CameraFaultName.BLACK_HOLE
    assert {camera.port for camera in demo_config().cameras} == {0}
