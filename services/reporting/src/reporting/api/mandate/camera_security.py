"""GET /v1/camera-security: what is declared and was observed of each camera's security (QCVN 135:2024/BTTTT)."""

from collections import Counter
from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from reporting.api.files import Chosen, file_answers
from reporting.api.mandate.instants import AsOf, shown_at, shown_or_none, table_of
from reporting.api.mandate.schemas import FacilityAtResponse, facility_shape
from reporting.api.parameters import Filters, InContext
from reporting.domain.instants import moment
from reporting.domain.mandate.camera_security import (
    BASES_VI,
    ITEMS_VI,
    VERDICTS_VI,
    Basis,
    SecurityFinding,
    SecurityItem,
    SecurityVerdict,
)
from reporting.reports.mandate.camera_security import CameraSecurity, camera_security
from reporting.storage.snapshot import snapshot
from vonggac.auth import guarded_router
from vonggac.http.lists import Key, Listing, PageOf, PageQuery
from vonggac.http.lists.words import Words, matcher

router = guarded_router(prefix="/v1", tags=["camera-security"])


class CameraSecurityResponse(BaseModel):
    """One item of one camera."""

    camera_id: UUID
    camera_code: str
    camera_name: str
    facility: FacilityAtResponse
    item: SecurityItem
    item_vi: str
    verdict: SecurityVerdict
    verdict_vi: str
    value: str | None = Field(
        description="changed or unchanged; none, basic or digest; asked or none; on or off; a version; days since its "
        "release; the number of a certificate. null: not known."
    )
    basis: Basis | None = Field(description="null: neither on record nor seen, so not known.")
    basis_vi: str | None
    known_at: datetime | None = Field(description="Since when it is on record, or when a probe saw it last.")
    detail_vi: str | None = Field(description="What is wrong, or why it is not known; for people.")


class CameraSecurityPage(PageOf[CameraSecurityResponse]):
    """A page of items, and what all pages came to."""

    as_of: datetime
    cameras: int = Field(description="Cameras in scope at the instant.")
    insecure_cameras: int = Field(description="Those with an item that is not in order.")
    by_verdict: dict[SecurityVerdict, int]


class _Row(NamedTuple):
    one: CameraSecurity
    finding: SecurityFinding


KEYS: dict[str, Key[_Row]] = {
    "facility_code": Key(lambda row: row.one.facility.code),
    "camera_code": Key(lambda row: row.one.camera.code),
    "verdict": Key(lambda row: row.finding.verdict.value),
    "camera_id": Key(lambda row: row.one.camera.id),
    "item": Key(lambda row: row.finding.item.value),
}
SECURITY = Listing(
    CameraSecurityResponse,
    keys=KEYS,
    id_key="camera_id,item",
    default_sort="facility_code,camera_code,item",
    envelope=CameraSecurityPage,
)


@router.get(
    "/camera-security",
    summary="Security of cameras, as declared and as observed",
    description="Default password, login, firmware and its age, maker's cloud, certificate (QCVN 135:2024/BTTTT): what "
    "the register declares and what probes saw anyway. Nobody tries a password; what is neither on record nor seen in "
    "the last seven days is `unknown`. Firmware that was released more than 730 days ago is not in order.",
    response_model=None,
    responses=file_answers(SECURITY.responses[200]),
)
async def list_camera_security(
    shared: InContext,
    asked: AsOf,
    filters: Annotated[Filters, Depends()],
    paging: Annotated[PageQuery[_Row, CameraSecurityResponse], Depends(SECURITY)],
    request: Request,
    chosen: Chosen,
    verdict: Annotated[list[SecurityVerdict] | None, Query(description="Default: all. May repeat.")] = None,
    item: Annotated[list[SecurityItem] | None, Query(description="Default: all. May repeat.")] = None,
    basis: Annotated[Basis | None, Query(description="Only what is declared, or was observed.")] = None,
    q: Words = None,
) -> Response:
    asked = asked.resumed(paging.as_of)
    if chosen.is_file:
        own = ("verdict", "item", "basis", "q")
        return await table_of(shared, "camera_security", asked, chosen, filters, request, own=own)
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asked.at)).scope
        found = await camera_security(session, asked.at, asked.presumed_alive_ms, scope)
    rows = [_Row(one, finding) for one in found for finding in one.findings]
    verdicts, items, matches = set(verdict or SecurityVerdict), set(item or SecurityItem), matcher(q)
    wanted = [
        row
        for row in rows
        if row.finding.verdict in verdicts
        and row.finding.item in items
        and basis in {None, row.finding.basis}
        and matches(row.one.camera.code, row.one.camera.name, row.one.facility.code, row.one.facility.name)
    ]
    counted = Counter(row.finding.verdict for row in rows)
    page = paging.cut(wanted, as_of=moment(asked.at))
    return paging.answer(
        page,
        [_shape(row) for row in page.rows],
        as_of=shown_at(asked.at),
        cameras=len(found),
        insecure_cameras=sum(one.is_insecure for one in found),
        by_verdict={each: counted[each] for each in SecurityVerdict},
    )


def _shape(row: _Row) -> CameraSecurityResponse:
    finding, camera = row.finding, row.one.camera
    return CameraSecurityResponse(
        camera_id=UUID(camera.id),
        camera_code=camera.code,
        camera_name=camera.name,
        facility=facility_shape(row.one.facility),
        item=finding.item,
        item_vi=ITEMS_VI[finding.item],
        verdict=finding.verdict,
        verdict_vi=VERDICTS_VI[finding.verdict],
        value=finding.value,
        basis=finding.basis,
        basis_vi=None if finding.basis is None else BASES_VI[finding.basis],
        known_at=shown_or_none(finding.at),
        detail_vi=finding.detail_vi,
    )
