"""A day that no zone can hold is refused by its field, like any other wrong day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.conftest import Letter

DAYS = ("0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31")


@pytest.mark.parametrize("day", DAYS)
async def test_a_deadline_in_an_impossible_year_is_refused_by_name(letter: Letter, day: str) -> None:
    duty = await letter.obligation()
    body = {"code": "YC", "name": "n", "facility_id": duty["id"], "questions": [{"key": "a", "text": "b"}]}
    answers = [
        await letter.client.post("/v1/information-requests", json=body | {"due_before": day}),
        await letter.do(f"/v1/obligations/{duty['id']}/deadlines", {"due_before": day, "reason": "x"}),
        await letter.client.post("/v1/obligations", json={"due_before": day}),
    ]
    for answer in answers:
        assert answer.status_code == 422, answer.text
        assert any("due_before" in error["field"] for error in answer.json()["errors"])
