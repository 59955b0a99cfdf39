"""A tile asks for a picture: it says whose it is, or why there is none, in the reader's language."""

import json
from base64 import b64decode
from gettext import NullTranslations
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from console.tests.conftest import Browser
from fastapi import FastAPI

from console.apis.caller import Loading
from console.drawing.pictures import TILES, draw, draw_answer, may_view, name_kind, tiles_of
from console.live.picture_stream import STREAMS
from console.words import catalogue
from vonggac.auth import Role
from vonggac.auth.rights import Principal
from vonggac.events.inventory import PlannedDelivery

OWN = {"Sec-Fetch-Site": "same-origin"}
NOWHERE = "rtsp://127.0.0.1:9/live"
NO_WORDS = NullTranslations()


async def view(browser: Browser, camera: UUID, delivery: UUID | None = None) -> httpx.Response:
    body = {"camera": str(camera), "width": 200} | ({"delivery": str(delivery)} if delivery is not None else {})
    return await browser.console.post("/pictures", json=body, headers=OWN)


def delivery_to(read_back_url: str | None) -> PlannedDelivery:
    values = {"id": uuid4(), "destination_id": uuid4(), "destination_code": "D", "url": "rtsp://127.0.0.1:9/key"}
    return PlannedDelivery.model_validate(values | {"read_back_url": read_back_url})


@pytest.mark.slow
async def test_a_picture_of_a_centre_comes_with_whose_it_is_in_words(
    browser: Browser, simulate: Any, planner: Any
) -> None:
    centre = (await simulate({"id": "centre"})).cameras["centre"]
    delivery, blind = delivery_to(centre.url()), delivery_to(None)
    camera = await planner.camera(NOWHERE, deliveries=(delivery, blind), probe_interval_s=600.0)
    await browser.sign_in("Trực ban")
    answer = await view(browser, camera.id, delivery.id)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["kind"], found["of"], found["notes"]) == ("now", "centre", [])
    assert found["label"] == "Hình trung tâm trả lại"
    assert b64decode(found["jpeg"]).startswith(b"\xff\xd8\xff")
    assert 0 <= found["age_s"] < 30
    assert answer.headers["cache-control"] == "no-store"
    nothing = (await view(browser, camera.id, blind.id)).json()
    assert (nothing["kind"], nothing["jpeg"]) == ("failed", None)
    assert nothing["notes"][0] == "Trung tâm không trả lại hình."


async def send_still(browser: Browser, camera: UUID, delivery: UUID | None = None) -> httpx.Response:
    """As the form of a tile does in a browser without scripts."""
    form = {"camera": str(camera), "code": "CAM-<b>1"} | ({"delivery": str(delivery)} if delivery is not None else {})
    return await browser.console.post("/pictures/still", data=form, headers=OWN)


@pytest.mark.slow
async def test_without_scripts_a_page_has_the_picture_within_itself_or_why_there_is_none(
    browser: Browser, simulate: Any, planner: Any
) -> None:
    centre = (await simulate({"id": "centre"})).cameras["centre"]
    delivery, blind = delivery_to(centre.url()), delivery_to(None)
    camera = await planner.camera(NOWHERE, deliveries=(delivery, blind), probe_interval_s=600.0)
    await browser.sign_in("Trực ban")
    shown = await send_still(browser, camera.id, delivery.id)
    assert shown.status_code == 200, shown.text
    assert 'src="data:image/jpeg;base64,/9j/' in shown.text
    assert 'class="picture still is-now" data-of="centre"' in shown.text
    assert "Hình trung tâm trả lại · cách đây" in shown.text
    assert "img-src 'self' data:" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"
    assert "CAM-&lt;b&gt;1" in shown.text
    nothing = await send_still(browser, camera.id, blind.id)
    assert "picture still is-failed" in nothing.text
    assert "Trung tâm không trả lại hình." in nothing.text
    assert "<img" not in nothing.text
    assert (await send_still(browser, camera.id)).text.count("is-failed") == 1


async def test_without_scripts_who_may_not_view_reads_so_and_a_wrong_form_is_refused(
    browser: Browser, planner: Any
) -> None:
    camera = await planner.camera(NOWHERE, probe_interval_s=600.0)
    assert (await send_still(browser, camera.id)).headers["location"].startswith("/sign-in")
    await browser.sign_in("Người xem tiến độ")
    denied = await send_still(browser, camera.id)
    assert "picture still is-denied" in denied.text
    assert "<img" not in denied.text
    wrong: list[dict[str, str]] = [{}, {"camera": "x", "code": "A"}, {"camera": str(camera.id)}]
    for form in wrong:
        assert (await browser.console.post("/pictures/still", data=form, headers=OWN)).status_code == 400
    assert (await browser.get("/pictures/still")).headers["location"] == "/pictures"


@pytest.mark.parametrize(("age_s", "kind"), [(29.0, "now"), (31.0, "older")])
def test_a_picture_that_no_script_ages_is_called_old_after_half_a_minute(age_s: float, kind: str) -> None:
    drawn = {"jpeg": "/9j/", "age_s": age_s, "label": "What the centre gives back"}
    found, text = name_kind(drawn, NO_WORDS)
    assert found == kind
    assert ("OLD PICTURE" in text) is (kind == "older")


async def test_who_may_not_view_reads_so_in_both_languages(browser: Browser, planner: Any) -> None:
    camera = await planner.camera(NOWHERE, probe_interval_s=600.0)
    await browser.sign_in("Người xem tiến độ")
    found = (await view(browser, camera.id)).json()
    assert (found["kind"], found["jpeg"]) == ("denied", None)
    assert found["notes"]
    await browser.get("/language/en?to=/sign-out")
    english = (await view(browser, camera.id)).json()
    assert "'view'" in english["notes"][0]


