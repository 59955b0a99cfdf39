"""The servers of the chart, with the configuration that it renders."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
from nats.js import JetStreamContext
from tests.chart.rendering import component_of, manifests, minimal, one

from local.commands.nats_certificate import ensure_certificate, names_of_servers
from local.platform.streams import Login
from vonggac.bus.connection import connect_once
from vonggac.bus.declared.accounts import STREAMS, passwords
from vonggac.bus.declared.permissions import TESTER, USERS
from vonggac.embedded import free_port
from vonggac.embedded.nats import nats_server_binary
from vonggac.testing import eventually

NAME = "demo-vonggac-nats"
STARTED_AGAIN = 5
"""Servers that elect do not answer in time on a busy machine."""
OWNERS = f"  {STREAMS} {{\n    jetstream: enabled\n    users: ["
"""Of the account of the streams."""
EVERYTHING = f"{OWNERS} {{ user: {TESTER.name}, password: ${TESTER.password_variable} }}"
"""A user that may do whatever NATS does: the streams themselves have to refuse it."""


class Bundled:
    """The servers of the chart on loopback, all in one folder: what is changed is ports, paths and names of hosts."""

    def __init__(self, folder: Path, replicas: int) -> None:
        self.folder, self.replicas = folder, replicas
        stated = {"replicas": replicas, "storage": {"gibibytes": 2}, "observationsMaxBytes": 64 << 20, "cameras": 100}
        self.objects = manifests(minimal(nats=stated))
        self.ports = [free_port() for _ in range(replicas)]
        self.routes = [free_port() for _ in range(replicas)]
        self.monitoring = [free_port() for _ in range(replicas)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.declared = ""
        folder.mkdir(exist_ok=True)
        ensure_certificate(folder / "tls", names_of_servers(NAME, "vonggac"))
        self._given = {user.name: f"password of {user.name}" for user in USERS} | {TESTER.name: "of the test"}
        (folder / "nats.password").write_text(self._given["setup"], "utf-8")
        for number in range(replicas):
            self._write(number)

    def _write(self, number: int) -> None:
        here = self.folder / str(number)
        (here / "secrets").mkdir(parents=True)
        (here / "secrets/passwords.conf").write_text(passwords(self._given), "utf-8")
        changed = {
            "/etc/nats/tls": str(self.folder / "tls"),
            '"/data"': json.dumps(str(here / "data")),
            "0.0.0.0:4222": f"127.0.0.1:{self.ports[number]}",
            "127.0.0.1:8222": f"127.0.0.1:{self.monitoring[number]}",
            "0.0.0.0:6222": f"127.0.0.1:{self.routes[number]}",
        }
        changed |= {f"{NAME}-{n}.{NAME}-nodes:6222": f"localhost:{route}" for n, route in enumerate(self.routes)}
        for name, text in one(self.objects, "ConfigMap", NAME)["data"].items():
            for old, new in changed.items():
                text = text.replace(old, new)
            if name == "nats.conf":
                text = text.replace(OWNERS, EVERYTHING, 1)
            (here / name).write_text(text, "utf-8")

    @property
    def url(self) -> str:
        return ",".join(f"tls://localhost:{port}" for port in self.ports)

    @property
    def owner(self) -> Login:
        """Of the streams."""
        return Login("setup", self.folder / "nats.password")

    @property
    def authority(self) -> Path:
        return self.folder / "tls/ca.crt"

    def start(self, number: int) -> None:
        here = self.folder / str(number)
        # The container's own command, with its places and its PATH.
        command = ["/bin/sh", str(here / "start.sh")]
        environment = {
            **os.environ,
            "PATH": f"{Path(nats_server_binary()).parent}:{os.environ['PATH']}",
            "SERVER_NAME": f"{NAME}-{number}",
            "STORE": str(here / "data"),
            "PLACE": str(here / "place.conf"),
            "CONFIG": str(here / "nats.conf"),
        }
        with (self.folder / str(number) / "log").open("ab") as log:
            self._processes[number] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    async def together(self) -> None:
        """Until each server knows who leads and that nobody is away, as its readiness probe asks."""

        async def known() -> bool:
            async with httpx.AsyncClient(trust_env=False) as client:
                for port in self.monitoring:
                    try:
                        answer = (await client.get(f"http://127.0.0.1:{port}/jsz")).json()
                    except httpx.TransportError as error:
                        raise AssertionError(error) from error
                    meta = answer.get("meta_cluster", {})
                    assert meta.get("leader"), meta
                    assert meta["cluster_size"] == self.replicas
            return True

        await eventually(known, within_s=60, poll_s=0.2)

    def kill(self, number: int) -> None:
        process = self._processes.pop(number)
        process.kill()
        process.wait(20)

    def ended(self, number: int) -> tuple[int, str]:
        """Exit status of a server that ends by itself, and what it logged."""
        status = self._processes.pop(number).wait(20)
        return status, (self.folder / str(number) / "log").read_text("utf-8")

    def stop(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait(40)

    def set_up(self) -> str:
        """Run the Job's command, again when it failed, as the Job does; what it printed at last."""
        [job] = [each for each in self.objects if each["kind"] == "Job" and component_of(each) == "setup"]
        [container] = job["spec"]["template"]["spec"]["containers"]
        nodes = ",".join(f"tls://{NAME}-{number}.{NAME}-nodes:4222" for number in range(self.replicas))
        changed = {
            "python": sys.executable,
            nodes if self.replicas > 1 else f"tls://{NAME}:4222": self.url,
            "/run/vonggac/nats/nats.password": str(self.folder / "nats.password"),
            "/run/vonggac/nats-ca/ca.crt": str(self.authority),
        }
        command = [changed.get(word, word) for word in container["command"]]
        assert set(changed.values()) <= set(command)
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure"
        for _ in range(min(STARTED_AGAIN, job["spec"]["backoffLimit"])):
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
            if done.returncode == 0:
                break
        assert done.returncode == 0, done.stderr
        return done.stdout

    @asynccontextmanager
    async def connected(self, user: str) -> AsyncIterator[JetStreamContext]:
        """As a user of the chart, to whichever server is there."""
        client = await connect_once(
            self.url, name="test", user=user, password=self._given[user], ca_file=self.authority
        )
        try:
            yield client.jetstream(timeout=10)
        finally:
            await client.close()


@contextmanager
def started(folder: Path, replicas: int) -> Iterator[Bundled]:
    """For the time of the block."""
    servers = Bundled(folder, replicas)
    try:
        for number in range(replicas):
            servers.start(number)
        yield servers
    finally:
        servers.stop()
