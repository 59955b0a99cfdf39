"""The day that tests freeze, and how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
