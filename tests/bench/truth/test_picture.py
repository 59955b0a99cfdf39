"""What the benches ask of the simulator is what it takes."""

import pytest

from bench.faults.soak_stage import PICTURE
from bench.truth.truth import LIVE
from simulator.config import CameraConfig


@pytest.mark.parametrize("picture", [PICTURE, PICTURE | LIVE])
def test_the_simulator_takes_the_cameras_of_the_benches(picture: dict[str, object]) -> None:
    taken = CameraConfig.model_validate({"id": "cam-000", "number": 0, **picture})
    assert taken.loop_s == picture["loop_s"]
