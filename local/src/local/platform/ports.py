"""Choosing ports: those of the last start, else the documented ones; where one is taken another, which is printed."""

import asyncio
import fcntl
import json
import os
import random
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOOPBACK_NETWORKS = ("127.0.0.0/8", "::1/128")
LOWEST, HIGHEST = 20_000, 32_000
"""Below the range that the kernel gives to outgoing connections, so that none of them uses a chosen port."""
RTSP_PORTS = 16
"""The simulator's cameras have the ports after its RTSP base, then its centres."""
FIRST_CENTRE = 11
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Ports:
    """One port of every part of the platform."""

    postgres: int = 5432
    nats: int = 4222
    inventory: int = 8101
    prober: int = 8102
    forwarder: int = 8103
    reporting: int = 8104
    simulator: int = 8105
    console: int = 8100
    issuer: int = 8106
    nats_monitoring: int = 8222
    served: int = 8107
    rtsp_base: int = 8550

    def centre(self, index: int) -> int:
        """Return the RTSP port of the demo's centre at `index`: 0 is the national one, 1 the provincial one."""
        return self.rtsp_base + FIRST_CENTRE + index


@asynccontextmanager
async def chosen_alone(report: Callable[[str, str], None]) -> AsyncIterator[None]:
    """One platform of this user at a time, from choosing ports until servers listen: two would choose the same."""
    path = Path(tempfile.gettempdir()) / f"vonggac-start-{os.getuid()}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        waited = False
        while not _locked(descriptor):
            if not waited:
                report("ports", "another platform is starting: waiting until it has its own")
            waited = True
            await asyncio.sleep(POLL_S)
        yield
    finally:
        os.close(descriptor)


def choose(preferred: Ports, taken: Callable[[str, str], None]) -> Ports:
    """Choose the preferred ports where they are free; call `taken(part, what was done)` for each that is not."""
    chosen: dict[str, int] = {}
    used: set[int] = set()
    for field in fields(Ports):
        wanted: int = getattr(preferred, field.name)
        width = RTSP_PORTS if field.name == "rtsp_base" else 1
        port = wanted if _free(wanted, width, used) else _another(wanted, width, used)
        if port != wanted and width == 1:
            taken(field.name, f"port {wanted} is taken by another program: using {port}")
        elif port != wanted:
            last = wanted + width - 1
            taken("simulator", f"RTSP ports {wanted} to {last} are not all free: using {port} to {port + width - 1}")
        used.update(range(port, port + width))
        chosen[field.name] = port
    return Ports(**chosen)


def choose_replicas(ports: Ports, wanted: Mapping[str, int], before: Mapping[str, int] | None = None) -> dict[str, int]:
    """Choose a free port of each further replica, by its name (`forwarder-2`, …).

    `wanted`: replicas of each service in all, the one on its port of `ports` among them. `before`: their ports at the
    last start, which they have again where those are free.
    """
    used = {*astuple(ports), *range(ports.rtsp_base, ports.rtsp_base + RTSP_PORTS)}
    chosen: dict[str, int] = {}
    for service, count in wanted.items():
        for number in range(2, count + 1):
            name = f"{service}-{number}"
            port = (before or {}).get(name)
            if port is None or not _free(port, 1, used):
                port = _another(getattr(ports, service), 1, used)
            used.add(port)
            chosen[name] = port
    return chosen


def own_endpoints(ports: Ports, replicas: Iterable[int]) -> tuple[str, ...]:
    """List the platform's own ports here, which no camera or centre has: all but those of the RTSP devices."""
    own = {port for name, port in asdict(ports).items() if name != "rtsp_base"} | set(replicas)
    return tuple(f"[{network}]:{port}" for port in sorted(own) for network in LOOPBACK_NETWORKS)


def remembered(file: Path) -> tuple[Ports, dict[str, int]]:
    """Read the ports of the last start, and of further workers; the documented ones where none are known."""
    try:
        content = json.loads(file.read_text("utf-8"))
        known = {name: _checked(content["ports"].get(name, default)) for name, default in asdict(Ports()).items()}
        further = {str(name): _checked(port) for name, port in content["replicas"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # Never started here, half written by a power cut, or not ours.
        return Ports(), {}
    return Ports(**known), further


def remember(file: Path, ports: Ports, before: Mapping[str, int], replicas: Mapping[str, int]) -> None:
    """Write what `remembered` reads; workers that do not run this time keep their port for another time."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"ports": asdict(ports), "replicas": {**before, **replicas}}, indent=1), "utf-8")
    part.replace(file)


def _checked(port: object) -> int:
    if not isinstance(port, int) or not 0 < port <= 65_535 - RTSP_PORTS:
        raise ValueError(port)
    return port


def anywhere() -> Ports:
    """Random free ports, for a platform beside another."""
    used: set[int] = set()
    chosen: dict[str, int] = {}
    for field in fields(Ports):
        width = RTSP_PORTS if field.name == "rtsp_base" else 1
        chosen[field.name] = _random(width, used)
        used.update(range(chosen[field.name], chosen[field.name] + width))
    return Ports(**chosen)


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do: a closed connection that lingers does not matter.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(port: int, width: int, used: set[int]) -> bool:
    return all(each not in used and is_free(each) for each in range(port, port + width))


def _another(wanted: int, width: int, used: set[int]) -> int:
    # Near the documented one first, and the same at each start while it is free.
    for port in range(wanted + 1000, wanted + 10_000, 1000):
        if port + width < HIGHEST and _free(port, width, used):
            return port
    return _random(width, used)


def _random(width: int, used: set[int]) -> int:
    while True:
        port = random.randrange(LOWEST, HIGHEST - width)  # noqa: S311 - no secret
        if _free(port, width, used):
            return port
