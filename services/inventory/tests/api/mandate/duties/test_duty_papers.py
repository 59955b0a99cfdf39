"""The papers of a proposal are read by who sees its facility, and issued by who leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vonggac.auth import Role

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.duties.conftest import Duty

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


async def test_duty_papers_of_a_proposal_are_documents_for_who_sees_the_facility(duty: Duty) -> None:
    of = {"facility_id": duty.facility["id"]}
    proposal = await duty.province.post("/v1/installation-proposals", of | {"code": "DX-1"})
    survey = await duty.province.post("/v1/surveys", of | {"code": "KS-1"})
    plan = await duty.province.post("/v1/connection-plans", of)
    other = duty.token_for(Role.FACILITY, f"facility:{(await duty.province.facility())['id']}")
    for path in (
        f"/v1/installation-proposals/{proposal['id']}/submission",
        f"/v1/surveys/{survey['id']}/status-report",
        f"/v1/connection-plans/{plan['id']}/plan",
    ):
        for role in (Role.PROVINCE_LEAD, Role.DECIDER, Role.FACILITY):
            for form, media_type, begin in (("docx", DOCX, b"PK"), ("pdf", "application/pdf", b"%PDF-")):
                answer = await duty.call(role, "GET", f"{path}.{form}")
                assert (answer.status_code, answer.headers["content-type"]) == (200, media_type), answer.text
                assert answer.content.startswith(begin)
        elsewhere = await duty.province.client.get(f"{path}.pdf", headers={"Authorization": f"Bearer {other}"})
        assert elsewhere.status_code == 404
        assert (await duty.call(Role.PROVINCE_LEAD, "GET", f"{path}.odt")).status_code == 422
