"""GET /v1/present/cameras: the cameras behind every number of the present."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from sqlalchemy import any_, select
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.api.parameters import Filters, InContext, parse_moment
from reporting.api.present import shapes
from reporting.api.present.counting import LOADING, tally_of
from reporting.api.present.shapes import PresentCamera, PresentCameras
from reporting.domain.instants import millis, moment
from reporting.reports.present.counts import rows_of
from reporting.reports.present.rows import Row
from reporting.storage.planned import ids
from reporting.storage.snapshot import snapshot
from reporting.storage.tables import delivery_proof
from vonggac.auth import guarded_router
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.lists.words import matcher

router = guarded_router(prefix="/v1/present", tags=["present"])

State = Literal["up", "down", "maintenance", "unknown", "out_of_scope"]
Connected = Literal[
    "both", "national_only", "provincial_only", "neither", "unknown", "national", "provincial", "not_national",
    "not_provincial",
]  # fmt: skip
Verdict = Literal["compliant", "non_compliant", "unknown"]
Received = Literal["connected", "not_connected", "unknown", "out_of_scope"]
NO_CAUSE = "none"

type _Test = Callable[[Row], bool]

KEYS: dict[str, Key[Row]] = {
    "since": Key(lambda row: row.camera.since, int),
    "camera_code": Key(lambda row: row.code),
    "camera_name": Key(lambda row: row.name),
    "facility_code": Key(lambda row: row.facility.code),
    "facility_name": Key(lambda row: row.facility.name),
    "state": Key(lambda row: row.camera.state),
    "cause": Key(lambda row: row.camera.cause),
    "camera_id": Key(lambda row: row.id),
}
CAMERAS = Listing(
    PresentCamera, keys=KEYS, id_key="camera_id", default_sort="-since,camera_code", envelope=PresentCameras
)


class Chosen:
    """Which cameras are asked for, beside the filters of every report."""

    def __init__(
        self,
        q: Annotated[
            str | None,
            Query(description="Words in code or name of the camera or its facility, without accents.", max_length=200),
        ] = None,
        state: Annotated[list[State] | None, Query(description="Any of these states.")] = None,
        confirmed: Annotated[list[State] | None, Query(description="Any of these confirmed states.")] = None,
        cause: Annotated[
            list[str] | None, Query(description="Any of these causes of the state; `none`: without one.", max_length=50)
        ] = None,
        connected: Annotated[
            Connected | None,
            Query(description="Which centres have it; `national` is whether that one has it, whatever the other."),
        ] = None,
        compliant: Annotated[Verdict | None, Query(description="Whether it complies.")] = None,
        since: Annotated[str | None, Query(description="Its state began at this instant or later.")] = None,
        until: Annotated[str | None, Query(description="Its state began before this instant, or nobody knows.")] = None,
        destination: Annotated[
            str | None, Query(description="Code or id of a destination that its plan names.", max_length=64)
        ] = None,
        delivery: Annotated[Received | None, Query(description="How that destination, or any, stands with it.")] = None,
    ) -> None:
        """Collect the tests that a row has to pass. Raises ProblemError naming the parameter."""
        self.tests: list[_Test] = []
        if q is not None:
            matches = matcher(q)
            self._add(lambda row: matches(row.code, row.name, row.facility.code, row.facility.name))
        if state:
            states = frozenset(state)
            self._add(lambda row: row.camera.state in states)
        if confirmed:
            sure = frozenset(confirmed)
            self._add(lambda row: row.confirmed.state in sure)
        if cause:
            causes = frozenset(None if one == NO_CAUSE else one for one in cause)
            self._add(lambda row: row.camera.cause in causes)
        if connected is not None:
            self._add(_connected(connected))
        if compliant is not None:
            verdict = "compliance_unknown" if compliant == "unknown" else compliant
            self._add(lambda row: row.verdict == verdict)
        if since is not None:
            start = millis(parse_moment("since", since))
            self._add(lambda row: row.camera.since is not None and row.camera.since >= start)
        if until is not None:
            end = millis(parse_moment("until", until))
            self._add(lambda row: row.camera.since is None or row.camera.since < end)
        if destination is not None or delivery is not None:
            self._add(_delivered(destination, delivery))

    def _add(self, test: _Test) -> None:
        self.tests.append(test)

    def among(self, rows: Iterable[Row]) -> list[Row]:
        """Those of the rows that are asked for."""
        for test in self.tests:
            rows = filter(test, rows)
        return [*rows]


def _connected(asked: Connected) -> _Test:
    match asked:
        case "national":
            return lambda row: row.national.connected is True and not row.is_out_of_scope
        case "provincial":
            return lambda row: row.provincial.connected is True and not row.is_out_of_scope
        case "not_national":
            return lambda row: row.national.connected is False and not row.is_out_of_scope
        case "not_provincial":
            return lambda row: row.provincial.connected is False and not row.is_out_of_scope
        case "unknown":
            return lambda row: row.connection == "connection_unknown"
    national, provincial = _BOTH_ROLES[asked]
    # As `row.connection == asked`: three times as fast, and every camera is tested.
    return lambda row: (
        row.national.connected is national and row.provincial.connected is provincial and not row.is_out_of_scope
    )


_BOTH_ROLES = {
    "both": (True, True),
    "national_only": (True, False),
    "provincial_only": (False, True),
    "neither": (False, False),
}


def _delivered(destination: str | None, word: Received | None) -> _Test:
    id_ = _to_id(destination)

    def test(row: Row) -> bool:
        # Loops and comparisons in this order cost a tenth of sets made for each delivery.
        for one in row.deliveries:
            if (word is None or one.word == word) and (
                destination is None or one.destination.code == destination or one.destination.id == id_
            ):
                return True
        return False

    return test


def _to_id(text: str | None) -> UUID | None:
    """Parse the id that this text is, written as ids are; None: it is a code."""
    try:
        id_ = UUID(text or "")
    except ValueError:
        return None
    return id_ if str(id_) == text else None


@router.get(
    "/cameras",
    summary="Cameras as they stand now",
    description="State, confirmed state, both centres and whether it complies, of every camera that is on record now. "
    "Newest change first.",
    response_model=None,
    responses=CAMERAS.responses | LOADING,
)
async def list_present_cameras(
    shared: InContext,
    filters: Annotated[Filters, Depends()],
    chosen: Annotated[Chosen, Depends()],
    paging: Annotated[PageQuery[Row, PresentCamera], Depends(CAMERAS)],
) -> Response:
    _, as_of = tally_of(shared)
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, as_of)).scope
        tally, as_of = tally_of(shared)
        version = tally.board.version
        page = paging.cut(chosen.among(rows_of(tally.board, scope)), as_of=moment(as_of))
        proofs = await _load_proofs(session, page.rows)
    items = [shapes.camera(row, proofs) for row in page.rows]
    narrowed = scope.visible is not None
    return paging.answer(page, items, as_of=shapes.to_local_or_none(as_of), version=version, narrowed=narrowed)


async def _load_proofs(session: AsyncSession, rows: Sequence[Row]) -> shapes.Proofs:
    """Load the newest read-backs that matched, of now: most of them are no facts, and change no row."""
    wanted = [role.delivery_id for row in rows for role in (row.national, row.provincial) if role.delivery_id]
    if not wanted:
        return {}
    known = delivery_proof.c
    found = await session.execute(
        select(known.delivery_id, known.verified_at, known.delay_s).where(known.delivery_id == any_(ids(wanted)))
    )
    return {str(row.delivery_id): (row.verified_at, row.delay_s) for row in found}
