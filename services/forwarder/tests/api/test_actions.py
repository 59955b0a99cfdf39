"""/v1/actions: who stopped a delivery and why, and who started it again, also after that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from vonggac.auth import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from vonggac.events.inventory import CameraV1

    type Token = Callable[..., str]


async def list_actions(client: httpx.AsyncClient, token: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/actions", params=query, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_stop_stays_on_record_after_the_start_that_ends_it(
    client: httpx.AsyncClient, operator: dict[str, str], camera: CameraV1, token_for: Token
) -> None:
    path, lead = f"/v1/deliveries/{camera.deliveries[0].id}", token_for(Role.PROVINCE_LEAD)
    assert (await client.post(f"{path}/stop", json={"reason": "thay máy ghi"}, headers=operator)).status_code == 200
    assert (await client.post(f"{path}/start", headers=operator)).status_code == 200
    started, stopped = await list_actions(client, lead)
    assert (stopped["action"], stopped["by"], stopped["reason"]) == ("stopped", "test-operator", "thay máy ghi")
    assert (started["action"], started["by"]) == ("started", "test-operator")
    assert stopped["thing_id"] == started["thing_id"] == str(camera.deliveries[0].id)
    assert stopped["camera_ids"] == [str(camera.id)]
    assert [one["id"] for one in await list_actions(client, lead, q="thay may")] == [stopped["id"]]
    assert [one["id"] for one in await list_actions(client, lead, since=started["at"])] == [started["id"]]
    # A delivery that was started may be stopped, and started, again.
    assert (await client.post(f"{path}/start", headers=operator)).status_code == 409


async def test_acts_are_for_who_reads_the_log_and_sees_the_camera(
    client: httpx.AsyncClient, operator: dict[str, str], camera: CameraV1, token_for: Token
) -> None:
    path = f"/v1/deliveries/{camera.deliveries[0].id}"
    assert (await client.post(f"{path}/stop", json={"reason": "thay máy ghi"}, headers=operator)).status_code == 200
    assert (await client.get("/v1/actions", headers=operator)).status_code == 403
    assert await list_actions(client, token_for(Role.PROVINCE_LEAD, f"facility:{uuid4()}")) == []
