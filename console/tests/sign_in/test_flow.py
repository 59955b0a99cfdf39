"""A person signs in by the code flow, stays signed in, and signs out; nobody else gets anything of it."""

import asyncio
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from console.tests.conftest import ORIGIN, Browser, Links, running_console
from fastapi import FastAPI

from console.sign_in.code_flow import challenge_of
from console.sign_in.required import own_path
from console.sign_in.sessions import address_of
from local.issuer.settings import IssuerSettings
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer
from vonggac.testing.fixtures import connected_as

pytestmark = pytest.mark.server
SAME = {"Origin": ORIGIN}


def cookie_of(browser: Browser) -> str:
    return browser.console.cookies["vonggac_session"]


async def test_who_is_not_signed_in_is_sent_to_the_provider_and_back_to_the_page(browser: Browser) -> None:
    asked = await browser.get("/cameras?state=down&unit=465")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?to=%2Fcameras%3Fstate%3Ddown%26unit%3D465"
    page = await browser.sign_in(to="/cameras?state=down&unit=465")
    assert str(page.url) == ORIGIN + "/cameras?state=down&unit=465"
    assert "Sở Thông tin và Truyền thông (chủ trì)" in page.text


async def test_the_question_to_the_provider_has_pkce_a_state_and_a_nonce(browser: Browser) -> None:
    asked = await browser.get("/sign-in")
    query = parse_qs(urlsplit(asked.headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [ORIGIN + "/sign-in/callback"]
    assert len(query["state"][0]) >= 32
    assert len(query["nonce"][0]) >= 32
    # RFC 7636, appendix B.
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def code_for(browser: Browser) -> str:
    """The address to which the provider sends the browser back."""
    people = await browser.follow("/sign-in")
    chosen = next(address for words, address in Links(people.text).by_words.items() if "chủ trì" in words)
    back = await browser.get(urljoin(str(people.url), chosen))
    return str(back.headers["location"])


async def test_a_code_is_taken_once_and_only_in_the_browser_that_asked(app: FastAPI, browser: Browser) -> None:
    back = await code_for(browser)
    stranger = Browser(app)
    assert (await stranger.get(back)).status_code == 403
    assert "set-cookie" not in (await stranger.get(back)).headers
    await stranger.close()
    assert (await browser.get(back)).status_code == 303
    assert (await browser.get(back)).status_code == 403


async def test_another_state_or_no_code_signs_nobody_in(browser: Browser) -> None:
    back = await code_for(browser)
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert (await browser.get(back.replace(state, state[::-1]))).status_code == 403
    assert (await browser.get(f"/sign-in/callback?state={state}&error=access_denied")).status_code == 403
    assert (await browser.get(f"/sign-in/callback?state={state}&code=guessed")).status_code == 403
    assert "vonggac_session" not in browser.console.cookies


async def test_who_reads_the_bus_has_nothing_of_a_session(browser: Browser, bus: Bus, app: FastAPI) -> None:
    await browser.sign_in()
    cookie = cookie_of(browser)
    stored = await Bucket(bus, topology.CONSOLE_SESSIONS).all()
    assert set(stored) == {address_of(cookie)}
    found = await app.state.visitors.sessions.load(cookie)
    for secret in (cookie, found[0].access, found[0].refresh, "chủ trì", "eyJ"):
        assert secret.encode() not in stored[address_of(cookie)]
        assert secret not in address_of(cookie)


async def test_no_service_but_the_console_reads_its_sessions(nats_server: NatsServer, browser: Browser) -> None:
    await browser.sign_in()
    async with connected_as("reporting", nats_server) as other:
        with pytest.raises(TimeoutError):
            await Bucket(other, topology.CONSOLE_SESSIONS).get(address_of(cookie_of(browser)))


async def test_sign_out_ends_the_session_for_whoever_has_its_cookie(browser: Browser) -> None:
    await browser.sign_in()
    cookie = cookie_of(browser)
    page = await browser.post("/sign-out", **SAME)
    assert page.status_code == 200
    assert "/end-session?" in page.text
    browser.console.cookies.set("vonggac_session", cookie, domain="127.0.0.1")
    assert (await browser.get("/")).headers["location"].startswith("/sign-in?")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_a_form_of_another_site_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    await browser.sign_in()
    assert (await browser.post("/sign-out", **headers)).status_code == 403
    assert (await browser.get("/")).status_code != 303


async def stored(bus: Bus) -> dict[str, bytes]:
    return await Bucket(bus, topology.CONSOLE_SESSIONS).all()


@pytest.mark.parametrize("cookie", [None, "", "guessed", "g" * 4000])
async def test_bombs_of_a_stranger_s_forms_are_kept_nowhere(browser: Browser, bus: Bus, cookie: str | None) -> None:
    if cookie is not None:
        browser.console.cookies.set("vonggac_session", cookie, domain="127.0.0.1")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/acts/inventory/add_agency", "/acts/nowhere/nothing"):
        answer = await browser.console.post(path, content=b"name=" + bytes(60_000), headers=SAME | form)
        assert answer.headers["location"].startswith("/sign-in?")
        assert "draft" not in answer.headers.get("set-cookie", "")
    assert await stored(bus) == {}


async def test_bombs_of_forms_of_a_session_that_has_ended_are_kept_as_one(
    app: FastAPI, browser: Browser, bus: Bus
) -> None:
    await browser.sign_in()
    await app.state.visitors.sessions.close(cookie_of(browser))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for number in range(3):
        body = f"name={number}".encode()
        answer = await browser.console.post("/acts/inventory/add_agency", content=body, headers=SAME | form)
        assert "vonggac_draft" in answer.headers["set-cookie"]
    assert len(await stored(bus)) == 1
    draft = browser.console.cookies["vonggac_draft"]
    assert await app.state.kept.take_draft(draft) == b"name=2"
    assert cookie_of(browser) not in draft


async def test_a_form_of_our_own_page_is_taken_by_either_header(browser: Browser) -> None:
    assert (await browser.post("/sign-out", **{"Sec-Fetch-Site": "same-origin"})).status_code == 200
    assert (await browser.post("/sign-out", **SAME)).status_code == 200


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/cameras?q=1", "/cameras?q=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_sign_in_leads_back_to_pages_of_ours_alone(given: str | None, path: str) -> None:
    assert own_path(given) == path


async def test_tokens_are_renewed_ahead_of_their_end_and_once_for_all_who_ask(
    nats_server: NatsServer, bus: Bus, issuer: IssuerSettings
) -> None:
    """The issuer's refresh tokens are good for one use: a second one would end the session."""
    hour = 3600.0
    shift = [0.0]

    def unix_s() -> float:
        return asyncio.get_running_loop().time() + 1_800_000_000 + shift[0]

    async with (
        running_console(nats_server, issuer, unix_s) as first,
        running_console(nats_server, issuer, unix_s) as second,
    ):
        browser = Browser(first)
        await browser.sign_in()
        cookie = cookie_of(browser)
        before = await first.state.visitors.find(cookie)
        shift[0] = issuer.access_s - 30
        replicas = [first.state.visitors, second.state.visitors] * 5
        found = await asyncio.gather(*(each.find(cookie) for each in replicas))
        assert {each.token for each in found} != {before.token}
        assert len({each.token for each in found}) == 1
        shift[0] += 13 * hour
        assert await second.state.visitors.find(cookie) is None
        await browser.close()


async def test_who_does_nothing_for_an_hour_is_signed_out(
    nats_server: NatsServer, bus: Bus, issuer: IssuerSettings
) -> None:
    shift = [0.0]

    def unix_s() -> float:
        return asyncio.get_running_loop().time() + 1_800_000_000 + shift[0]

    async with running_console(nats_server, issuer, unix_s, idle_min=10) as app:
        browser = Browser(app)
        await browser.sign_in()
        shift[0] += 9 * 60
        assert await app.state.visitors.find(cookie_of(browser)) is not None
        shift[0] += 9 * 60
        assert await app.state.visitors.find(cookie_of(browser)) is not None
        shift[0] += 11 * 60
        assert await app.state.visitors.find(cookie_of(browser)) is None
        await browser.close()


async def test_a_damaged_or_foreign_record_signs_nobody_in(browser: Browser, bus: Bus, app: FastAPI) -> None:
    await browser.sign_in()
    bucket = Bucket(bus, topology.CONSOLE_SESSIONS)
    stored = await bucket.get(address_of(cookie_of(browser)))
    assert stored is not None
    await bucket.put(address_of("another"), stored)
    assert await app.state.visitors.find("another") is None
    await bucket.put(address_of(cookie_of(browser)), stored[:-1] + b"x")
    assert await app.state.visitors.find(cookie_of(browser)) is None
