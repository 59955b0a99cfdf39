"""The page behind a facility's QR code: its own acts by its link, and nothing else; the token is in no address."""

import logging
import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from console.tests.conftest import ORIGIN, Browser
from console.tests.forms.conftest import Register
from console.tests.forms.test_requests import text_of
from fastapi import FastAPI

from vonggac.testing.waiting import eventually

pytestmark = pytest.mark.server
SAME = {"Sec-Fetch-Site": "same-origin"}
COOKIE = "vonggac_facility_link"


@pytest_asyncio.fixture
async def facility(register: Register) -> dict[str, Any]:
    unit = await register.add("units", code="45", name="Quảng Trị", level="province", valid_from="1989-07-01")
    agency = await register.add("agencies", code="SYT", name="Sở Y tế", role="managing")
    operator = await register.add("agencies", code="VT", name="Viettel", role="operator")
    team = await register.add("teams", code="VT-01", name="Tổ 1", agency_id=operator["id"])
    of = {"unit_id": unit["id"], "managing_agency_id": agency["id"]}
    made = await register.add("facilities", code="KCL-01", name="Khu cách ly 1", type="health", **of)
    return {**made, "team": team["id"]}


@pytest_asyncio.fixture
async def token(register: Register, facility: dict[str, Any]) -> str:
    body = {"for_whom": "Trưởng khu", "valid_for_hours": 24}
    made = await register.client.post(f"/v1/facilities/{facility['id']}/links", json=body)
    return str(made.json()["token"])


@pytest_asyncio.fixture
async def phone(app: FastAPI) -> AsyncIterator[Browser]:
    """A browser of nobody who is signed in."""
    made = Browser(app)
    yield made
    await made.close()


async def enter(phone: Browser, token: str) -> httpx.Response:
    return await phone.console.post("/f/enter", data={"token": token}, headers=SAME)


async def send(phone: Browser, path: str, **typed: str) -> httpx.Response:
    return await phone.console.post(path, data=typed, headers=SAME)


