"""Wrong tokens are limited per address, in bounded memory; right ones pass."""

import httpx
import pytest
from fastapi import FastAPI

from vonggac.auth import Principal, Role, install_authentication
from vonggac.auth.tokens import TokenError
from vonggac.auth.wrong_tokens import WrongTokens
from vonggac.http.problems import install_problem_handlers
from vonggac.http.protection import Callers


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class OneToken:
    def __init__(self) -> None:
        self.wrong_tokens = WrongTokens(3)

    async def verify(self, token: str) -> Principal:
        if token != "right":
            raise TokenError("the token is not valid")
        return Principal("somebody", frozenset({Role.READER}))


def test_wrong_tokens_of_an_address_are_counted_by_the_minute() -> None:
    clock = Clock()
    wrong = WrongTokens(3, clock=clock)
    assert [wrong.count("10.0.0.1") for _ in range(4)] == [None, None, None, 60.0]
    assert wrong.count("10.0.0.2") is None
    clock.now_s += 45
    assert wrong.count("10.0.0.1") == 15.0
    clock.now_s += 15
    assert wrong.count("10.0.0.1") is None


def test_wrong_tokens_of_one_customers_network_count_together() -> None:
    wrong = WrongTokens(1)
    assert wrong.count("2001:db8:1:2::1") is None
    assert wrong.count("2001:db8:1:2:ffff::9") is not None
    assert wrong.count("2001:db8:1:3::1") is None
    assert wrong.count("10.0.0.1") is None
    assert wrong.count("::ffff:10.0.0.1") is not None


def test_wrong_tokens_of_ever_more_addresses_take_bounded_memory() -> None:
    wrong = WrongTokens(3, most_addresses=100)
    for number in range(10_000):
        wrong.count(f"host-{number}" if number % 2 else f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(wrong) == 100


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(Callers)
    install_problem_handlers(app)
    install_authentication(app, OneToken(), ())  # type: ignore[arg-type] # has what is used
    return app


async def test_wrong_tokens_get_429_with_the_time_to_wait_and_a_right_one_passes(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app, client=("10.0.0.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
        answers = [await client.get("/v1/x", headers={"Authorization": "Bearer wrong"}) for _ in range(5)]
        right = await client.get("/v1/x", headers={"Authorization": "Bearer right"})
        without = await client.get("/v1/x")
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["code"] == "too_many_wrong_tokens"
    assert (right.status_code, without.status_code) == (404, 401)
    other = httpx.ASGITransport(app, client=("10.0.0.8", 1))
    async with httpx.AsyncClient(transport=other, base_url="http://a") as client:
        assert (await client.get("/v1/x", headers={"Authorization": "Bearer wrong"})).status_code == 401
