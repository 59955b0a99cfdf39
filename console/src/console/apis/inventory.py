"""What pages read of the register: whom to call at a facility, and what the facility is."""

import asyncio
from collections.abc import Iterable
from typing import Any

from console.apis.caller import Answer, Caller, Found

CALLS_AT_ONCE = 8
NOTES = 5
"""Of the journal, on the page of what they are about."""
NOTES_SEARCHED = 200


class Inventory:
    """Questions of pages to inventory."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def list_focal_points(self, token: str, facility_id: str) -> Answer:
        """Who answers for a facility; phones as far as the person may see them."""
        return await self.caller.get(token, "/v1/focal-points", {"facility_id": facility_id, "limit": 20})

    async def read_facility(self, token: str, facility_id: str) -> Answer:
        return await self.caller.get(token, f"/v1/facilities/{facility_id}")

    async def list_journal(self, token: str, noun: str, thing_id: str) -> Answer:
        """List the newest notes about one thing."""
        query: dict[str, str | int] = {"about_noun": noun, "about_id": thing_id, "sort": "-changed_at", "limit": NOTES}
        return await self.caller.get(token, "/v1/journal-entries", query)

    async def list_notes_on_things(
        self, token: str, nouns: Iterable[str], thing_ids: Iterable[str]
    ) -> list[dict[str, Any]]:
        """List the newest notes about some things, of the last 200 about each noun; none while the register is away."""
        queries: list[dict[str, str | int]] = [
            {"about_noun": noun, "sort": "-changed_at", "limit": NOTES_SEARCHED} for noun in nouns
        ]
        answers = await asyncio.gather(*(self.caller.get(token, "/v1/journal-entries", query) for query in queries))
        wanted = {*thing_ids}
        found = [each for answer in answers if isinstance(answer, Found) for each in answer.body["items"]]
        newest = sorted(found, key=lambda each: str(each["changed_at"]), reverse=True)
        return [each for each in newest if each["about_id"] in wanted][:NOTES]

    async def find_responsible(self, token: str) -> dict[str, str] | None:
        """Who answers for each centre that pulls, by its id; None where the register does not say."""
        answer = await self.caller.get(token, "/v1/destinations", {"limit": 200})
        if not isinstance(answer, Found):
            return None
        return {
            each["id"]: each["serving"]["responsible"]
            for each in answer.body["items"]
            if each.get("serving") and each["serving"].get("responsible")
        }

    async def count_waiting_requests(self, token: str) -> int | None:
        """Count requests that wait for a decision, of those that the person sees; None where the register is silent."""
        query: dict[str, str | int] = {"status": "waiting", "limit": 1, "total": "true"}
        answer = await self.caller.get(token, "/v1/decision-requests", query)
        return answer.body["total"] if isinstance(answer, Found) else None

    async def find_people(self, token: str, facility_ids: Iterable[str]) -> dict[str, list[dict[str, Any]] | None]:
        """Focal points of some facilities, those in office first; None where the register does not say."""
        ids = list(facility_ids)[:CALLS_AT_ONCE]
        answers = await asyncio.gather(*(self.list_focal_points(token, each) for each in ids))
        return {
            each: answer.body["items"] if isinstance(answer, Found) else None
            for each, answer in zip(ids, answers, strict=True)
        }
