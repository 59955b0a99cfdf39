"""GET /v1/present: how many cameras stand how now, in total and in groups."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Response
from pydantic_core import to_json

from reporting.api.parameters import Context, Filters, InContext
from reporting.api.present import shapes
from reporting.domain.instants import Millis
from reporting.reports.present.counts import Present, Tally
from reporting.storage.snapshot import snapshot
from vonggac.auth import guarded_router
from vonggac.http import ProblemError
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1", tags=["present"])

LOADING = problems({503: "The present is not accounted yet."})


def tally_of(shared: Context) -> tuple[Tally, Millis]:
    """Return the sums, and the moment of which they are. Raises ProblemError 503 before the first whole account."""
    tally = shared.present
    if tally is None or tally.board.as_of is None:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "present_loading",
            "the present is not accounted yet: ask again in some seconds",
            headers={"Retry-After": "2"},
        )
    return tally, tally.board.as_of


@router.get(
    "/present",
    summary="How all stands now",
    description="Every camera that is on record now, counted by state, cause, connection and verdict, in total and by "
    "unit, agency, type, facility and destination. From memory, by the rule of every report; at most some seconds "
    "old: `as_of`. Each number is a list of GET /v1/present/cameras.",
    response_model=shapes.PresentResponse,
    responses=LOADING,
)
async def read_present(shared: InContext, filters: Annotated[Filters, Depends()]) -> Response:
    _, as_of = tally_of(shared)
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, as_of)).scope
    tally, as_of = tally_of(shared)
    head = to_json(
        {"as_of": shapes.to_local_or_none(as_of), "version": tally.board.version, "narrowed": scope.visible is not None}
    )
    sums = tally.write_sums(scope, _to_json)
    return Response(head[:-1] + b"," + sums[1:], media_type="application/json")


def _to_json(found: Present) -> bytes:
    return to_json(shapes.present(found))
