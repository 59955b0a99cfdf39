"""The simulator as a process: starts with the demo, says when it is ready, ends in order."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from simulator.demo import PASSWORD, PUBLISHER_PASSWORD
from vonggac.embedded import free_port
from vonggac.testing import eventually
from vonggac.testing.media import MediaRecorder, relay

pytestmark = pytest.mark.server


@contextmanager
def process(tmp_path: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {f"VONGGAC_SIMULATOR_{name}": value for name, value in settings.items()}
    environment["VONGGAC_SIMULATOR_CACHE_FOLDER"] = str(tmp_path / "clips")
    started = subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


async def test_the_demo_runs_and_ends_within_two_seconds(tmp_path: Path) -> None:
    port = free_port()
    with process(tmp_path, PORT=str(port)) as simulator:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as api:

            async def ready() -> bool:
                answer = await answer_of(api, "/readyz")
                return answer is not None and answer.is_success

            await eventually(ready, within_s=60)
            cameras = {camera["id"]: camera for camera in (await api.get("/v1/cameras")).json()["items"]}
            centres = {centre["id"]: centre for centre in (await api.get("/v1/centres")).json()["items"]}
            assert len(cameras) == 8
            assert set(centres) == {"national", "provincial"}
            source = cameras["demo-01"]["url"]
            destination = centres["national"]["url"].replace("rtsp://", f"rtsp://publisher:{PUBLISHER_PASSWORD}@")
            async with relay(source, f"{destination}/demo-01"):
                viewer = await MediaRecorder.play(f"{destination}/demo-01")
                await viewer.until(lambda seen: seen.units)
                began = time.monotonic()
                simulator.send_signal(signal.SIGTERM)
                _, log = simulator.communicate(timeout=10)
            assert time.monotonic() - began < 2
            viewer.player.abort()
    assert PASSWORD not in log
    assert PUBLISHER_PASSWORD not in log
    assert "Traceback" not in log
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert "simulator_ready" in events


async def test_it_ends_in_the_middle_of_encoding(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    camera = {"id": "big", "width": 1920, "height": 1080, "fps": 50, "bitrate_kbps": 8000, "loop_s": 60}
    config.write_text(json.dumps({"cameras": [camera]}), "utf-8")
    port = free_port()
    with process(tmp_path, "--config", str(config), PORT=str(port)) as simulator:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as api:
            waiting = await eventually(lambda: answer_of(api, "/readyz"), within_s=30)
            assert waiting is not None
            assert waiting.status_code == 503
            assert "1 of 1 cameras wait" in waiting.text
            fault = await api.put("/v1/cameras/big/fault", json={"fault": "stall"})
            assert fault.status_code == 503
        began = time.monotonic()
        simulator.send_signal(signal.SIGTERM)
        simulator.communicate(timeout=10)
        assert time.monotonic() - began < 2


async def answer_of(api: httpx.AsyncClient, path: str) -> httpx.Response | None:
    """None while nobody listens."""
    try:
        return await api.get(path)
    except httpx.TransportError:
        return None


def test_a_wrong_configuration_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"cameras": [{"id": "a", "codec": "vp9"}]}), "utf-8")
    with process(tmp_path, "--config", str(path)) as simulator:
        _, log = simulator.communicate(timeout=30)
    assert simulator.returncode == 1
    assert log == f"simulator: {path}: cameras.0.codec: Input should be 'h264' or 'h265'\n"


def test_a_taken_rtsp_port_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path.write_text(json.dumps({"cameras": [{"id": "a", "port": port}]}), "utf-8")
        with process(tmp_path, "--config", str(path)) as simulator:
            _, log = simulator.communicate(timeout=30)
    assert simulator.returncode == 1
    assert log == f"simulator: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    with process(tmp_path, DEMO_BASE_PORT="many") as simulator:
        _, log = simulator.communicate(timeout=30)
    assert simulator.returncode == 2
    assert "VONGGAC_SIMULATOR_DEMO_BASE_PORT" in log
