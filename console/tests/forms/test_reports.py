"""A report from the form to its five files, before a real reporting."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from console.tests.conftest import Browser
from console.tests.forms.conftest import Province

from vonggac.bus import Bus

pytestmark = pytest.mark.server
LEAD, DECIDER = "chủ trì", "quyết định"


async def test_a_report_is_frozen_by_one_and_approved_by_another_and_downloaded(
    browsers: dict[str, Browser], bus: Bus, province: Province
) -> None:
    await province.publish(bus, *province.base(), province.stated("camera", province.camera()))
    lead, decider = browsers[LEAD], browsers[DECIDER]
    day = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).replace(hour=0, minute=0, second=0, microsecond=0)
    page = await lead.get("/acts/reporting/freeze_report")
    period = {"from": f"{day - timedelta(days=9):%d/%m/%Y %H:%M}", "to": f"{day - timedelta(days=8):%d/%m/%Y %H:%M}"}
    frozen = await lead.send(page, **period)
    assert frozen.status_code == 303, frozen.text
    address = frozen.headers["location"].split("?")[0]
    shown = await lead.get(address)
    assert "chờ duyệt" in shown.text
    act = f"/acts/reporting/approve_report?report_id={address.rpartition('/')[2]}&version=1"
    own = await lead.send(await lead.get(act))
    assert own.status_code in {403, 409}, own.text
    approved = await decider.send(await decider.get(act))
    assert approved.status_code == 303, approved.text
    for form in ("pdf", "docx", "xlsx", "csv", "json"):
        file = await decider.get(f"/files/reporting/v1/reports/{address.rpartition('/')[2]}.{form}?version=1")
        assert file.status_code == 200, (form, file.text[:300])
        assert len(file.content) > 100
