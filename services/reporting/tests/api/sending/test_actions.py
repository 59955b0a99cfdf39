"""/v1/actions: who urged, answered and set up, as each table notes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from services.reporting.tests.api.sending.test_urging import PAPER, channel, lead, outage, sealed

from vonggac.auth import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from vonggac.bus import Bus

__all__ = ["lead", "sealed"]


async def test_who_urged_answered_and_set_up_is_listed_for_who_reads_the_log(
    lead: Client, bus: Bus, province: Province, token_for: Callable[..., str]
) -> None:
    await outage(lead, bus, province)
    await lead.post("/v1/urging/channels", json=channel(province, enabled=False))
    body = {"agency_id": str(province.agency), "level": 2, "reason": "Mất lâu"}
    urged = await lead.post("/v1/urges", json=body)
    answer = {"text": "Đã cử người sửa", **PAPER}
    assert (await lead.post(f"{urged.headers['location']}/answers", json=answer)).status_code == 201

    async def listed(client_headers: dict[str, str] | None = None, **query: Any) -> list[dict[str, Any]]:
        found = await lead.get("/v1/actions", params=query, headers=client_headers)
        assert found.status_code == 200, found.text
        return list(found.json()["items"])

    acts = await listed()
    assert [(one["action"], one["noun"]) for one in acts[:3]] == [
        ("answered", "answer"),
        ("urged", "urge"),
        ("created", "channel"),
    ]
    assert (acts[1]["by"], acts[1]["reason"]) == ("test-province_lead", "Mất lâu")
    assert [one["id"] for one in await listed(q="da cu nguoi")] == [acts[0]["id"]]
    assert [one["id"] for one in await listed(since=acts[1]["at"])] == [acts[0]["id"], acts[1]["id"]]
    assert (await lead.get("/v1/actions", params={"limit": 1, "total": True})).json()["total"] == len(acts)

    def as_caller(role: Role, *scope: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token_for(role, *scope)}"}

    theirs = await listed(as_caller(Role.PROVINCE_LEAD, f"agency:{province.agency}"))
    assert [one["action"] for one in theirs] == ["answered", "urged"]
    assert await listed(as_caller(Role.PROVINCE_LEAD, f"agency:{uuid4()}")) == []
    assert (await lead.get("/v1/actions", headers=as_caller(Role.OPERATOR))).status_code == 403
