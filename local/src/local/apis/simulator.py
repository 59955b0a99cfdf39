"""The simulator's HTTP API as this package uses it: addresses of devices, and what centres receive."""

from dataclasses import dataclass

import httpx

from local.apis.inventory import Json, call

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Received:
    """What one centre has received of one stream."""

    live: bool
    packets: int
    lost: int


class SimulatorApi:
    """Every method raises RefusedError."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def cameras(self) -> dict[str, str]:
        """Camera id to RTSP address."""
        return {item["id"]: item["url"] for item in await self._items("/v1/cameras")}

    async def centres(self) -> dict[str, str]:
        """Centre id to RTSP address."""
        return {item["id"]: item["url"] for item in await self._items("/v1/centres")}

    async def received(self, centre_id: str) -> dict[str, Received]:
        """The centre's own counters, by path without the leading slash."""
        items = await self._items(f"/v1/centres/{centre_id}/streams")
        return {
            item["path"].lstrip("/"): Received(live=item["live"], packets=item["packets"], lost=item["lost"])
            for item in items
        }

    async def _items(self, path: str) -> list[Json]:
        async with httpx.AsyncClient(base_url=self._address, timeout=TIMEOUT_S, trust_env=False) as client:
            return list((await call(client, "GET", path))["items"])
