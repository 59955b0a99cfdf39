"""The stage of `soak.py`: the whole platform with many cameras, two forwarders, and what can go wrong on it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from local.apis.access import admin_token, approver_token
from local.apis.inventory import InventoryApi, RefusedError, call
from local.apis.simulator import SimulatorApi
from local.commands.truth import ReportingApi, delivered_to_both
from local.demo import content
from local.demo.load import load_base
from local.demo.surveys import except_from_plans
from local.platform.environment import SERVICES
from local.platform.platform import Platform, wait_ready
from local.platform.ports import anywhere
from local.platform.process import Child
from local.platform.progress import Progress
from local.platform.state import StateFolder

CLIPS = 4
CENTRES = ("national", "provincial")
PICTURE = {"path": "/live", "width": 640, "height": 360, "fps": 10, "bitrate_kbps": 300, "gop_s": 2, "loop_s": 90}
"""Small, so that two cores carry a hundred cameras, their two centres and everything between them.

The loop is long, since two probes that meet the same picture of a clip rightly call it frozen.
"""
PROBE_INTERVAL_S = 15
VERIFY_INTERVAL_S = 20
REPORTED_S = 60.0
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 40.0
FUTURE_S = 1.0


def is_proven_since(delivery: Mapping[str, Any], since: float, *, now: float) -> bool:
    """Whether it is verified by a read-back of then; one that a fast clock dated to later than `now` is none."""
    at = delivery["verified_at"]
    return at is not None and since <= datetime.fromisoformat(at).timestamp() <= now + FUTURE_S


@dataclass
class Stage:
    """A running platform; `second` is the forwarder that is killed now and then."""

    platform: Platform
    second: Child
    second_address: str
    reporting: ReportingApi
    token: str
    cameras: list[str]
    client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=20, trust_env=False))

    async def verified(self) -> int:
        """Cameras that are up and verified at both centres, as reporting has them; 0 while it does not answer."""
        try:
            document = await self._lately()
        except RefusedError:
            return 0
        return sum(camera["state"] == "up" and delivered_to_both(camera) for camera in document["cameras"])

    async def proven_since(self, since: float) -> bool:
        """Whether a read-back after that moment (seconds since 1970) matched of every delivery."""
        try:
            document = await self._lately()
        except RefusedError:
            return False
        deliveries = [one for camera in document["cameras"] for one in camera["deliveries"]]
        return all(is_proven_since(one, since, now=time.time()) for one in deliveries)

    async def not_verified(self) -> list[str]:
        """What is still missing, in words."""
        document = await self._lately()
        return [
            f"{camera['code']} is {camera['state']} ({camera['cause']}): "
            + ", ".join(f"{one['destination']['code']} {one['state']} ({one['cause']})" for one in camera["deliveries"])
            for camera in document["cameras"]
            if camera["state"] != "up" or not delivered_to_both(camera)
        ]

    async def cameras_by_forwarder(self) -> dict[str, int]:
        """How many cameras each forwarder holds, as they report every few seconds. Raises RefusedError."""
        url = f"{self.platform.addresses.forwarder}/v1/workers"
        workers = await call(self.client, "GET", url, headers={"Authorization": f"Bearer {self.token}"})
        return {worker["worker_id"]: worker["cameras_held"] for worker in workers["items"]}

    async def _lately(self) -> dict[str, Any]:
        """How all stand now. Raises RefusedError.

        Of the last minute: a report holds every change of its period in memory, and one of 24 hours, the default, would
        grow with the faults of the whole soak, which is no leak and would hide one.
        """
        return await self.reporting.compliance(since=datetime.now(UTC) - timedelta(seconds=REPORTED_S))

    async def set_fault(self, device: str, fault: dict[str, Any]) -> None:
        """`device`: such as `centres/national`."""
        url = f"{self.platform.addresses.simulator}/v1/{device}/fault"
        await call(self.client, "PUT", url, json=fault)

    async def clear_fault(self, device: str) -> None:
        await call(self.client, "DELETE", f"{self.platform.addresses.simulator}/v1/{device}/fault")

    async def end_second(self, *, kill: bool) -> None:
        """End the second forwarder, with SIGKILL or in order."""
        if kill:
            self.second.kill()
        await self.second.stop(within_s=STOP_WITHIN_S)

    async def start_second(self) -> None:
        self.second.start()
        await wait_ready(self.second_address, within_s=READY_WITHIN_S, child=self.second)

    async def restart_nats(self, away_s: float) -> None:
        await self.platform.nats.stop()
        await asyncio.sleep(away_s)
        await self.platform.nats.start()

    def processes(self) -> dict[str, list[int]]:
        """Process ids by part."""
        children = self.platform.children
        found = {name: _ids(children[name]) for name in (*SERVICES, "simulator")}
        found["forwarder 2"] = _ids(self.second)
        for name, server in (("NATS", self.platform.nats), ("PostgreSQL", self.platform.postgres)):
            process = server.server.process
            found[name] = [process.pid] if process is not None else []
        return found


@asynccontextmanager
async def stage(
    folder: Path,
    count: int,
    progress: Progress,
    *,
    log_level: str,
    picture: Mapping[str, Any] = PICTURE,
    verify_interval_s: float = VERIFY_INTERVAL_S,
    kept_s: float = 0,
    clips: int = CLIPS,
    own: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Stage]:
    """`count` cameras planned for both centres, with two forwarders. Raises what `local` raises.

    `kept_s`: seconds of media that centres keep, for those that play old pictures. `clips`: as many cameras show
    pictures of their own; the others show the same, bit for bit. `own`: further variables of the platform.
    """
    config = folder / "simulator.json"
    config.write_text(json.dumps(_devices(count, picture, kept_s, clips)), "utf-8")
    variables = {"VONGGAC_SIMULATOR_CONFIG": str(config), "VONGGAC_PROBER_VERIFY_INTERVAL_S": str(verify_interval_s)}
    variables |= {f"VONGGAC_{name.upper()}_LOG_LEVEL": log_level for name in (*SERVICES, "simulator")}
    variables |= own
    platform = Platform(
        StateFolder(folder), anywhere(), allowed=("127.0.0.0/8",), progress=progress, durable=False, variables=variables
    )
    second: Child | None = None
    try:
        await platform.start()
        second, address = await platform.start_another("forwarder")
        token = admin_token(platform.state.keys)
        codes = await _load(platform, token, count)
        reporting = ReportingApi(platform.addresses.reporting, token)
        made = Stage(platform, second, address, reporting, token, codes)
        try:
            yield made
        finally:
            await made.client.aclose()
            await reporting.close()
    finally:
        if second is not None:
            await second.stop(within_s=STOP_WITHIN_S)
        await platform.stop()


def _devices(count: int, picture: Mapping[str, Any], kept_s: float, clips: int) -> dict[str, Any]:
    logins = {one.simulator_id: {"username": one.username, "password": one.password} for one in content.destinations()}
    return {
        "cameras": [{"id": f"cam-{number:03}", "number": number % clips, **picture} for number in range(count)],
        "centres": [{"id": name, "auth": "digest", "kept_s": kept_s, **logins[name]} for name in CENTRES],
    }


async def _load(platform: Platform, token: str, count: int) -> list[str]:
    simulator = SimulatorApi(platform.addresses.simulator)
    facilities = content.facility_codes()
    approver = approver_token(platform.state.keys)
    async with InventoryApi(platform.addresses.inventory, token, approver=approver) as inventory:
        await load_base(inventory, simulator)
        await except_from_plans(inventory, facilities, "A bench forwards every camera.")
        rows = [
            {
                "code": name,
                "name": f"Camera {name}",
                "facility_code": facilities[number % len(facilities)],
                "url": url,
                "probe_interval_s": str(PROBE_INTERVAL_S),
            }
            for number, (name, url) in enumerate(sorted((await simulator.cameras()).items()))
        ]
        await inventory.import_csv("cameras", content.as_csv(rows))
    assert len(rows) == count
    return [row["code"] for row in rows]


def _ids(child: Child) -> list[int]:
    return [child.process.pid] if child.process is not None else []