async def test_the_code_of_the_sheet_opens_the_facility_and_stands_in_no_address_and_no_log(
    phone: Browser, token: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = await phone.get("/f")
    assert asked.status_code == 200
    assert '<form method="post" action="/f/enter"' in asked.text
    entered = await enter(phone, token)
    assert (entered.status_code, entered.headers["location"]) == (303, "/f")
    kept = entered.headers["set-cookie"]
    for attribute in (f"{COOKIE}={token}", "HttpOnly", "Path=/f", "SameSite=lax"):
        assert attribute in kept
    shown = await phone.get("/f")
    assert "Khu cách ly 1" in shown.text
    assert token not in shown.text
    assert token not in caplog.text
    assert token not in "".join(capsys.readouterr())


async def test_the_link_is_no_sign_in(phone: Browser, token: str) -> None:
    await enter(phone, token)
    for path in ("/", "/facilities", "/register/facilities", "/acts/inventory/add_focal_point"):
        answer = await phone.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/sign-in"), path
    for shut in (
        "/f/inventory/add_camera",
        "/f/inventory/add_facility_link",
        "/f/reporting/freeze_report",
        "/f/reporting/urge_by_hand",
        "/f/x/y",
    ):
        assert (await phone.get(shut + "?back=/f")).status_code == 404, shut
        assert (await send(phone, shut, name="a")).status_code == 404, shut


@pytest.mark.parametrize("typed", ["", "vgl_", "vgl_" + "x" * 43, "abc", "vgl_é", "vgl_" + "x" * 5000])
async def test_words_that_are_no_link_open_nothing(phone: Browser, token: str, typed: str) -> None:
    answer = await enter(phone, typed)
    assert answer.status_code == 403
    assert "đã hết hạn hoặc đã bị thu hồi" in answer.text
    assert "set-cookie" not in answer.headers


async def test_the_whole_address_of_the_code_may_be_typed(phone: Browser, token: str) -> None:
    assert (await enter(phone, f"  {ORIGIN}/f#{token} ")).status_code == 303


async def test_a_revoked_link_opens_nothing_from_that_moment_and_its_cookie_goes(
    phone: Browser, register: Register, facility: dict[str, Any], token: str
) -> None:
    await enter(phone, token)
    links = f"/v1/facilities/{facility['id']}/links"
    [link] = (await register.client.get(links)).json()["items"]
    revoked = await register.client.delete(f"{links}/{link['id']}", params={"reason": "Mất tờ giấy"})
    assert revoked.status_code == 204, revoked.text
    for path in ("/f", f"/f/inventory/add_focal_point?facility_id={facility['id']}&back=/f"):
        phone.console.cookies.set(COOKIE, token, domain="127.0.0.1", path="/f")
        answer = await phone.get(path)
        assert (answer.status_code, "Khu cách ly 1" in answer.text) == (403, False)
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert COOKIE not in phone.console.cookies


async def test_a_form_of_another_site_is_refused(phone: Browser, token: str) -> None:
    foreign = await phone.console.post("/f/enter", data={"token": token}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403


async def test_this_device_forgets_the_link_when_asked(phone: Browser, token: str) -> None:
    await enter(phone, token)
    await send(phone, "/f/leave")
    assert "Khu cách ly 1" not in (await phone.get("/f")).text


async def test_a_facility_answers_names_its_focal_point_and_lets_a_team_in_by_its_link(
    phone: Browser, register: Register, facility: dict[str, Any], token: str
) -> None:
    of = {"facility_id": facility["id"]}
    times = {"planned_from": "2026-12-24T08:00:00+07:00", "planned_to": "2026-12-24T10:00:00+07:00"}
    visit = await register.add("visits", team_id=facility["team"], purpose="survey", **of, **times)
    survey = await register.add("surveys", code="KS-1", **of)
    questions = [{"key": "dau-ghi", "text": "Đầu ghi loại nào?"}, {"key": "duong-truyen", "text": "Đường truyền?"}]
    asked = await register.add("information-requests", code="CCTT-1", name="Hiện trạng", questions=questions, **of)
    moved = f"/v1/information-requests/{asked['id']}/transitions"
    assert (await register.client.post(moved, json={"to": "sent"}, headers={"If-Match": "*"})).status_code == 200

    await enter(phone, token)
    home = await phone.get("/f")
    text = text_of(home)
    for words in ("Đầu ghi loại nào?", "Khảo sát · 24/12/2026 08:00", "Chưa có ai.", "KS-1", "24/12/2026"):
        assert words in text, words

    empty = await send(phone, f"/f/answers/{asked['id']}", **{"answer.dau-ghi": " "})
    assert (empty.status_code, "Đầu ghi loại nào?" in empty.text) == (200, True)
    wrong = await send(phone, f"/f/answers/{asked['id']}", **{"answer.khac": "8 kênh"})
    assert (wrong.status_code, "Không thực hiện được" in wrong.text or 'role="alert"' in wrong.text) == (422, True)
    sent = await send(phone, f"/f/answers/{asked['id']}", **{"answer.dau-ghi": "8 kênh", "answer.duong-truyen": ""})
    assert sent.status_code == 303, sent.text
    known = await register.read("information-requests", asked["id"])
    assert [(one["key"], one["text"], one["recorded_by"]) for one in known["answers"]] == [("dau-ghi", "8 kênh", None)]  # type: ignore[attr-defined]
    assert "8 kênh" in (await phone.get("/f")).text

    addresses = {unescape(each) for each in re.findall(r'href="(/f/inventory/[^"]+)"', home.text)}
    by_act = {urlsplit(each).path.rpartition("/")[2]: each for each in addresses}
    form = await phone.get(by_act["add_focal_point"])
    assert form.status_code == 200, form.text
    assert "Sở Y tế" not in form.text
    officer = {"full_name": "Trần Văn Đầu Mối", "position": "Phó phòng", "phone": "0233 3852 123"}
    named = await phone.send(form, **officer, valid_from="2026-05-07")
    assert (named.status_code, named.headers.get("location")) == (303, "/f?done=add_focal_point"), named.text
    done = await phone.get("/f?done=add_focal_point")
    assert "Trần Văn Đầu Mối" in done.text

    form = await phone.get(by_act["confirm_visit_access"])
    assert "Số văn bản cho vào" not in form.text
    access = {"access_given_by": "Trưởng khu", "access_from": "2026-12-24T08:00", "access_to": "2026-12-24T10:00"}
    let_in = await phone.send(form, **access)
    assert let_in.status_code == 303, let_in.text
    known = await register.read("visits", visit["id"])
    assert (known["access_given_by"], known["access_recorded_by"]) == ("Trưởng khu", None)

    form = await phone.get(by_act["declare_site"])
    assert form.status_code == 200
    declared = await phone.send(form, **{"form.site.rooms": "24"})
    assert declared.status_code == 303, declared.text
    known = await register.read("surveys", survey["id"])
    assert known["form"]["site"]["rooms"] == 24  # type: ignore[index]


async def test_a_facility_reads_what_it_is_urged_about_and_answers_by_its_link(
    phone: Browser, app: FastAPI, register: Register, reporting_address: str, facility: dict[str, Any], token: str
) -> None:
    held = {"kind": "non_cooperation", "text": "Cổng đóng khi tổ đến", "valid_from": "2026-05-07"}
    await register.add("blocked-reasons", facility_id=facility["id"], **held)
    body = {"agency_id": facility["managing_agency_id"], "level": 1, "reason": "Họp BCĐ"}
    headers = {"Authorization": register.client.headers["authorization"]}
    async with httpx.AsyncClient(base_url=reporting_address, headers=headers, trust_env=False) as reporting:

        async def urged() -> Any:
            answer = await reporting.post("/v1/urges", json=body)
            return answer.json() if answer.status_code == 201 else None

        urge = await eventually(urged, within_s=60, what="the facility in reporting's tables")
        await enter(phone, token)

        async def shown() -> Any:
            page = await phone.get("/f")
            return page if "Cổng đóng khi tổ đến" in page.text else None

        home = await eventually(shown, within_s=60, what="the link in reporting's tables")
        assert "Họp BCĐ" not in home.text
        act = f"/f/reporting/record_answer?urge_id={urge['id']}&back=/f"
        assert act.replace("&", "&amp;") in home.text
        form = await phone.get(act)
        assert form.status_code == 200, form.text
        assert 'name="document"' not in form.text
        sent = await phone.send(form, text="Đã mở cổng từ 8 giờ")
        assert (sent.status_code, sent.headers.get("location")) == (303, "/f?done=record_answer"), sent.text
        (answer,) = (await reporting.get(f"/v1/urges/{urge['id']}")).json()["answers"]
    assert (answer["own_word"], answer["facility_name"]) == (True, "Khu cách ly 1")
    assert "Đã mở cổng từ 8 giờ" in (await phone.get("/f")).text
    lead = Browser(app)
    await lead.sign_in()
    assert "Khu cách ly 1 " in text_of(await lead.get("/urges"))
    await lead.close()
    app.state.callers["reporting"]._base_url = "http://127.0.0.1:9"
    without = await phone.get("/f")
    assert (without.status_code, "Đăng ký cán bộ đầu mối" in without.text) == (200, True), "the rest of the page stays"


async def test_while_the_register_is_away_the_link_stays_and_the_page_says_so(
    phone: Browser, app: FastAPI, token: str
) -> None:
    await enter(phone, token)
    caller = app.state.callers["inventory"]
    caller._base_url = "http://127.0.0.1:9"
    answer = await phone.get("/f")
    assert (answer.status_code, "set-cookie" in answer.headers) == (503, False)
