"""Reporting's result (GET /v1/compliance), compared with the expected one."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from local.apis.inventory import Json, RefusedError, call

POLL_S = 0.5
TIMEOUT_S = 10.0
PROVEN = frozenset({"verified"})
"""Delivery states in which a picture of the camera was read back from the destination, bit for bit."""
UNDER_WAY = frozenset({"unknown", "waiting_for_camera", "waiting_for_centre", "connecting", "sending"})
"""Delivery states that do not last, whatever proof is demanded."""
BOTH = frozenset({"national", "provincial"})


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected result."""

    cameras: int
    delivered_both: int
    faults: tuple[frozenset[str], ...]
    """One entry per faulty camera: the causes that are right for it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The compared figures of a compliance report."""

    cameras: int
    up: int
    compliant: int
    delivered_both: int
    faults: dict[str, int]
    """Cameras that are down, by cause."""

    def shortfall(self, expected: Expectation) -> list[str]:
        """List the differences from what is expected, in words; empty when there are none."""
        wanted = (
            ("cameras", self.cameras, expected.cameras),
            ("cameras up", self.up, expected.cameras - len(expected.faults)),
            ("cameras delivered to both", self.delivered_both, expected.delivered_both),
            ("compliant cameras", self.compliant, expected.delivered_both),
        )
        missing = [f"{what}: {found}, expected {right}" for what, found, right in wanted if found != right]
        left = sorted(Counter(self.faults).elements())
        for causes in expected.faults:
            found = next((cause for cause in left if cause in causes), None)
            if found is None:
                missing.append(f"no camera is down because of {' or '.join(sorted(causes))}")
            else:
                left.remove(found)
        return missing + [f"a camera is down because of {cause}, which is not expected" for cause in left]


def finding(document: Json) -> Finding:
    """Count the figures of a compliance document."""
    cameras: list[Json] = document["cameras"]
    down = [camera for camera in cameras if camera["state"] == "down"]
    return Finding(
        cameras=len(cameras),
        up=sum(camera["state"] == "up" for camera in cameras),
        compliant=sum(camera["compliant"] is True for camera in cameras),
        delivered_both=sum(delivered_to_both(camera) for camera in cameras),
        faults=dict(sorted(Counter(str(camera["cause"]) for camera in down).items())),
    )


def delivered_to_both(camera: Json) -> bool:
    """Whether the national and the provincial destination both play back what they get."""
    proven = {one["destination"]["role"] for one in camera["deliveries"] if one["state"] in PROVEN}
    return proven >= BOTH


def settled(document: Json, codes: set[str]) -> bool:
    """Whether each of these cameras was probed, and the deliveries of those that are up have a lasting state."""
    cameras = {camera["code"]: camera for camera in document["cameras"]}
    if not codes <= set(cameras) or any(cameras[code]["state"] == "unknown" for code in codes):
        return False
    sought = [one for code in codes if cameras[code]["state"] == "up" for one in cameras[code]["deliveries"]]
    return not any(one["enabled"] and _is_under_way(one) for one in sought)


def _is_under_way(delivery: Json) -> bool:
    unproven = delivery["state"] == "acknowledged" and delivery["required_proof"] == "verified"
    return unproven or delivery["state"] in UNDER_WAY


class ReportingApi:
    """Reporting's HTTP API as this package uses it."""

    def __init__(self, address: str, token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S, trust_env=False
        )

    async def compliance(self, *, since: datetime | None = None) -> Json:
        """Read the compliance report from `since` (aware) until now, by default of 24 hours. Raises RefusedError."""
        period = {} if since is None else {"from": since.isoformat()}
        return await call(self._client, "GET", "/v1/compliance", params=period)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def wait_for(
    reporting: ReportingApi, good: Callable[[Json], bool], *, within_s: float
) -> tuple[Json | None, bool, str]:
    """Read reports until one is good or the time is over: (last report, whether it is good, last refusal).

    A service that starts may refuse for a while; the reading goes on.
    """
    deadline = time.monotonic() + within_s
    document: Json | None = None
    refusal = ""
    while True:
        try:
            document, refusal = await reporting.compliance(), ""
            if good(document):
                return document, True, ""
        except RefusedError as error:
            refusal = str(error)
        if time.monotonic() > deadline:
            return document, False, refusal
        await asyncio.sleep(POLL_S)
