"""The set-up Job's own command declares the streams at a server with the chart's configuration, over TLS."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chart.rendering import component_of, manifests, minimal, one

from local.commands.nats_certificate import ensure_certificate
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import USERS, passwords
from vonggac.embedded import free_port
from vonggac.embedded.nats import nats_server_binary

pytestmark = [pytest.mark.server, pytest.mark.slow]

VALUES = minimal(nats={"replicas": 1, "storage": {"gibibytes": 2}, "observationsMaxBytes": 64 << 20})


class Installed:
    """One server as the chart configures it, on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.objects = manifests(VALUES)
        files = one(self.objects, "ConfigMap", "demo-vonggac-nats")["data"]
        ensure_certificate(folder / "tls", ("localhost",))
        (folder / "secrets").mkdir()
        given = {user.name: f"password of {user.name}" for user in USERS}
        (folder / "secrets/passwords.conf").write_text(passwords(given), "utf-8")
        (folder / "nats.password").write_text(given["setup"], "utf-8")
        changed = {"/etc/nats/tls": str(folder / "tls"), "/data": str(folder / "data")}
        changed |= {"0.0.0.0:4222": f"127.0.0.1:{self.port}", "127.0.0.1:8222": f"127.0.0.1:{free_port()}"}
        for name, text in files.items():
            for here, there in changed.items():
                text = text.replace(here, there)
            (folder / name).write_text(text, "utf-8")

    @property
    def url(self) -> str:
        return f"tls://localhost:{self.port}"

    @property
    def authority(self) -> Path:
        return self.folder / "tls/ca.crt"

    def set_up(self) -> str:
        """Run the Job's command; what it printed."""
        [job] = [each for each in self.objects if each["kind"] == "Job" and component_of(each) == "setup"]
        [container] = job["spec"]["template"]["spec"]["containers"]
        changed = {
            "python": sys.executable,
            "tls://demo-vonggac-nats:4222": self.url,
            "/run/vonggac/nats/nats.password": str(self.folder / "nats.password"),
            "/run/vonggac/nats-ca/ca.crt": str(self.authority),
        }
        command = [changed.get(word, word) for word in container["command"]]
        assert set(changed.values()) <= set(command)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    here = Installed(tmp_path)
    with (tmp_path / "log").open("w") as log:
        command = [nats_server_binary(), "--config", str(tmp_path / "nats.conf")]
        environment = {**os.environ, "SERVER_NAME": "demo-vonggac-nats-0"}
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield here
    finally:
        server.terminate()
        server.wait(20)


def test_the_set_up_job_declares_everything_once(installed: Installed) -> None:
    assert installed.set_up().startswith("declared: INVENTORY, PROBE_JOBS, ")
    began = time.monotonic()
    assert installed.set_up() == "nothing to declare\n"
    assert time.monotonic() - began < 30

    async def config() -> dict[str, object]:
        client = await connect_once(
            installed.url, name="test", user="reporting", password="password of reporting", ca_file=installed.authority
        )
        try:
            return (await client.jetstream().stream_info(topology.OBSERVATIONS)).config.as_dict()
        finally:
            await client.close()

    stands = asyncio.run(config())
    assert (stands["max_bytes"], stands["num_replicas"]) == (64 << 20, 1)
    assert (stands["deny_delete"], stands["deny_purge"]) == (True, True)


def test_a_server_of_another_authority_is_refused(installed: Installed, tmp_path: Path) -> None:
    ensure_certificate(tmp_path / "other", ("localhost",))

    async def connect() -> None:
        client = await connect_once(installed.url, name="test", ca_file=tmp_path / "other/ca.crt")
        await client.close()

    installed.set_up()
    with pytest.raises(OSError, match="certificate verify failed"):
        asyncio.run(connect())
