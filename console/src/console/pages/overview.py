"""`/`: who receives, who does not, since when, and whom to call; `/wall` is the same for five metres."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.acts.permitted import may_act
from console.apis.caller import Answer
from console.drawing import tile_grid
from console.pages.parts import (
    SCOPE,
    body_of,
    filters_of,
    inventory_of,
    page,
    reporting_of,
)
from console.pages.summary import WORDS, Summary, count_categories, summarise, tiles_of, to_call
from console.sign_in.required import SignedIn, SignedInOrScreen
from console.words.dates import LOCAL

router = APIRouter()

CALLS, CALLS_ON_WALL = 6, 9


@dataclass(frozen=True, slots=True)
class Call:
    """One facility to call, for how long it has lacked, and whom."""

    facility: Summary
    length: timedelta | None
    people: list[dict[str, Any]] | None
    """None: the register does not say, or was not asked: the wall names nobody."""


@router.get("/")
async def show_overview(request: Request, visitor: SignedIn) -> Response:
    decides = may_act(visitor.caller, "decide_request")
    return await _show(request, visitor.token, "pages/overview.html", CALLS, decides=decides, names_people=True)


@router.get("/wall")
async def show_wall(request: Request, visitor: SignedInOrScreen) -> Response:
    return await _show(request, visitor.token, "pages/wall.html", CALLS_ON_WALL)


async def _show(
    request: Request, token: str, template: str, calls: int, *, decides: bool = False, names_people: bool = False
) -> Response:
    reporting = reporting_of(request)
    scope = filters_of(request, SCOPE)
    present, freshness, obligations, waiting = await asyncio.gather(
        reporting.read_present(token, scope),
        reporting.read_freshness(token),
        reporting.find_next_duty(token),
        _count_waiting(request, token, decides=decides),
    )
    body = body_of(present)
    now = datetime.fromtimestamp(request.app.state.unix_s(), LOCAL)
    values: dict[str, Any] = {
        "waiting": waiting,
        "present": body,
        "filters": scope,
        "deadline": _deadline(obligations, now),
        "category_words": WORDS,
    }
    if body is not None:
        facilities = [summarise(row) for row in body["by_facility"]]
        urgent = to_call(facilities)
        placed = tile_grid.place(tiles_of(body["by_unit"], facilities))
        values |= {
            "facilities": count_categories(facilities),
            "facility_count": len(facilities),
            "connections": connections_of(body["cameras"]),
            "urgent": len(urgent),
            "calls": await _calls(request, token, urgent[:calls], now, names_people=names_people),
            "tiles": placed,
            "tiles_height": tile_grid.height_of(placed),
        }
    return page(request, template, answers=[present], freshness=freshness, **values)


async def _count_waiting(request: Request, token: str, *, decides: bool) -> int | None:
    return await inventory_of(request).count_waiting_requests(token) if decides else None


async def _calls(
    request: Request, token: str, urgent: list[Summary], now: datetime, *, names_people: bool
) -> list[Call]:
    people: dict[str, list[dict[str, Any]] | None] = {}
    if names_people:
        people = await inventory_of(request).find_people(token, [each.row["id"] for each in urgent])
    return [Call(each, _length_of(each.row, now), people.get(each.row["id"])) for each in urgent]


def _length_of(row: Mapping[str, Any], now: datetime) -> timedelta | None:
    """For how long the centre has lacked that lacks longest; None where that is not known."""
    return None if row["lacking_since"] is None else now - datetime.fromisoformat(row["lacking_since"])


def connections_of(cameras: Mapping[str, int]) -> dict[str, int]:
    """Count the cameras by who receives them, under the words of the filter `connected`; no camera counts twice."""
    return {
        "both": cameras["both"],
        "national_only": cameras["national_only"],
        "provincial_only": cameras["provincial_only"],
        "neither": cameras["neither"],
        "unknown": cameras["connection_unknown"],
        "out_of_scope": cameras["out_of_scope"],
    }


@dataclass(frozen=True, slots=True)
class Deadline:
    """The next duty that is not done: before when, and how long that is from now."""

    name: str
    before: datetime
    left: timedelta

    @property
    def is_over(self) -> bool:
        return self.left <= timedelta(0)


def _deadline(answer: Answer, now: datetime) -> Deadline | None:
    """Read the deadline of the next duty, None without one."""
    body = body_of(answer)
    duty = next((each for each in (body or {"items": []})["items"] if each["due_before"] is not None), None)
    if duty is None:
        return None
    before = datetime.fromisoformat(duty["due_before"])
    return Deadline(duty["name"], before, before - now)
