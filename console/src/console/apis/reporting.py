"""What pages are made of: reporting's account of the present, its strips, and how fresh all that is."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

import httpx

from console.apis.caller import Answer, Caller, Found

PAGE = 50
"""Rows of one page."""
NEXT_DUTIES = (("due_soon", "due_before"), ("open", "due_before"), ("overdue", "-due_before"))
"""States of duties that are not done, those of the nearest deadline first."""


class Reporting:
    """Questions of pages to reporting."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def read_present(self, token: str, filters: Mapping[str, str] | None = None) -> Answer:
        """Every count of the present."""
        return await self.caller.get(token, "/v1/present", filters)

    async def list_cameras(self, token: str, filters: Mapping[str, str | list[str]], *, limit: int = PAGE) -> Answer:
        """Cameras with both their deliveries, and how many fit in all."""
        return await self.caller.get(token, "/v1/present/cameras", {**filters, "limit": limit, "total": "true"})

    async def read_freshness(self, token: str) -> Answer:
        """Ages of what reporting knows."""
        return await self.caller.get(token, "/v1/freshness")

    async def read_strips(self, token: str, facility: str) -> Answer:
        """Read the last 24 hours of a facility's cameras and deliveries."""
        return await self.caller.get(token, f"/v1/facilities/{facility}/strips")

    async def find_next_duty(self, token: str) -> Answer:
        """Find the duty that is due next, as one row; where none is to come, the one that passed last."""
        answer: Answer = Found({"items": []})
        for state, sort in NEXT_DUTIES:
            query: dict[str, str | int] = {"state": state, "sort": sort, "limit": 1, "max_age_s": 60}
            answer = await self.caller.get(token, "/v1/obligations", query)
            if not isinstance(answer, Found) or any(each["due_before"] for each in answer.body["items"]):
                break
        return answer

    def listen(
        self, token: str, filters: Mapping[str, str], version: str | None
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """Open the stream of what changes from `version` on."""
        return self.caller.stream(token, "/v1/present/events", filters, version)
