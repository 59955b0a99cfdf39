"""A frozen report has the installation proposals and the security of cameras as they stood at the cut-off."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import TYPE_CHECKING, Any

from services.reporting.tests.api.mandate.test_camera_security import showing
from services.reporting.tests.api.reports.test_frozen_register import frozen
from services.reporting.tests.stage.letter import Letter, may

from vonggac.events.inventory import DeclaredSecurity
from vonggac.events.inventory.surveys import ProposedCameras
from vonggac.events.prober import SecuritySigns

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Province

    from reporting.ingest.handlers import Ingest

OPEN = SecuritySigns(stream_at=may(9, 5), login_scheme="none")


async def test_proposals_and_security_are_those_of_the_cut_off(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    camera = letter.camera(facility, "A-C01", security=DeclaredSecurity(default_password_changed=True))
    silent = letter.camera(facility, "A-C02")
    proposal = letter.proposal(
        facility, may(8), "approved", areas=(ProposedCameras(area="gate", cameras=4, type="bullet"),),
        estimated_cost_vnd=60_000_000, lead_time_days=3, funding_source="Ngân sách tỉnh, liên hệ 0912345678",
        decision_number="1126/QĐ-UBND", decision_date=date(2021, 5, 9),
    )  # fmt: skip
    facts = [
        showing(one, OPEN) if one.type.endswith("camera_observed.v1") else one
        for one in letter.connected(camera, may(9, 5), may(9, 7))
    ]
    things: list[tuple[str, Any]] = [("facility", facility), ("camera", camera), ("camera", silent)]
    things.append(("installation_proposal", proposal))
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things), *facts)

    body, report = await frozen(client)

    (row,) = report.tables["proposals"]
    assert (row["proposed_areas"], row["estimated_cost_vnd"], row["lead_time_days"]) == ("gate:4", 60_000_000, 3)
    assert (row["funding_source"], row["decision_number"]) == ("Ngân sách tỉnh, liên hệ ***", "1126/QĐ-UBND")
    known = {one["camera_code"]: one for one in report.tables["security"]}
    assert (known["A-C01"]["items_insecure"], known["A-C01"]["items_observed"]) == ("login", "login")
    assert known["A-C01"]["items_declared"] == "default_password"
    assert str(known["A-C02"]["items_unknown"]).count(" ") == 6, "seven items, none known"
    (finding,) = report.tables["security_findings"]
    assert (finding["security_item"], finding["security_basis"]) == ("login", "observed")
    answer = await client.get(f"/v1/reports/{body['id']}.csv")
    lines = {one["camera_code"]: one for one in csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))}
    assert lines["A-C01"]["cut_off_items_insecure"] == "login"
    for form in ("csv", "json"):
        file = (await client.get(f"/v1/reports/{body['id']}.{form}")).content
        verdict = await client.post("/v1/reports/verify", content=file)
        assert verdict.json()["unaltered"] is True, verdict.text
