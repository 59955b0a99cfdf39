"""A report from the form to its five files, before a real reporting."""

import re
from datetime import datetime, timedelta
from html import unescape
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
        verdict = await decider.hand_in("/reports/verify", f"bao-cao.{form}", file.content)
        assert "Đúng: còn nguyên vẹn." in verdict.text, form
        altered = await decider.hand_in("/reports/verify", f"bao-cao.{form}", file.content[:-9] + b"123456789")
        assert "Đúng: còn nguyên vẹn." not in altered.text, form
    await hand_in_what_was_signed(decider, address.rpartition("/")[2])


async def hand_in_what_was_signed(decider: Browser, report: str) -> None:
    page = await decider.get(f"/acts/reporting/record_issued_paper?report_id={report}&version=1")
    today = datetime.now(ZoneInfo("Asia/Ho_Chi_Minh"))
    recorded = await decider.send(page, number="05/BC-STTTT", issued_on=f"{today:%d/%m/%Y}", signed_by="Giám đốc")
    assert recorded.status_code == 303, recorded.text
    listed = unescape((await decider.get("/reports")).text)
    (form,) = re.findall(r'href="(/acts/upload/issued-paper[^"]*)"', listed)
    assert "Nộp bản đã ký" in (await decider.get(form)).text
    picture = await decider.hand_in(form, "ban-ky.png", b"\x89PNG\r\n\x1a\n")
    assert (picture.status_code, "hãy chọn tệp PDF." in picture.text) == (422, True)
    cut = await decider.hand_in(form, "ban-ky.pdf", b"%PDF-1.7\n")
    assert cut.status_code == 422
    signed = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
    handed_in = await decider.hand_in(form, "ban-ky.pdf", signed)
    assert (handed_in.status_code, handed_in.headers["location"]) == (303, "/reports")
    (file,) = re.findall(r'href="(/files/reporting/v1/issued-papers/[^"]*)"', (await decider.get("/reports")).text)
    assert (await decider.get(file)).content == signed
