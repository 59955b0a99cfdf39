"""What an answer of an error repeats of a request is bounded."""

import json
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field

from vonggac.http.problems import MOST_OF_A_NAME, RefusedBodyError, install_problem_handlers
from vonggac.http.problems.requests import OF_CODES, OF_REQUESTS, OF_STATUSES
from vonggac.http.protection.json_body import MOST_FIELDS, JsonRoute, parse_json
from vonggac.telemetry import redact


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = ""


async def post(app: FastAPI, body: object, path: str = "/") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        return await client.post(path, json=body)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("k" * 900_000, "k" * MOST_OF_A_NAME + "…"),
        ("mode", "mode"),
        (f"password={'Lk0123' * 1_000}", "password=***"),
    ],
)
async def test_a_field_that_nobody_asked_for_is_named_by_its_beginning(name: str, shown: str) -> None:
    app = FastAPI()
    install_problem_handlers(app)

    @app.post("/")
    async def take(wanted: _Wanted) -> str:
        return wanted.code

    answer = await post(app, {name: 1})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [shown]
    assert len(answer.content) < 1_000


class _Below(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kbps: int = 0


class _Above(BaseModel):
    model_config = ConfigDict(extra="forbid")

    beds: int = 0
    start: int = Field(default=0, alias="from")
    main: _Below | None = None
    others: tuple[_Below, ...] = ()


@pytest.mark.parametrize(
    ("body", "message", "message_vi"),
    [
        ({"beds_": 1}, "is no field here; names like it: beds", "không có trường này; gần giống: beds"),
        (
            {"zzz": 1},
            "is no field here; the fields are: beds, from, main, others",
            "không có trường này; các trường có: beds, from, main, others",
        ),
        ({"main": {"zzz": 1}}, "is no field here; the fields are: kbps", "không có trường này; các trường có: kbps"),
        ({"others": [{}, {"kbp": 1}]}, "is no field here; names like it: kbps", "không có trường này; gần giống: kbps"),
    ],
)
async def test_who_sends_an_unknown_field_reads_the_known_ones(
    body: dict[str, object], message: str, message_vi: str
) -> None:
    app = FastAPI()
    install_problem_handlers(app)

    @app.post("/")
    async def take(wanted: _Above) -> int:
        return wanted.beds

    (error,) = (await post(app, body)).json()["errors"]
    assert (error["message"], error["message_vi"]) == (message, message_vi)


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = 0


async def test_an_unknown_parameter_is_not_answered_with_the_fields_of_the_body() -> None:
    app = FastAPI()
    install_problem_handlers(app)

    @app.post("/")
    async def take(wanted: _Above, asked: Annotated[_Asked, Query()]) -> int:
        return wanted.beds + asked.limit

    (error,) = (await post(app, {}, "/?zzz=1")).json()["errors"]
    assert error["field"] == "zzz"
    assert "beds" not in error["message"]


async def test_bombs_of_many_fields_are_refused_before_any_is_named() -> None:
    app = FastAPI()
    install_problem_handlers(app)

    async def take(wanted: _Wanted) -> str:
        return wanted.code

    app.router.add_api_route("/", take, methods=["POST"], route_class_override=JsonRoute)
    body = json.dumps({f"field_{number}": 0 for number in range(MOST_FIELDS + 1)})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        answer = await client.post("/", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert f"has {MOST_FIELDS + 1} fields, and at most {MOST_FIELDS}" in answer.json()["detail"]
    assert str(MOST_FIELDS) in answer.json()["detail_vi"]
    assert len(answer.content) < 1_000


def test_of_a_field_that_is_given_twice_no_more_is_read_for_secrets_than_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []

    def redact_counted(text: str) -> str:
        read.append(len(text))
        return redact(text)

    monkeypatch.setattr("vonggac.http.protection.json_body.redact", redact_counted)
    name = "k" * 450_000
    with pytest.raises(RefusedBodyError) as caught:
        parse_json(f'{{"{name}": 1, "{name}": 2}}'.encode())
    assert "is given 2 times" in str(caught.value.refusal.problem.errors)
    assert max(read) <= MOST_OF_A_NAME


async def test_bombs_of_many_levels_are_refused_with_how_to_mend_them() -> None:
    app = FastAPI()
    install_problem_handlers(app)

    async def take(wanted: _Wanted) -> str:
        return wanted.code

    app.router.add_api_route("/", take, methods=["POST"], route_class_override=JsonRoute)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        answer = await client.post("/", content="[" * 100_000, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "some hundred levels" in answer.json()["detail"]
    assert "vài trăm" in answer.json()["detail_vi"]


@pytest.mark.parametrize("said", [*(said for _, said in OF_REQUESTS), *OF_CODES.values(), *OF_STATUSES.values()])
def test_no_sentence_in_vietnamese_looks_like_a_secret(said: str) -> None:
    assert redact(said) == said


async def test_an_address_that_is_not_there_is_no_record_that_is_not_there() -> None:
    app = FastAPI()
    install_problem_handlers(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        problem = (await client.get("/v1/camera")).json()
    assert problem["code"] == "not_found"
    assert "/docs" in problem["detail"]
    assert problem["detail_vi"].startswith("không có địa chỉ này")