async def read_stream(browser: Browser, *tiles: dict[str, str]) -> list[dict[str, Any]]:
    """The first pictures of a stream of many, one for each tile."""
    found: list[dict[str, Any]] = []
    async with browser.console.stream("POST", "/pictures/stream", json={"tiles": [*tiles]}, headers=OWN) as answer:
        assert answer.headers["content-type"].startswith("application/x-ndjson"), answer.status_code
        async for line in answer.aiter_lines():
            found.append(json.loads(line))
            if len(found) == len(tiles):
                break
    return found


async def test_stream_of_many_says_of_each_tile_why_there_is_no_picture(browser: Browser, planner: Any) -> None:
    await browser.sign_in("Người xem tiến độ")
    (line,) = await read_stream(browser, {"camera": str(uuid4())})
    assert (line["kind"], line["jpeg"]) == ("denied", None)
    assert line["notes"]


async def test_stream_ends_in_words_where_the_prober_is_away(console_without_prober: Browser) -> None:
    (line,) = await read_stream(console_without_prober, {"camera": str(uuid4())})
    assert line["notes"] == ["Dịch vụ kiểm tra không trả lời: hãy thử lại."]


async def test_so_many_streams_are_open_and_no_more(app: FastAPI, browser: Browser) -> None:
    await browser.sign_in("Trực ban")
    app.state.picture_streams.open = STREAMS
    answer = await browser.console.post("/pictures/stream", json={"tiles": [{"camera": str(uuid4())}]}, headers=OWN)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    app.state.picture_streams.open = 0


@pytest.mark.parametrize("tiles", [[], [{"camera": "x"}], [{"camera": str(UUID(int=1))}] * (TILES + 1)])
async def test_stream_of_nothing_of_no_camera_or_of_too_many_is_refused(
    browser: Browser, tiles: list[dict[str, str]]
) -> None:
    await browser.sign_in("Trực ban")
    assert (await browser.console.post("/pictures/stream", json={"tiles": tiles}, headers=OWN)).status_code == 422


async def test_audit_says_who_viewed_which_picture(app: FastAPI, browser: Browser, planner: Any) -> None:
    camera = await planner.camera(NOWHERE, probe_interval_s=600.0)
    await browser.sign_in("Trực ban")
    await view(browser, camera.id)
    lead = Browser(app)
    await lead.sign_in()
    page = (await lead.get("/audit")).text
    [row] = [each for each in page.split("<tr>") if "xem hình" in each]
    assert "duty" in row
    assert f"/register/cameras/{camera.id}" in row
    assert f"/register/cameras/{camera.id}" not in (await lead.get("/audit?of=prober&since=2100-01-01")).text
    reader = Browser(app)
    await reader.sign_in("Người xem tiến độ")
    assert f"/register/cameras/{camera.id}" not in (await reader.get("/audit")).text
    await lead.close()
    await reader.close()


async def test_without_a_session_a_script_gets_401_and_is_not_sent_elsewhere(browser: Browser) -> None:
    assert (await view(browser, uuid4())).status_code == 401


async def test_a_page_of_another_site_cannot_have_a_picture_viewed(browser: Browser) -> None:
    await browser.sign_in()
    answer = await browser.console.post(
        "/pictures", json={"camera": str(uuid4())}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


async def test_a_prober_that_is_away_is_said(console_without_prober: Browser) -> None:
    found = (await view(console_without_prober, uuid4())).json()
    assert (found["kind"], found["notes"]) == ("failed", ["Dịch vụ kiểm tra không trả lời: hãy thử lại."])


def test_a_camera_s_own_picture_is_never_called_the_centre_s() -> None:
    why = {"cause": "auth_failed", "detail": "refused", "advice": {"vi": "Sửa tài khoản.", "en": "Mend the login."}}
    body = {"of": "camera", "jpeg": "/9j/", "width": 2, "height": 2, "seen_at": "2026-12-01T10:00:00+07:00"}
    drawn = draw(body | {"centre": why, "camera": None}, "en", NO_WORDS, 1_796_094_005.0)
    assert (drawn["of"], drawn["label"]) == ("camera", "What the camera sends: no proof that a centre has it")
    assert drawn["notes"] == ["The centre gives nothing back: auth failed.", "Mend the login."]
    assert drawn["age_s"] == 5.0
    vietnamese = draw(body | {"centre": why, "camera": None}, "vi", catalogue.translations("vi"), 0.0)
    assert vietnamese["notes"][1] == "Sửa tài khoản."
    assert vietnamese["age_s"] == 0.0


def test_a_service_that_is_loading_gives_no_picture() -> None:
    assert draw_answer(Loading("prober"), "en", NO_WORDS, 0.0)["kind"] == "failed"


def test_tiles_are_the_centres_with_a_delivery_and_the_camera() -> None:
    role = {"delivery_id": "d", "destination_code": "BO"}
    none = {"delivery_id": None, "destination_code": None}
    row = {"camera_id": "c", "camera_code": "QT-01-C01", "national": role, "provincial": none}
    assert [(each.delivery, each.detail) for each in tiles_of(row)] == [("d", "BO"), (None, "QT-01-C01")]


@pytest.mark.parametrize("role", Role)
def test_a_tile_is_offered_to_who_has_the_right_alone(role: Role) -> None:
    assert may_view(Principal("a", frozenset({role}))) is (role in {Role.PROVINCE_LEAD, Role.VIEWER})
