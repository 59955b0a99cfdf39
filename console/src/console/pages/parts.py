"""What all pages have in common: their services, their filters, and the parts that a service did not answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from console.apis.caller import Answer, Away, Found, Loading, Refused
from console.apis.inventory import Inventory
from console.apis.reporting import Reporting
from console.drawing.page import render
from console.live.ages import age_of_account, ages_of
from console.words.dates import LOCAL

FILTERS = (
    "q", "state", "confirmed", "cause", "connected", "compliant", "since", "until", "unit", "agency", "type",
    "facility", "destination", "delivery", "sort", "cursor",
)  # fmt: skip
"""Of the address of a list, as reporting has them."""
SCOPE = ("unit", "agency", "type", "facility")
"""Those of every count."""
LONGEST_FILTER = 200


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part that is missing: `service` is away since a time, or has refused with a sentence, or is loading."""

    service: str
    since: datetime | None
    detail: str
    detail_vi: str
    is_loading: bool = False


def trouble_of(answers: Iterable[Answer]) -> list[Trouble]:
    """One for each service that did not answer, and one for each refusal."""
    found: dict[tuple[str, str], Trouble] = {}
    for answer in answers:
        if isinstance(answer, Away):
            since = datetime.fromtimestamp(answer.since_s, LOCAL)
            found.setdefault((answer.service, ""), Trouble(answer.service, since, "", ""))
        elif isinstance(answer, Loading):
            found.setdefault((answer.service, "loading"), Trouble(answer.service, None, "", "", is_loading=True))
        elif isinstance(answer, Refused):
            trouble = Trouble(answer.service, None, answer.detail, answer.detail_vi)
            found.setdefault((answer.service, answer.detail), trouble)
    return list(found.values())


def body_of(answer: Answer) -> dict[str, Any] | None:
    """Return the document, None where there is none."""
    return answer.body if isinstance(answer, Found) else None


def reporting_of(request: Request) -> Reporting:
    found: Reporting = request.app.state.reporting
    return found


def inventory_of(request: Request) -> Inventory:
    found: Inventory = request.app.state.inventory
    return found


class Filters(dict[str, str]):
    """What an address narrows a page to; a filter that is not set is empty."""

    def __missing__(self, name: str) -> str:
        return ""


def filters_of(request: Request, names: Iterable[str] = FILTERS) -> Filters:
    """Read the filters of the address; anything else in it is passed over."""
    given = request.query_params
    return Filters({name: value[:LONGEST_FILTER] for name in names if (value := given.get(name, "").strip())})


def page(
    request: Request,
    template: str,
    *,
    answers: Iterable[Answer],
    freshness: Answer,
    status: int = 200,
    **values: object,
) -> Response:
    """Render a page with its parts, its ages and what is missing."""
    given = [*answers]
    ages = ages_of(freshness)
    if ages.reporting is None:
        ages = ages._replace(reporting=age_of_account(given, request.app.state.unix_s()))
    missing = not any(isinstance(each, Found) for each in given)
    # Ages that nobody gives are shown as not known: no part of the page is missing for it.
    every = given if isinstance(freshness, Refused) else [*given, freshness]
    return render(
        request,
        template,
        status=503 if missing and status == 200 else status,
        ages=ages,
        trouble=trouble_of(every),
        **values,
    )
