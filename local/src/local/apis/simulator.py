"""The simulator's HTTP API as this package uses it: addresses of devices, and what centres receive."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
        """Read the centre's own counters, by path without the leading slash."""
        items = await self._items(f"/v1/centres/{centre_id}/streams")
        return {
            item["path"].lstrip("/"): Received(live=item["live"], packets=item["packets"], lost=item["lost"])
            for item in items
        }

    async def pulls_as(self, centre_id: str, account: str) -> bool:
        """Whether the centre pulls with this account, and nothing refuses its password."""
        pulling = await self._call("GET", f"/v1/centres/{centre_id}/pulling")
        refused = any(item["cause"] == "auth_failed" for item in pulling["items"])
        return bool(pulling["username"] == account and not refused)

    async def pulled(self, centre_id: str) -> set[str]:
        """List the paths that the centre pulls by a session that plays."""
        pulling = await self._call("GET", f"/v1/centres/{centre_id}/pulling")
        return {str(item["path"]) for item in pulling["items"] if item["state"] == "playing"}

    async def set_login(self, centre_id: str, username: str, password: str) -> None:
        """Have the centre pull with this login."""
        body = {"username": username, "password": password}
        await self._call("PUT", f"/v1/centres/{centre_id}/pulling/login", json=body)

    async def set_addresses(self, centre_id: str, addresses: Mapping[str, str]) -> None:
        """Have the centre pull these addresses and no others, each by the path that it has there."""
        await self._call("PUT", f"/v1/centres/{centre_id}/pulling/addresses", json={"addresses": dict(addresses)})

    async def _items(self, path: str) -> list[Json]:
        return list((await self._call("GET", path))["items"])

    async def _call(self, method: str, path: str, **options: Any) -> Json:
        async with httpx.AsyncClient(base_url=self._address, timeout=TIMEOUT_S, trust_env=False) as client:
            return await call(client, method, path, **options)
