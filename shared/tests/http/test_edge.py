"""The HTTP edge: every error is problem+json, every route wants a token, health says what it checked."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry, Counter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from structlog.testing import capture_logs

from vonggac.auth import (
    Caller,
    Right,
    Role,
    TokenVerifier,
    add_routes,
    check_policy,
    guarded_router,
    install_authentication,
)
from vonggac.auth.keys import JWKS
from vonggac.auth.policy import Entry, Reach
from vonggac.http import FieldError, ProblemError, new_application
from vonggac.http.problems import OTHERWISE, install_problem_handlers
from vonggac.telemetry import Health


def _even(count: int) -> int:
    if count % 2:
        message = "must be even"
        raise ValueError(message)
    return count


POLICY = (
    Entry("GET", "/v1/read", (Right.READ,), Reach.NARROWED),
    Entry("POST", "/v1/add", (Right.ADD,), Reach.PROVINCE),
    Entry("GET", "/v1/conflict", (Right.READ,), Reach.COMMON),
    Entry("POST", "/v1/echo", (Right.ADD,), Reach.COMMON),
    Entry("GET", "/v1/bug", (Right.READ,), Reach.COMMON),
)


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str


class Body(BaseModel):
    count: Annotated[int, AfterValidator(_even)] = Field(ge=1)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture
def health() -> Health:
    return Health()


@pytest_asyncio.fixture
async def client(keys_folder: Path, health: Health) -> AsyncIterator[httpx.AsyncClient]:
    registry = CollectorRegistry()
    Counter("vonggac_test_things", "Things.", registry=registry).inc()
    app = new_application(
        service="sample",
        title="t",
        description="d",
        version="1",
        lifespan=lifespan,
        health=health,
        metrics=registry,
        tags={},
    )
    verifier = TokenVerifier(jwks_file=keys_folder / JWKS, jwks_url=None, issuer="vong-gac", audience="vong-gac")
    install_authentication(app, verifier, POLICY)

    @app.get("/v1/read")
    async def read(caller: Caller) -> str:
        return caller.subject

    @app.post("/v1/add")
    async def add(body: Body) -> int:
        return body.count

    @app.post("/v1/echo")
    async def echo(body: Said) -> Said:
        return body

    @app.get("/v1/conflict")
    async def conflict() -> None:
        errors = [FieldError(field="code", row=3, message="taken")]
        raise ProblemError(HTTPStatus.CONFLICT, "conflict", "rtsp://u:S3cret!@h is taken", errors)

    @app.get("/v1/bug")
    async def bug() -> None:
        message = "S3cret! in a bug"
        raise RuntimeError(message)

    check_policy(app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


def test_routes_that_would_admit_everybody_are_not_added() -> None:
    app, router, guarded = FastAPI(), APIRouter(), guarded_router("/v1", tags=["things"])
    router.get("/v1/open")(read_nothing)
    guarded.get("/closed")(read_nothing)
    with pytest.raises(ValueError, match="/v1/open admits everybody"):
        add_routes(app, [guarded, router])


def test_an_app_takes_the_routes_of_a_router_as_they_are() -> None:
    router, apps = guarded_router("/v1", tags=["things"]), [FastAPI(), FastAPI()]
    router.get("/things")(read_nothing)
    for app in apps:
        add_routes(app, [router])
    assert apps[0].routes[-1] is apps[1].routes[-1] is router.routes[0]


async def read_nothing() -> None:
    """A route's function."""


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_call_without_a_token_is_answered_with_how_to_send_one(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/read")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "bearer token" in answer.json()["detail"]


@pytest.mark.parametrize("header", [None, "Bearer", "Basic YTpi", "Bearer x.y.z", "bearer  "])
@pytest.mark.parametrize(
    ("method", "path", "content"),
    [("GET", "/v1/read?nonsense=1", None), ("GET", "/v1/nowhere", None), ("PATCH", "/v1/read", None),
     ("POST", "/v1/add", b"no json"), ("GET", "/v1/conflict", None), ("GET", "/v1", None)],
)  # fmt: skip
async def test_who_calls_is_asked_before_anything_else(
    client: httpx.AsyncClient, header: str | None, method: str, path: str, content: bytes | None
) -> None:
    headers = {"content-type": "application/json"} | ({} if header is None else {"Authorization": header})
    answer = await client.request(method, path, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_two_tokens_are_none(client: httpx.AsyncClient, token_for: Callable[[Role], str]) -> None:
    headers = [("Authorization", f"Bearer {token_for(Role.READER)}")] * 2
    assert (await client.get("/v1/read", headers=headers)).status_code == 401


async def test_a_body_without_a_token_is_not_read(client: httpx.AsyncClient) -> None:
    read: list[bytes] = []

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(100):
            read.append(b"x" * 1000)
            yield read[-1]

    answer = await client.post("/v1/add", content=parts())
    assert (answer.status_code, answer.headers["connection"], read) == (401, "close", [])


async def test_a_role_without_the_right_is_denied(client: httpx.AsyncClient, token_for: Callable[[Role], str]) -> None:
    answer = await client.post("/v1/add", headers=bearer(token_for(Role.READER)), json={"count": 1})
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"
    assert "'add'" in answer.json()["detail"]
    assert (await client.get("/v1/read", headers=bearer(token_for(Role.READER)))).json() == "test-reader"


@pytest.mark.parametrize(("body", "field"), [({"count": 0}, "count"), ({}, "count"), ({"count": "x"}, "count")])
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, token_for: Callable[[Role], str], body: dict[str, object], field: str
) -> None:
    answer = await client.post("/v1/add", headers=bearer(token_for(Role.OPERATOR)), json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_rule_of_our_own_speaks_without_the_framework_s_prefix(
    client: httpx.AsyncClient, token_for: Callable[[Role], str]
) -> None:
    answer = await client.post("/v1/add", json={"count": 3}, headers=bearer(token_for(Role.OPERATOR)))
    (error,) = answer.json()["errors"]
    assert (error["field"], error["row"], error["message"]) == ("count", None, "must be even")


async def test_a_body_that_is_no_json_is_named_and_not_its_character(
    client: httpx.AsyncClient, token_for: Callable[[Role], str]
) -> None:
    headers = bearer(token_for(Role.PROVINCE_LEAD)) | {"Content-Type": "application/json"}
    answer = await client.post("/v1/add", content=b'{"count": 2', headers=headers)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, "body")
    assert error["message"].startswith("is no JSON at character 11")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"text": "a", "text": "b"}', {"text"}), (b'{"text": "a", "te\\u0078t": "a"}', {"text"}),
        (b'{"x": [{"a": 1, "b": 2, "a": 1}, {"c": 1, "c": 2, "c": 3}], "text": "a"}', {"a", "c"}),
        (b'{"rtsp://u:S3cret!@h/": 1, "rtsp://u:S3cret!@h/": 2}', {"rtsp://***@h/"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["application/json", "application/merge-patch+json; charset=utf-8"])
async def test_a_field_that_is_given_twice_is_named(
    client: httpx.AsyncClient, token_for: Callable[[Role], str], body: bytes, fields: set[str], kind: str
) -> None:
    headers = bearer(token_for(Role.PROVINCE_LEAD)) | {"Content-Type": kind}
    answer = await client.post("/v1/echo", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert {error["field"] for error in answer.json()["errors"]} == fields
    assert "times in one object" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("name", ["text", "x"])
async def test_one_name_in_several_objects_is_no_mistake(
    client: httpx.AsyncClient, token_for: Callable[[Role], str], name: str
) -> None:
    headers = bearer(token_for(Role.PROVINCE_LEAD)) | {"Content-Type": "application/json"}
    body = f'{{"text": [{{"{name}": 1}}, {{"{name}": 2}}]}}'
    errors = (await client.post("/v1/echo", content=body, headers=headers)).json()["errors"]
    assert [error["message"] for error in errors] == ["Input should be a valid string"]


async def test_a_body_of_many_names_is_read_in_the_time_of_its_length(
    client: httpx.AsyncClient, token_for: Callable[[Role], str]
) -> None:
    headers = bearer(token_for(Role.PROVINCE_LEAD)) | {"Content-Type": "application/json"}
    body = "{" + ",".join(f'"{number}":0,"{number}":1' for number in range(5_000)) + "}"
    began = time.process_time()
    answer = await client.post("/v1/echo", content=body, headers=headers)
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 100)
    assert time.process_time() - began < 0.5


async def test_a_problem_carries_its_errors_and_no_credential(
    client: httpx.AsyncClient, token_for: Callable[[Role], str]
) -> None:
    answer = await client.get("/v1/conflict", headers=bearer(token_for(Role.READER)))
    (error,) = answer.json()["errors"]
    assert (error["field"], error["row"], error["message"]) == ("code", 3, "taken")
    assert "S3cret!" not in answer.text


async def test_a_bug_is_a_500_without_its_inner_workings(
    client: httpx.AsyncClient, token_for: Callable[[Role], str]
) -> None:
    with capture_logs() as logged:
        answer = await client.get("/v1/bug", headers=bearer(token_for(Role.READER)))
    assert answer.status_code == 500
    assert [entry["event"] for entry in logged] == ["request_answered", "request_failed"]
    assert answer.json()["code"] == "internal_error"
    assert "S3cret!" not in answer.text


@pytest.mark.parametrize(
    "body", [b'{"text": "\\ud800"}', b'{"text": "a", "\\ud800": 1}', b'{"text": "\\udc00\\ud800"}', b'"\\udfff"']
)
async def test_half_a_letter_is_no_error_of_ours(
    client: httpx.AsyncClient, token_for: Callable[[Role], str], body: bytes
) -> None:
    headers = bearer(token_for(Role.PROVINCE_LEAD)) | {"Content-Type": "application/json"}
    answer = await client.post("/v1/echo", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text
    whole = await client.post("/v1/echo", content=b'{"text": "\\ud83d\\udcf7"}', headers=headers)
    assert whole.json() == {"text": "\U0001f4f7"}


async def test_an_unknown_path_is_a_problem_too(client: httpx.AsyncClient, token_for: Callable[[Role], str]) -> None:
    answer = await client.get("/v1/nowhere", headers=bearer(token_for(Role.READER)))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_every_problem_is_said_in_vietnamese_too_whoever_answers_it(
    client: httpx.AsyncClient, token_for: Callable[[Role], str]
) -> None:
    """The middleware before all routes, the framework, and what the types of fields refuse."""
    lead = bearer(token_for(Role.PROVINCE_LEAD))
    answers = [
        await client.get("/v1/read"),
        await client.get("/v1/read", headers=bearer("x.y.z")),
        await client.get("/v1/nowhere", headers=lead),
        await client.delete("/v1/read", headers=lead),
        await client.get("/v1/read?nonsense=1", headers=lead),
        await client.post("/v1/add", headers=lead, json={"count": "five"}),
        await client.post("/v1/add", headers=lead, content=b"no json"),
        await client.get("/v1/bug", headers=lead),
    ]
    problems = [answer.json() for answer in answers]
    assert [one["status"] for one in problems] == [401, 401, 404, 405, 422, 422, 422, 500]
    for one in problems:
        sentences = [one["title_vi"], one["detail_vi"], *(error["message_vi"] for error in one["errors"])]
        assert all(sentences), one
        assert not [text for text in sentences if text.startswith(OTHERWISE.partition("{")[0])], one
    assert problems[1]["detail_vi"].startswith("mã truy cập không đọc được")


async def test_readiness_names_what_fails_and_liveness_does_not_care(client: httpx.AsyncClient, health: Health) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ready", "failures": {}}

    async def away() -> str | None:
        return "NATS is not connected"

    health.add("bus", away)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["failures"]) == (503, {"bus": "NATS is not connected"})
    assert (await client.get("/livez")).status_code == 200


async def test_what_only_degrades_is_named_and_does_not_take_the_process_out(
    client: httpx.AsyncClient, health: Health
) -> None:
    async def fast() -> str | None:
        return "this machine's clock is 180.0 s fast; published times are corrected"

    health.add("clock", fast, degrades=True)
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert (answer.json()["status"], list(answer.json()["degradations"])) == ("degraded", ["clock"])


async def test_metrics_are_served_as_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert "vonggac_test_things_total 1.0" in answer.text


async def test_a_refused_method_names_all_that_the_address_has() -> None:
    """Each method is a route of its own; the first does not speak for the others (RFC 9110 15.5.6)."""
    app = FastAPI()
    install_problem_handlers(app)
    for method in ("PATCH", "GET", "DELETE"):
        app.add_api_route("/v1/things/{thing_id}", lambda thing_id: thing_id, methods=[method])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service") as client:
        answer = await client.put("/v1/things/1", json={})
        assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, PATCH")
        assert "allow" not in (await client.put("/v1/nothing", json={})).headers
