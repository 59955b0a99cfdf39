"""What a caller makes of a service that does not give the document."""

import httpx
import pytest

from console.apis.caller import Answer, Away, Caller, Found, Loading, Refused

NOW_S = 1_000.0


async def ask(status: int, body: object) -> tuple[Answer, Caller]:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    async with httpx.AsyncClient(transport=transport) as client:
        caller = Caller("reporting", "http://127.0.0.1:1", client, within_s=1, unix_s=lambda: NOW_S)
        return await caller.get("token", "/v1/present"), caller


async def test_a_service_that_reads_its_account_is_loading_and_not_away() -> None:
    answer, caller = await ask(503, {"code": "present_loading", "detail": "not accounted yet"})
    assert answer == Loading("reporting")
    assert caller.away_since_s is None


@pytest.mark.parametrize(
    ("status", "body"), [(503, {"code": "database_away"}), (500, {"code": "present_loading"}), (503, ["x"])]
)
async def test_any_other_answer_of_a_server_in_trouble_is_away(status: int, body: object) -> None:
    answer, _ = await ask(status, body)
    assert answer == Away("reporting", NOW_S)


async def test_a_refusal_has_both_languages() -> None:
    answer, _ = await ask(403, {"code": "forbidden", "detail": "no right", "detail_vi": "không có quyền"})
    assert answer == Refused("reporting", 403, "no right", "không có quyền", "forbidden")


async def test_a_document_is_asked_for_as_it_is_and_not_packed() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content='{"name": "Cơ sở 1", "lacking": 0.5}'.encode())

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        caller = Caller("reporting", "http://127.0.0.1:1", client, within_s=1)
        assert await caller.get("token", "/v1/present") == Found({"name": "Cơ sở 1", "lacking": 0.5})
    assert asked[0].headers["accept-encoding"] == "identity"


async def test_what_is_no_document_is_of_a_service_that_is_away() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b'{"name": "cut o'))
    async with httpx.AsyncClient(transport=transport) as client:
        caller = Caller("reporting", "http://127.0.0.1:1", client, within_s=1, unix_s=lambda: NOW_S)
        assert await caller.get("token", "/v1/present") == Away("reporting", NOW_S)
