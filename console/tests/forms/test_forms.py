"""Forms before a real register: what is typed arrives once, a refusal stands at its field, nothing typed is lost."""

import re
from html import unescape

import pytest
from console.tests.conftest import Browser, FormOf
from console.tests.forms.conftest import Register
from fastapi import FastAPI

pytestmark = pytest.mark.server
LEAD, DECIDER, OPERATOR = "chủ trì", "quyết định", "vận hành"
AGENCY = "/acts/inventory/add_agency"


async def test_a_record_is_added_once_whatever_is_clicked(browsers: dict[str, Browser]) -> None:
    lead = browsers[LEAD]
    page = await lead.get(AGENCY)
    assert page.status_code == 200
    first = await lead.send(page, code="SYT", name="Sở Y tế", role="managing")
    second = await lead.send(page, code="SYT", name="Sở Y tế", role="managing")
    assert first.status_code == second.status_code == 303, first.text
    assert first.headers["location"] == second.headers["location"]
    shown = await lead.get(first.headers["location"])
    assert "Sở Y tế" in shown.text
    assert "Đã xong: Thêm cơ quan" in shown.text
    assert unescape((await lead.get("/register/agencies")).text).count("SYT — Sở Y tế") == 1


async def test_a_refusal_stands_at_its_field_and_in_the_summary_and_what_was_typed_stays(
    browsers: dict[str, Browser],
) -> None:
    lead = browsers[LEAD]
    page = await lead.get(AGENCY)
    wrong = await lead.send(page, code="mã có dấu cách", name="<b>Sở</b>", role="managing")
    assert wrong.status_code == 422
    assert 'href="#at-code"' in wrong.text
    assert 'id="wrong-code"' in wrong.text
    typed = FormOf(wrong.text).inputs
    assert typed["code"] == "mã có dấu cách"
    assert typed["name"] == "<b>Sở</b>"
    assert "<b>Sở</b>" not in wrong.text
    mended = await lead.send(wrong, code="SO-1")
    assert mended.status_code == 303, mended.text


async def test_what_is_needed_is_asked_for_at_its_field(browsers: dict[str, Browser]) -> None:
    lead = browsers[LEAD]
    empty = await lead.send(await lead.get(AGENCY))
    assert empty.status_code == 422
    assert "Mục này bắt buộc." in empty.text
    english = await lead.follow("/language/en?to=" + AGENCY)
    assert "This is needed." in (await lead.send(english)).text


async def test_who_may_not_act_sees_no_form_and_is_refused_by_the_service(browsers: dict[str, Browser]) -> None:
    operator = browsers[OPERATOR]
    assert (await operator.get("/acts/inventory/add_directive")).status_code == 403
    page = await browsers[LEAD].get("/acts/inventory/add_directive")
    sent = await operator.send(page, code="CV-1", name="x")
    assert sent.status_code in {403, 422}
    assert "Giao nghĩa vụ" not in (await operator.get("/obligations")).text
    assert "Giao nghĩa vụ" in (await browsers[LEAD].get("/obligations")).text


async def test_a_form_of_another_site_is_refused(browsers: dict[str, Browser]) -> None:
    answer = await browsers[LEAD].console.post(AGENCY, data={"code": "X"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_a_lost_update_shows_before_theirs_and_yours_and_can_be_sent_again(
    browsers: dict[str, Browser], register: Register
) -> None:
    made = await register.add("agencies", code="UBND", name="Ủy ban", role="peoples_committee")
    address = f"/acts/inventory/change_agency?thing_id={made['id']}"
    mine, theirs = browsers[LEAD], browsers[DECIDER]
    my_page, their_page = await mine.get(address), await theirs.get(address)
    first = await theirs.send(their_page, name="Ủy ban nhân dân", reason="sửa tên")
    assert first.status_code == 303, first.text
    lost = await mine.send(my_page, name="UBND tỉnh", reason="sửa tên")
    assert lost.status_code in {409, 412}
    shown = unescape(re.sub(r"<[^>]+>", "|", lost.text))
    assert re.search(r"Ủy ban\|+[^|]*\|*Ủy ban nhân dân\|+[^|]*\|*UBND tỉnh", shown), shown
    again = await mine.send(lost)
    assert again.status_code == 303, again.text
    assert (await register.read("agencies", made["id"]))["name"] == "UBND tỉnh"


async def test_a_change_sends_what_was_changed_alone(browsers: dict[str, Browser], register: Register) -> None:
    made = await register.add("agencies", code="BTT", name="Bộ", role="ministry")
    page = await browsers[LEAD].get(f"/acts/inventory/change_agency?thing_id={made['id']}")
    nothing = await browsers[LEAD].send(page, reason="thử")
    assert "Chưa sửa gì." in nothing.text


async def test_a_reference_is_chosen_by_its_code(browsers: dict[str, Browser], register: Register) -> None:
    unit = await register.add("units", code="45", name="Quảng Trị", level="province", valid_from="1989-07-01")
    lead = browsers[LEAD]
    page = await lead.get("/acts/inventory/add_unit")
    assert "45 — Quảng Trị" in page.text
    filled = {"code": "4501", "name": "Đông Hà", "level": "district", "valid_from": "01/07/1989"}
    unknown = await lead.send(page, **filled, parent_id="99")
    assert unknown.status_code == 422
    assert "Sổ đăng ký không có mã này" in unknown.text
    sent = await lead.send(unknown, parent_id="45 — Quảng Trị")
    assert sent.status_code == 303, sent.text
    shown = await lead.get(sent.headers["location"])
    assert f'href="/register/units/{unit["id"]}"' in shown.text


async def test_what_was_typed_stands_in_the_form_after_a_new_sign_in(
    app: FastAPI, browsers: dict[str, Browser]
) -> None:
    lead = browsers[LEAD]
    page = await lead.get(AGENCY)
    await app.state.visitors.sessions.close(lead.console.cookies["vonggac_session"])
    away = await lead.send(page, code="SYT", name="Sở Y tế", role="managing")
    assert away.headers["location"].startswith("/sign-in")
    filled = await lead.sign_in(LEAD, to=away.headers["location"])
    assert FormOf(filled.text).inputs["name"] == "Sở Y tế"
    assert (await lead.send(filled)).status_code == 303


@pytest.mark.parametrize("path", ["/acts/inventory/no_such", "/acts/prober/probe_now", "/acts/inventory/list_cameras"])
async def test_there_is_no_form_of_what_is_no_act(browsers: dict[str, Browser], path: str) -> None:
    assert (await browsers[LEAD].get(path)).status_code == 404
