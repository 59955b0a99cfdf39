"""`/facilities` and `/facilities/{facility}`: where a number's rows are, and one site with its strips and people."""

import asyncio
import unicodedata
from datetime import datetime
from gettext import NullTranslations
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.apis.caller import Answer, Found, Refused
from console.drawing.page import language_of
from console.drawing.strips import Part, strip
from console.pages.overview import connections_of
from console.pages.parts import SCOPE, body_of, filters_of, inventory_of, page, reporting_of
from console.pages.summary import CATEGORIES, TO_CALL, WORDS, Summary, count_categories, summarise, to_call
from console.sign_in.required import SignedIn
from console.words import catalogue
from console.words.dates import LOCAL, write_time
from console.words.states import DELIVERIES, STATES, name_cause, name_in

router = APIRouter()

ROWS = 50
CAMERAS_OF_A_FACILITY = 200


@router.get("/facilities")
async def list_facilities(request: Request, visitor: SignedIn) -> Response:
    """Facilities by category, unit, agency, type and name; the rows of each number of the overview."""
    reporting = reporting_of(request)
    filters = filters_of(request, (*SCOPE, "category", "q", "page"))
    scope = {name: filters[name] for name in SCOPE if name in filters}
    present, freshness = await asyncio.gather(
        reporting.read_present(visitor.token, scope), reporting.read_freshness(visitor.token)
    )
    body = body_of(present)
    values: dict[str, Any] = {
        "filters": filters,
        "categories": (*CATEGORIES, TO_CALL),
        "category_words": WORDS,
        "rows": None,
    }
    if body is not None:
        every = [summarise(row) for row in body["by_facility"]]
        rows = sorted(_chosen(every, filters), key=lambda each: each.rank)
        number = _page_number(filters.get("page"), len(rows))
        values |= {
            "present": body,
            "counts": count_categories(every) | {TO_CALL: len(to_call(every))},
            "total": len(rows),
            "page_number": number,
            "pages": max(1, -(-len(rows) // ROWS)),
            "rows": rows[(number - 1) * ROWS : number * ROWS],
        }
    return page(request, "pages/facilities.html", answers=[present], freshness=freshness, **values)


@router.get("/facilities/{facility}")
async def show_facility(request: Request, facility: str, visitor: SignedIn) -> Response:
    """One facility: its cameras with both deliveries, strips of 24 hours, and whom to call."""
    reporting, inventory, token = reporting_of(request), inventory_of(request), visitor.token
    rows, strips, present, freshness = await asyncio.gather(
        reporting.list_cameras(token, {"facility": facility, "sort": "camera_code"}, limit=CAMERAS_OF_A_FACILITY),
        reporting.read_strips(token, facility),
        reporting.read_present(token, {"facility": facility}),
        reporting.read_freshness(token),
    )
    status = 404 if isinstance(present, Refused) and present.status == 404 else 200
    body = body_of(present)
    known = body["by_facility"][0] if body is not None and body["by_facility"] else None
    values: dict[str, Any] = {
        "facility": facility,
        "category_words": WORDS,
        "known": known,
        "summary": summarise(known) if known is not None else None,
        "connections": connections_of(body["cameras"]) if body is not None else None,
        "people": [],
        "record": None,
        "people_known": False,
        "journal": None,
        "notes_on_devices": [],
        "responsible": {},
    }
    answers = [rows, present, *([] if is_without_strips(strips) else [strips])]
    if known is not None:
        cameras = (body_of(rows) or {"items": []})["items"]
        people, record, journal, notes_on_devices, responsible = await asyncio.gather(
            inventory.list_focal_points(token, known["id"]),
            inventory.read_facility(token, known["id"]),
            inventory.list_journal(token, "facility", known["id"]),
            inventory.list_notes_on_things(token, ("camera", "delivery"), _ids_of_devices(cameras)),
            inventory.find_responsible(token),
        )
        answers += [people, record]
        found = body_of(people)
        values |= {
            "people": found["items"] if found else [],
            "people_known": found is not None,
            "record": body_of(record),
            "journal": (body_of(journal) or {"items": None})["items"],
            "notes_on_devices": notes_on_devices,
            "responsible": responsible or {},
        }
    words = catalogue.translations(language_of(request))
    values |= {
        "rows": body_of(rows),
        "strips": draw_strips(strips.body, language_of(request), words) if isinstance(strips, Found) else None,
        "without_strips": is_without_strips(strips),
        "window": (strips.body["start"], strips.body["end"]) if isinstance(strips, Found) else None,
    }
    return page(request, "pages/facility.html", answers=answers, freshness=freshness, status=status, **values)


def _ids_of_devices(cameras: list[dict[str, Any]]) -> list[str]:
    """Of the cameras, and of their deliveries to both centres."""
    deliveries = [each[role]["delivery_id"] for each in cameras for role in ("national", "provincial")]
    return [*(each["camera_id"] for each in cameras), *filter(None, deliveries)]


def is_without_strips(answer: Answer) -> bool:
    """Whether this reporting gives none: an older one, or nothing to draw. No part of the page is missing for it."""
    return isinstance(answer, Refused) and answer.status == 404


def draw_strips(body: dict[str, Any], language: str, words: NullTranslations) -> dict[str, list[dict[str, Any]]]:
    """By camera id: a strip of the camera and one of each delivery, each with its table's rows."""
    start, end = datetime.fromisoformat(body["start"]), datetime.fromisoformat(body["end"])

    def drawn(segments: list[dict[str, Any]], role: str | None, label: str) -> dict[str, Any]:
        table = DELIVERIES if role else STATES
        parts = [
            Part(
                begin := datetime.fromisoformat(each["start"]),
                stop := datetime.fromisoformat(each["end"]),
                each["state"],
                " · ".join(
                    text
                    for text in (
                        name_in(table, each["state"], words),
                        name_cause(each["cause"], language, words),
                        f"{begin.astimezone(LOCAL):%H:%M} - {stop.astimezone(LOCAL):%H:%M}",
                    )
                    if text
                ),
            )
            for each in segments
        ]
        rows = [(write_time(part.start), write_time(part.end), part.words) for part in parts]
        return {"role": role, "picture": strip(parts, start, end, label), "rows": rows}

    return {
        camera["camera_id"]: [
            drawn(camera["segments"], None, camera["camera_code"]),
            *(
                drawn(each["segments"], each["role"], f"{camera['camera_code']} {each['destination_code'] or ''}")
                for each in camera["deliveries"]
            ),
        ]
        for camera in body["cameras"]
    }


def _chosen(rows: list[Summary], filters: dict[str, str]) -> list[Summary]:
    wanted = fold(filters.get("q", "")).split()
    category = filters.get("category")
    return [
        each
        for each in rows
        if (category is None or each.category == category or (category == TO_CALL and each in to_call([each])))
        and all(word in fold(f"{each.row['code']} {each.row['name']}") for word in wanted)
    ]


def _page_number(given: str | None, count: int) -> int:
    last = max(1, -(-count // ROWS))
    return min(max(int(given), 1), last) if given is not None and given.isascii() and given.isdecimal() else 1


def fold(text: str) -> str:
    """Without accents and in small letters, for a search by names."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(each for each in plain if not unicodedata.combining(each))
