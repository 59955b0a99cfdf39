"""Settings that do not fit stop the start and name the variable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vonggac.auth.keys import JWKS, WORKERS_PRIVATE

pytestmark = pytest.mark.server


def start(**settings: str) -> subprocess.CompletedProcess[str]:
    given = {"ALLOWED_NETWORKS": "10.0.0.0/8", **settings}
    environment = {**os.environ, **{f"VONGGAC_FORWARDER_{name}": value for name, value in given.items()}}
    return subprocess.run(
        [sys.executable, "-m", "forwarder"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def test_a_missing_key_file_setting_is_named() -> None:
    ended = start()
    assert ended.returncode == 2
    assert "VONGGAC_FORWARDER_WORKERS_PRIVATE_KEY_FILE" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_NETWORKS", "10.0.0.0/8, 10.0.0.0/40"),
        ("DENIED_ENDPOINTS", "10.0.0.5"),
        ("MAX_CAMERAS", "0"),
        ("BUFFER_BYTES", "12"),
        ("STOP_WITHIN_S", "600"),
    ],
)
def test_a_bad_value_is_named(keys_folder: Path, name: str, value: str) -> None:
    ended = start(WORKERS_PRIVATE_KEY_FILE=str(keys_folder / WORKERS_PRIVATE), **{name: value})
    assert ended.returncode == 2
    assert f"VONGGAC_FORWARDER_{name}" in ended.stderr


def test_a_key_file_without_a_key_stops_the_start(tmp_path: Path, keys_folder: Path) -> None:
    broken = tmp_path / "workers.key"
    broken.write_text("no key", "ascii")
    ended = start(WORKERS_PRIVATE_KEY_FILE=str(broken), JWKS_FILE=str(keys_folder / JWKS))
    assert ended.returncode == 1
    assert ended.stderr.strip() == "forwarder cannot start: workers.key does not hold a key (base64 of 32 bytes)"
