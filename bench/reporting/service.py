"""Reporting as a process of its own, over a database that a bench has filled."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from vonggac.auth.keys import JWKS
from vonggac.embedded import free_port


@contextmanager
def service(url: str, keys: Path) -> Iterator[tuple[str, int]]:
    """`python -m reporting` on a database that is filled, without a bus; its address and process id."""
    port = free_port()
    given = {
        "VONGGAC_REPORTING_DATABASE_URL": url,
        "VONGGAC_REPORTING_JWKS_FILE": str(keys / JWKS),
        "VONGGAC_REPORTING_NATS_URL": f"nats://127.0.0.1:{free_port()}",
        "VONGGAC_REPORTING_HOST": "127.0.0.1",
        "VONGGAC_REPORTING_PORT": str(port),
        "VONGGAC_REPORTING_LOG_LEVEL": "error",
    }
    process = subprocess.Popen([sys.executable, "-m", "reporting"], env={**os.environ, **given})
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/livez", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the service did not start")


def memory_mb(process_id: int) -> tuple[float, float]:
    """Resident memory of a process: now, and the highest so far."""
    status = Path(f"/proc/{process_id}/status").read_text("ascii")
    now, peak = (float(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak
