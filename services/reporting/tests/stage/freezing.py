"""The day that tests freeze, and how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from httpx import Response
    from services.reporting.tests.conftest import Client

DAY = datetime(2026, 11, 20, 17, tzinfo=UTC)
"""A local midnight."""
NEXT = DAY + timedelta(days=1)
BODY = {"from": DAY.isoformat(), "to": NEXT.isoformat()}


async def frozen(client: Client, **more: Any) -> dict[str, Any]:
    answer = await client.post("/v1/reports", json={**BODY, **more})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/reports/{body['id']}?version=1"
    return body


async def once_more(client: Client, report_id: str, reason: str, *, version: int = 1) -> Response:
    """Ask for a further version by who has read that one."""
    path = f"/v1/reports/{report_id}/versions"
    return await client.post(path, params={"version": version}, json={"reason": reason})


async def approve(client: Client, report_id: str, *, version: int = 1, **given: Any) -> Response:
    """Approve the version; `headers`: of another person, for who wrote does not approve."""
    return await client.post(f"/v1/reports/{report_id}/approve", params={"version": version}, **given)
