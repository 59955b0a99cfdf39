"""/v1/actions: who viewed and probed what, by the record of demands."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest_asyncio

from prober.messaging import Demands
from vonggac.auth import Role
from vonggac.bus import Bus
from vonggac.events.prober import DemandKind, DemandV1

type Client = httpx.AsyncClient


def demand(bus: Bus, kind: DemandKind, ago_s: float, **given: Any) -> DemandV1:
    known: dict[str, Any] = {"targets": (), "roles": ("viewer",), "caller": "truc-ban", "endpoints": 1}
    at = bus.clock.now() - timedelta(seconds=ago_s)
    return DemandV1(id=uuid4(), kind=kind, demanded_at=at, worker_id="prober-1", **known | given)


@pytest_asyncio.fixture
async def cameras(bus: Bus, prober_bus: Bus, client: Client) -> list[UUID]:
    """Two cameras: one was viewed alone, both in one stream. An address was probed, and one view refused."""
    first, second = uuid4(), uuid4()
    for one in (
        demand(bus, DemandKind.PROBE, 40, targets=("10.1.2.3:554",), caller="tho-lap-dat"),
        demand(bus, DemandKind.VIEW, 30, camera_id=first, targets=(f"camera {first}, delivery {uuid4()}",)),
        demand(bus, DemandKind.VIEW, 20, targets=(f"camera {first}", f"camera {second}")),
        demand(bus, DemandKind.VIEW, 10, camera_id=second, targets=(f"camera {second}",), refused="caller"),
    ):
        await Demands(prober_bus).record(one)
    return [first, second]


async def list_actions(client: Client, token: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/actions", params=query, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_views_name_their_cameras_and_probes_their_address(
    client: Client, cameras: list[UUID], token_for: Callable[..., str]
) -> None:
    first, second = map(str, cameras)
    refused, stream, view, probe = await list_actions(client, token_for(Role.PROVINCE_LEAD))
    assert (refused["camera_ids"], refused["state"]) == ([second], "refused")
    assert (stream["action"], stream["camera_ids"], stream["state"]) == ("view", [first, second], None)
    assert (view["camera_ids"], view["by"]) == ([first], "truc-ban")
    assert (probe["action"], probe["noun"], probe["name"]) == ("probe", "address", "10.1.2.3:554")


async def test_acts_are_narrowed_by_words_and_time(
    client: Client, cameras: list[UUID], token_for: Callable[..., str]
) -> None:
    lead = token_for(Role.PROVINCE_LEAD)
    [probe] = await list_actions(client, lead, q="tho lap")
    assert probe["by"] == "tho-lap-dat"
    assert len(await list_actions(client, lead, until=probe["at"])) == 0
    assert len(await list_actions(client, lead, since=probe["at"], limit=2)) == 2


async def test_a_scope_sees_no_address_and_no_camera_of_others(
    client: Client, cameras: list[UUID], token_for: Callable[..., str]
) -> None:
    assert await list_actions(client, token_for(Role.AUTHORITY, f"facility:{uuid4()}")) == []
    assert (
        await client.get("/v1/actions", headers={"Authorization": f"Bearer {token_for(Role.OPERATOR)}"})
    ).status_code == 403
