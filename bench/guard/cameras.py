"""What one hostile camera does to its neighbours: a prober and a forwarder, six healthy cameras of each, two centres.

Each attack is made twice at the same time: by a camera that only the prober plays, and by one that the forwarder pulls.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from nats.aio.msg import Msg

from bench.faults.fault_stage import Program
from bench.guard.attacks import Target
from bench.guard.watching import Watch, Watched
from bench.relay.relay import declare, forwarder_environment, planned, publish, wait_ready
from vonggac.auth import Role
from vonggac.auth.keys import ensure_keys, token_issuer
from vonggac.bus.connection import connect_once
from vonggac.embedded import NatsServer, free_port
from vonggac.events import decode, subjects
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1, Verdict, VerificationVerdict
from vonggac.testing import eventually

HEALTHY = 6
"""Of each kind."""
CENTRES = ("national", "provincial")
PROBED, PULLED = "probed", "pulled"
HOSTILE = tuple(f"hostile-{kind}" for kind in (PROBED, PULLED))
PICTURE = {
    "path": "/live", "scene": "day", "width": 1280, "height": 720, "fps": 25, "bitrate_kbps": 2000, "gop_s": 1,
    "loop_s": 60,
}  # fmt: skip
"""A place: the usual test pattern is nearly uniform in one second of its minute, and rightly called covered then."""
INTERVAL_S = 2.0
SETTLES_S = 3.0
ENCODES_WITHIN_S = 900.0
ATTACKS: dict[str, dict[str, Any]] = {
    "20 Mbit/s of 4-byte frames": {"fault": "flood", "kind": "frames", "rate_mbps": 20},
    "20 Mbit/s of RTP without payload": {"fault": "flood", "kind": "packets", "rate_mbps": 20},
    "20 Mbit/s of RTCP": {"fault": "flood", "kind": "rtcp", "rate_mbps": 20},
    "20 Mbit/s of OPTIONS": {"fault": "flood", "kind": "options", "rate_mbps": 20},
    "pictures of 16000 x 16000": {"fault": "giant_picture"},
}


@dataclass
class Harmed:
    """What an attack did: each service, and the healthy cameras."""

    prober: Watched
    forwarder: Watched
    probes: int = 0
    wrong: list[str] = field(default_factory=list)
    """Verdicts of healthy cameras and of their deliveries that are not the truth."""
    lost: int = 0
    """Packets of healthy cameras that a centre misses."""
    causes: set[str] = field(default_factory=set)
    """What the hostile camera was called."""


@dataclass
class Stage:
    """The running programs, and what was observed."""

    nats_url: str
    token: str
    cameras: Program
    prober: Program
    forwarder: Program
    ports: list[int] = field(default_factory=list)
    """Of the centres."""
    plans: dict[str, CameraV1] = field(default_factory=dict)
    probes: list[CameraObservedV1] = field(default_factory=list)
    read_backs: list[DeliveryVerifiedV1] = field(default_factory=list)

    async def observe(self, message: Msg) -> None:
        data = decode(message.data).data
        if isinstance(data, CameraObservedV1):
            self.probes.append(data)
        elif isinstance(data, DeliveryVerifiedV1):
            self.read_backs.append(data)

    @property
    def healthy(self) -> set[Any]:
        """Their ids."""
        return {plan.id for name, plan in self.plans.items() if name not in HOSTILE}

    def set_fault(self, camera: str, fault: dict[str, Any] | None) -> None:
        url = f"{self.cameras.api}/v1/cameras/{camera}/fault"
        answer = httpx.delete(url) if fault is None else httpx.put(url, json=fault)
        answer.raise_for_status()

    def lost(self) -> int:
        """Packets of healthy cameras that the centres miss, since the beginning."""
        items = [httpx.get(f"{self.cameras.api}/v1/centres/{name}/streams").json()["items"] for name in CENTRES]
        return sum(item["lost"] for centre in items for item in centre if "hostile" not in item["path"])

    def target(self, program: Program) -> Target:
        return Target.of(program.api, self.token)

    async def settle(self) -> None:
        """Until every healthy camera is up, and every delivery of one verified, by the newest that was observed."""

        def are() -> bool:
            up = {probe.camera_id: probe.verdict is Verdict.UP for probe in self.probes}
            proven = {one.delivery_id: one.verdict is VerificationVerdict.VERIFIED for one in self.read_backs}
            wanted = [one.id for name, plan in self.plans.items() if name not in HOSTILE for one in plan.deliveries]
            return all(map(up.get, self.healthy)) and all(map(proven.get, wanted))

        await eventually(are, within_s=90, poll_s=0.5, what="healthy cameras")


async def attack_all(seconds: float, only: str) -> AsyncIterator[tuple[str, Harmed]]:
    """Each attack that fits `only`, after the same without one: its name ("none"), and what it did."""
    with tempfile.TemporaryDirectory(prefix="vonggac-guard-") as folder:
        async with _stage(Path(folder)) as stage:
            await stage.settle()
            for name, fault in {"none": None, **ATTACKS}.items():
                if fault is None or only in name:
                    yield name, await _attack(stage, fault, seconds)
                    await stage.settle()


async def _attack(stage: Stage, fault: dict[str, Any] | None, seconds: float) -> Harmed:
    lost = stage.lost()
    watching = [
        await Watch.begin(stage.target(program), _pid(program), seconds + SETTLES_S)
        for program in (stage.prober, stage.forwarder)
    ]
    stage.probes.clear()
    stage.read_backs.clear()
    for camera in HOSTILE:
        await asyncio.to_thread(stage.set_fault, camera, fault)
    await asyncio.sleep(seconds)
    harmed = Harmed(await watching[0].end(), await watching[1].end())
    harmed.probes = len(stage.probes)
    for probe in stage.probes:
        if probe.camera_id in stage.healthy and probe.verdict is not Verdict.UP:
            harmed.wrong.append(f"{probe.verdict} {probe.cause}")
        elif probe.camera_id not in stage.healthy and probe.cause is not None:
            harmed.causes.add(probe.cause.value)
    good = (one for one in stage.read_backs if one.camera_id in stage.healthy)
    harmed.wrong += [str(one.verdict) for one in good if one.verdict is not VerificationVerdict.VERIFIED]
    harmed.lost = await asyncio.to_thread(stage.lost) - lost
    for camera in HOSTILE:
        await asyncio.to_thread(stage.set_fault, camera, None)
    return harmed


@asynccontextmanager
async def _stage(folder: Path) -> AsyncIterator[Stage]:
    with _programs(folder) as stage:
        await declare(stage.nats_url)
        await asyncio.to_thread(_start, stage)
        client = await connect_once(stage.nats_url, name="bench")
        await client.jetstream().subscribe(subjects.OBSERVATIONS, cb=stage.observe, ordered_consumer=True)
        try:
            await publish(stage.nats_url, list(stage.plans.values()))
            yield stage
        finally:
            await client.close()


@contextmanager
def _programs(folder: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        ensure_keys(folder / "keys")
        issued = token_issuer(folder / "keys").issue(
            subject="bench", roles=frozenset({Role.READER}), valid_for=timedelta(hours=2)
        )
        nats = NatsServer(folder / "nats", free_port())
        nats.start()
        stack.callback(nats.stop)
        ports = {name: free_port() for name in CENTRES}
        names = [*(f"{kind}-{number}" for kind in (PROBED, PULLED) for number in range(HEALTHY)), *HOSTILE]
        config = {
            "cameras": [{"id": name, "number": number % 4, **PICTURE} for number, name in enumerate(names)],
            "centres": [{"id": name, "port": port} for name, port in ports.items()],
        }
        (folder / "simulator.json").write_text(json.dumps(config), "utf-8")
        cameras = _program("simulator", folder, nats.url, ["--config", str(folder / "simulator.json")])
        prober = _program("prober", folder, nats.url, [])
        forwarder = _program("forwarder", folder, nats.url, [])
        made = Stage(nats.url, str(issued), cameras, prober, forwarder)
        for program in (cameras, prober, forwarder):
            stack.callback(program.end, kill=True)
        made.ports = list(ports.values())
        yield made


def _start(stage: Stage) -> None:
    programs = (stage.cameras, stage.prober, stage.forwarder)
    for program in programs:
        program.start()
    # It encodes four minutes of pictures first.
    wait_ready(stage.cameras.api, ENCODES_WITHIN_S)
    for program in programs:
        wait_ready(program.api)
    items = httpx.get(f"{stage.cameras.api}/v1/cameras").json()["items"]
    stage.plans = {item["id"]: _plan(item["id"], item["url"], stage.ports) for item in items}


def _plan(name: str, url: str, ports: list[int]) -> CameraV1:
    """Read back where it is published; a probe is a deep one each time, and so is the way to the decoder."""
    plan = planned(url, ports if PULLED in name else [], 0)
    deliveries = tuple(
        one.model_copy(update={"url": address, "read_back_url": address})
        for one, address in zip(plan.deliveries, (f"rtsp://127.0.0.1:{port}/{name}" for port in ports), strict=False)
    )
    return plan.model_copy(update={"code": name, "probe_interval_s": INTERVAL_S, "deliveries": deliveries})


def _program(module: str, folder: Path, nats_url: str, arguments: list[str]) -> Program:
    port = free_port()
    environment = forwarder_environment(folder, nats_url, port, 100, 0)
    more = {"LOG_LEVEL": "error", "CACHE_FOLDER": str(folder), "DEEP_INTERVAL_S": "0", "VERIFY_INTERVAL_S": "5"}
    named = {name.replace("FORWARDER", module.upper(), 1): value for name, value in environment.items()}
    named |= {f"VONGGAC_{module.upper()}_{name}": value for name, value in more.items()}
    named[f"VONGGAC_{module.upper()}_MAX_PROBES_PER_NETWORK"] = "0"
    return Program(module, arguments, named, port)


def _pid(program: Program) -> int:
    assert program.process is not None
    return program.process.pid
