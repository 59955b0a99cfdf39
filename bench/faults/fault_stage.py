"""The stage of `faults.py`: cameras, a healthy centre, one that suffers, forwarders, and what all of them report.

The suffering centre is a process of its own at one port for ever, so that it can be killed and started again.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.relay.relay import camera_config, declare, forwarder_environment, planned, publish, wait_ready
from vonggac.auth import Role
from vonggac.auth.keys import ensure_keys, token_issuer
from vonggac.embedded import NatsServer, free_port

HEALTHY, SUFFERING = "national", "provincial"
GOOD = frozenset({"sending", "acknowledged", "verified"})
REFUSED_RETRY_S = 5.0
GOOD_SESSION_S = 2.0
"""Shorter than the default of a minute, so that every fault meets waiting times that start from the beginning."""
SAMPLE_S = 0.1
type Stream = dict[str, Any]
type Place = tuple[str, str]
"""Centre, and path without its leading slash."""


class Program:
    """A child process with an HTTP API, which can be killed and started again at the same ports."""

    def __init__(self, module: str, arguments: list[str], environment: dict[str, str], port: int) -> None:
        self.api = f"http://127.0.0.1:{port}"
        self._command = [sys.executable, "-m", module, *arguments]
        self._environment = {**os.environ, **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, env=self._environment)

    def end(self, *, kill: bool = False) -> None:
        if self.process is not None:
            if kill:
                self.process.kill()
            else:
                self.process.terminate()
            self.process.wait()
            self.process = None


@dataclass
class Stage:
    """`forwarders` are in the order of their start; the last one is asked for states."""

    folder: Path
    nats_url: str
    token: str
    cameras: Program
    centre: Program
    centre_port: int
    count: int
    good_session_s: float
    forwarders: list[Program] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    """Delivery id: where its media must be counted."""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=5))

    def start_forwarder(self) -> Program:
        port = free_port()
        environment = forwarder_environment(self.folder, self.nats_url, port, self.count, 0)
        environment |= {
            "VONGGAC_FORWARDER_REFUSED_RETRY_S": str(REFUSED_RETRY_S),
            "VONGGAC_FORWARDER_GOOD_SESSION_S": str(self.good_session_s),
            "VONGGAC_FORWARDER_LOG_LEVEL": "error",
        }
        program = Program("forwarder", [], environment, port)
        program.start()
        self.forwarders.append(program)
        wait_ready(program.api)
        return program

    def end(self) -> None:
        for program in (*self.forwarders, self.cameras, self.centre):
            program.end(kill=True)
        self.client.close()

    def states(self) -> dict[str, dict[str, Any]]:
        """Every delivery as the forwarder reports it, by id."""
        answer = self.client.get(
            f"{self.forwarders[-1].api}/v1/deliveries?limit=1000", headers={"Authorization": f"Bearer {self.token}"}
        )
        answer.raise_for_status()
        return {item["delivery_id"]: item for item in answer.json()["items"]}

    def streams(self) -> dict[Place, Stream]:
        """What both centres counted; nothing of one that is dead."""
        seen: dict[Place, Stream] = {}
        for name, program in ((HEALTHY, self.cameras), (SUFFERING, self.centre)):
            if program.process is None:
                continue
            try:
                items = self.client.get(f"{program.api}/v1/centres/{name}/streams").json()["items"]
            except httpx.TransportError:
                continue
            seen.update({(name, item["path"]): item for item in items})
        return seen

    def set_fault(self, program: Program, path: str, body: dict[str, Any] | None) -> None:
        """Set or (None) clear the fault of `path`, such as `centres/national`."""
        url = f"{program.api}/v1/{path}/fault"
        answer = self.client.delete(url) if body is None else self.client.put(url, json=body)
        answer.raise_for_status()

    def restart_centre(self) -> None:
        """Start the killed centre; returns as soon as it listens for RTSP."""
        self.centre.start()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.centre_port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise SystemExit("the centre did not listen again within 30 s")


@contextmanager
def stage(
    folder: Path, count: int, good_session_s: float = GOOD_SESSION_S, *, bitrate_kbps: int = 2000
) -> Iterator[Stage]:
    """`count` cameras, planned for both centres, with one forwarder."""
    with ExitStack() as stack:
        keys = folder / "keys"
        ensure_keys(keys)
        issued = token_issuer(keys).issue(
            subject="bench", roles=frozenset({Role.AUTHORITY}), valid_for=timedelta(hours=2)
        )
        nats = NatsServer(folder / "nats", free_port())
        nats.start()
        stack.callback(nats.stop)
        asyncio.run(declare(nats.url))
        centre_port, healthy_port = free_port(), free_port()
        programs = [
            _simulator(folder, "cameras", camera_config(count, bitrate_kbps) | _centre(HEALTHY, healthy_port)),
            _simulator(folder, "centre", _centre(SUFFERING, centre_port)),
        ]
        made = Stage(folder, nats.url, str(issued), programs[0], programs[1], centre_port, count, good_session_s)
        stack.callback(made.end)
        for program in programs:
            program.start()
        for program in programs:
            wait_ready(program.api)
        made.start_forwarder()
        urls = [camera["url"] for camera in made.client.get(f"{made.cameras.api}/v1/cameras").json()["items"]]
        names = {str(healthy_port): HEALTHY, str(centre_port): SUFFERING}
        plans = [planned(url, [healthy_port, centre_port], number) for number, url in enumerate(urls)]
        for number, plan in enumerate(plans):
            for delivery in plan.deliveries:
                made.places[str(delivery.id)] = names[delivery.destination_code], str(number)
        asyncio.run(publish(nats.url, plans))
        yield made


def _centre(name: str, port: int) -> dict[str, object]:
    return {"centres": [{"id": name, "port": port}]}


def _simulator(folder: Path, name: str, config: dict[str, object]) -> Program:
    path, port = folder / f"{name}.json", free_port()
    path.write_text(json.dumps(config), "utf-8")
    variables = {"PORT": str(port), "LOG_LEVEL": "error", "CACHE_FOLDER": str(folder)}
    environment = {f"VONGGAC_SIMULATOR_{key}": value for key, value in variables.items()}
    return Program("simulator", ["--config", str(path)], environment, port)
