"""What a page's stream says of the age of its figures."""

import json
from collections.abc import AsyncIterator

import httpx

from console.apis.caller import Caller
from console.apis.reporting import Reporting
from console.live.events import Listeners
from console.metrics import Metrics

NEWEST_FACT_AGE_S = {"Bearer whole": 1.0, "Bearer ward": 900.0}
"""Of what each reader may see."""


def answer(request: httpx.Request) -> httpx.Response:
    if request.url.path != "/v1/freshness":
        return httpx.Response(503, json={"code": "present_loading"})
    age_s = NEWEST_FACT_AGE_S[request.headers["authorization"]]
    body = {
        "workers": [],
        "present": {"age_s": 0.5},
        "newest_fact_age_s": age_s,
        "newest_proof_age_s": None if age_s < 10 else 2 * age_s,
    }
    return httpx.Response(200, json=body)


async def first_ages(stream: AsyncIterator[bytes]) -> dict[str, float | None]:
    async for said in stream:
        if said.startswith(b"event: ages"):
            ages: dict[str, float | None] = json.loads(said.partition(b"data: ")[2])
            return ages
    raise AssertionError


async def is_known() -> bool:
    return True


async def test_each_reader_hears_of_the_newest_fact_that_it_may_see() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        reporting = Reporting(Caller("reporting", "http://127.0.0.1:1", client, within_s=1, unix_s=lambda: 0.0))
        listeners = Listeners(reporting, Metrics(), most=2, unix_s=lambda: 0.0)
        whole = listeners.stream("whole", 60.0, {}, None, is_known)
        ward = listeners.stream("ward", 60.0, {}, None, is_known)
        ages = [await first_ages(whole), await first_ages(ward)]
        await whole.aclose()
        await ward.aclose()
    assert [round(each["fact"] or 0) for each in ages] == [1, 900]
    assert [each["proof"] and round(each["proof"]) for each in ages] == [None, 1800]
