"""GET /v1/deviations (R15): what was agreed of each camera, beside what was observed; and the formats of one camera."""

from collections import Counter
from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from reporting.api.files import Chosen, file_answers
from reporting.api.mandate.instants import AsOf, shown_at, table_of
from reporting.api.mandate.schemas import FacilityAtResponse, facility_shape
from reporting.api.parameters import Filters, InContext, not_found
from reporting.domain.instants import VIETNAM, moment
from reporting.domain.mandate.deviations import Compared, Verdict
from reporting.domain.mandate.deviations import Field as Thing
from reporting.reports.mandate.deviations import NOUNS, CameraCompared, compared_cameras
from reporting.reports.mandate.situation import situation
from reporting.storage import plan
from reporting.storage.mandate import formats
from reporting.storage.sight import sees_camera
from reporting.storage.snapshot import snapshot
from vonggac.auth import Caller, guarded_router
from vonggac.http.lists import Key, Listing, PageOf, PageQuery
from vonggac.http.lists.words import Words, matcher
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1", tags=["deviations"])


class DeviationResponse(BaseModel):
    """One thing of one camera: as agreed, and as observed."""

    camera_id: UUID
    camera_code: str
    camera_name: str
    facility: FacilityAtResponse
    plan_code: str | None = Field(description="The agreed plan that names the camera; null: none does.")
    plan_version: int | None
    field: Thing
    agreed: str | None = Field(description="Codec, pixels (1920x1080), pictures a second, kbit/s, or a code.")
    observed: str | None
    verdict: Verdict
    observed_since: datetime | None = Field(description="Since when the camera sends what it sends; null: not seen.")


class Deviations(PageOf[DeviationResponse]):
    """A page of comparisons, and how many of all pages came to what."""

    as_of: datetime
    cameras: int = Field(description="Cameras that were compared.")
    by_verdict: dict[Verdict, int]


class FormatResponse(BaseModel):
    """What a camera was seen to send, until the next one; null was never measured."""

    began_at: datetime = Field(description="The first probe that saw it.")
    last_at: datetime = Field(description="The last probe that saw it, to five minutes.")
    codec: str | None
    profile: str | None
    width: int | None
    height: int | None
    fps: float | None
    bitrate_kbps: float | None
    transport: str | None


class Formats(BaseModel):
    """Newest first."""

    camera_id: UUID
    items: list[FormatResponse]


class _Row(NamedTuple):
    one: CameraCompared
    compared: Compared
    number: int


KEYS: dict[str, Key[_Row]] = {
    "facility_code": Key(lambda row: row.one.facility.code),
    "camera_code": Key(lambda row: row.one.camera.camera.code),
    "field": Key(lambda row: row.compared.field.value),
    "verdict": Key(lambda row: row.compared.verdict.value),
    "camera_id": Key(lambda row: row.one.camera.camera.id),
    "number": Key(lambda row: row.number, int),
}
DEVIATIONS = Listing(
    DeviationResponse,
    keys=KEYS,
    id_key="camera_id,number",
    default_sort="facility_code,camera_code,number",
    envelope=Deviations,
)


@router.get(
    "/deviations",
    summary="Plan against fact",
    description="What deviates from the agreed plan and from what the survey noted. `verdict` lists the other "
    "comparisons: what is as agreed, what nobody observed, and what was never agreed.",
    response_model=None,
    responses=file_answers(DEVIATIONS.responses[200]),
)
async def list_deviations(
    shared: InContext,
    asked: AsOf,
    filters: Annotated[Filters, Depends()],
    paging: Annotated[PageQuery[_Row, DeviationResponse], Depends(DEVIATIONS)],
    request: Request,
    chosen: Chosen,
    verdict: Annotated[list[Verdict] | None, Query(description="Default: deviates. May repeat.")] = None,
    q: Words = None,
) -> Response:
    asked = asked.resumed(paging.as_of)
    if chosen.is_file:
        return await table_of(shared, "deviations", asked, chosen, filters, request, own=("verdict", "q"))
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asked.at)).scope
        then = await situation(session, asked.at, asked.presumed_alive_ms, scope, NOUNS)
        found = await compared_cameras(session, then)
    rows = [_Row(one, compared, number) for one in found for number, compared in enumerate(one.compared)]
    wanted, matches = set(verdict or [Verdict.DEVIATES]), matcher(q)
    chosen_rows = [row for row in rows if row.compared.verdict in wanted and matches(*_texts_of(row.one))]
    page = paging.cut(chosen_rows, as_of=moment(asked.at))
    counted = Counter(row.compared.verdict for row in rows)
    by_verdict = {each: counted[each] for each in Verdict}
    return paging.answer(
        page, [_shape(row) for row in page.rows], as_of=shown_at(asked.at), cameras=len(found), by_verdict=by_verdict
    )


@router.get(
    "/cameras/{camera_id}/formats",
    summary="What a camera was seen to send, change by change",
    description="Codec, size, frame rate, bit rate and transport as probes measured them; an entry where they changed.",
    responses=problems({404: "No such camera is known here"}),
)
async def read_formats(camera_id: UUID, shared: InContext, asked: AsOf, caller: Caller) -> Formats:
    async with snapshot(shared.database) as session:
        found = await formats.history(session, camera_id, asked.at)
        known = found or await plan.camera_known(session, camera_id)
        if not known or not await sees_camera(session, caller.sight, camera_id):
            raise not_found("camera", camera_id)
    items = [
        FormatResponse(
            **one._asdict() | {"began_at": one.began_at.astimezone(VIETNAM), "last_at": one.last_at.astimezone(VIETNAM)}
        )
        for one in found
    ]
    return Formats(camera_id=camera_id, items=items)


def _texts_of(one: CameraCompared) -> tuple[str | None, ...]:
    camera = one.camera.camera
    return camera.code, camera.name, one.facility.code, one.facility.name


def _shape(row: _Row) -> DeviationResponse:
    one, camera = row.one, row.one.camera.camera
    return DeviationResponse(
        camera_id=UUID(camera.id),
        camera_code=camera.code,
        camera_name=camera.name,
        facility=facility_shape(one.facility),
        plan_code=None if one.plan is None else one.plan.state["code"],
        plan_version=None if one.plan is None else one.plan.state["version"],
        field=row.compared.field,
        agreed=row.compared.agreed,
        observed=row.compared.observed,
        verdict=row.compared.verdict,
        observed_since=None if one.seen is None else one.seen.began_at.astimezone(VIETNAM),
    )
