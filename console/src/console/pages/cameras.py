"""`/cameras`, `/cameras/{camera}` and `/deliveries`: the rows behind every number of cameras and deliveries."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.apis.caller import Answer, Found
from console.drawing.page import language_of
from console.drawing.pictures import may_view, tiles_of
from console.pages.facilities import draw_strips, is_without_strips
from console.pages.overview import connections_of
from console.pages.parts import FILTERS, SCOPE, body_of, filters_of, inventory_of, page, reporting_of
from console.sign_in.required import SignedIn
from console.words import catalogue
from console.words.states import COMPLIANCE, CONNECTIONS, STATES

router = APIRouter()

FOUND_BY_CODE = 100
EVERY_DELIVERY = "all"
"""Of the address of `/deliveries`: whatever the state of the delivery."""
CHOICES = {"state": STATES, "connected": CONNECTIONS, "compliant": COMPLIANCE}


@router.get("/cameras")
async def list_cameras(request: Request, visitor: SignedIn) -> Response:
    """Cameras by any filter of the address, the newest trouble first unless sorted otherwise."""
    reporting = reporting_of(request)
    filters = filters_of(request)
    rows, present, freshness = await asyncio.gather(
        reporting.list_cameras(visitor.token, filters),
        reporting.read_present(visitor.token, {name: filters[name] for name in SCOPE if name in filters}),
        reporting.read_freshness(visitor.token),
    )
    body = body_of(present)
    return page(
        request,
        "pages/cameras.html",
        answers=[rows, present],
        freshness=freshness,
        filters=filters,
        filter_names=FILTERS,
        choices=CHOICES,
        rows=body_of(rows),
        present=body,
        connections=connections_of(body["cameras"]) if body is not None else None,
    )


@router.get("/cameras/{camera}")
async def show_camera(request: Request, camera: str, visitor: SignedIn) -> Response:
    """One camera by its code: what is wrong, what to do, both deliveries with their evidence, and 24 hours."""
    reporting, token = reporting_of(request), visitor.token
    rows, freshness = await asyncio.gather(
        reporting.list_cameras(token, {"q": camera}, limit=FOUND_BY_CODE), reporting.read_freshness(token)
    )
    row = find_row(rows, camera)
    answers: list[Answer] = [rows]
    values: dict[str, Any] = {"camera": camera, "row": row, "people": None, "strips": [], "window": None}
    values |= {"without_strips": False, "journal": None, "responsible": {}}
    if row is not None:
        inventory = inventory_of(request)
        strips, people, journal, responsible = await asyncio.gather(
            reporting.read_strips(token, row["facility_id"]),
            inventory.list_focal_points(token, row["facility_id"]),
            inventory.list_journal(token, "camera", row["camera_id"]),
            inventory.find_responsible(token),
        )
        values["journal"] = (body_of(journal) or {"items": None})["items"]
        values["responsible"] = responsible or {}
        answers += [people] if is_without_strips(strips) else [strips, people]
        values["without_strips"] = is_without_strips(strips)
        values["people"] = (body_of(people) or {"items": None})["items"]
        if isinstance(strips, Found):
            language = language_of(request)
            drawn = draw_strips(strips.body, language, catalogue.translations(language))
            values |= {
                "strips": drawn.get(row["camera_id"], []),
                "window": (strips.body["start"], strips.body["end"]),
            }
    values["may_view"] = may_view(visitor.caller)
    values["tiles"] = tiles_of(row) if row is not None else []
    missing = isinstance(rows, Found) and row is None
    status = 404 if missing else 200
    return page(request, "pages/camera.html", answers=answers, freshness=freshness, status=status, **values)


@router.get("/deliveries")
async def list_deliveries(request: Request, visitor: SignedIn) -> Response:
    """Each centre with how many cameras it receives; the rows of one number beside it."""
    reporting = reporting_of(request)
    filters = filters_of(request, (*SCOPE, "destination", "delivery", "cursor", "q"))
    scope = {name: filters[name] for name in SCOPE if name in filters}
    inventory = inventory_of(request)
    present, freshness, responsible = await asyncio.gather(
        reporting.read_present(visitor.token, scope),
        reporting.read_freshness(visitor.token),
        inventory.find_responsible(visitor.token),
    )
    answers = [present]
    if "destination" in filters:
        asked = {"delivery": "not_connected", **filters}
        if asked["delivery"] == EVERY_DELIVERY:
            del asked["delivery"]
        answers.append(await reporting.list_cameras(visitor.token, asked))
    body = body_of(present)
    centres = [each for each in (body or {"by_destination": []})["by_destination"] if each["id"] in (responsible or {})]
    journals = await asyncio.gather(
        *(inventory.list_journal(visitor.token, "destination", each["id"]) for each in centres)
    )
    return page(
        request,
        "pages/deliveries.html",
        answers=answers,
        freshness=freshness,
        filters=filters,
        scope=scope,
        present=body,
        rows=body_of(answers[1]) if len(answers) > 1 else None,
        centres=[
            (each, (responsible or {})[each["id"]], (body_of(journal) or {"items": None})["items"])
            for each, journal in zip(centres, journals, strict=True)
        ],
    )


def find_row(answer: Answer, camera: str) -> dict[str, Any] | None:
    """Find the row of this code or id: a search finds longer codes too."""
    for row in (body_of(answer) or {"items": []})["items"]:
        if camera in (row["camera_code"], row["camera_id"]):
            found: dict[str, Any] = row
            return found
    return None
