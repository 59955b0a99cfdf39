"""Requests have an id and a trace, are counted by route, and are one line of the log; readiness is a metric."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from vonggac.events.traces import parse_traceparent, present_trace
from vonggac.http import new_application
from vonggac.telemetry import Health

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


class Service:
    """A service with some routes; `health` is its."""

    def __init__(self) -> None:
        self.health, self.waiting = Health(), asyncio.Event()
        self.app = new_application(
            service="sample",
            title="t",
            description="d",
            version="1.2.3",
            lifespan=lifespan,
            health=self.health,
            metrics=CollectorRegistry(),
            tags={},
        )
        router = APIRouter(prefix="/v1")

        @router.get("/things/{thing_id}")
        async def thing(thing_id: str) -> dict[str, str | None]:
            trace = present_trace()
            return {"id": thing_id, "traceparent": trace and trace.traceparent, **get_contextvars()}

        @router.get("/bugs")
        async def bug() -> None:
            raise RuntimeError("a bug")

        @router.get("/waits")
        async def wait() -> None:
            self.waiting.set()
            await asyncio.Event().wait()

        self.app.include_router(router)

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **options)

    async def samples(self) -> dict[tuple[str, tuple[str, ...]], float]:
        """What `/metrics` has: by name and values of labels."""
        page = (await self.ask("GET", "/metrics")).text
        return {
            (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        }


@pytest.fixture
def service() -> Service:
    return Service()


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The lines of the access log."""
    lines: list[dict[str, Any]] = []
    with capture_logs() as entries:
        yield lines
    lines += [dict(entry) for entry in entries if entry["event"] == "request_answered"]


async def test_requests_are_counted_by_the_template_of_their_route(service: Service) -> None:
    for path in ("/v1/things/1", "/v1/things/2", "/v1/things/3", "/v1/nowhere", "/v1/bugs"):
        await service.ask("GET", path)
    await service.ask("HEAD", "/v1/things/1")
    await service.ask("BREW", "/v1/things/1")
    counted = {
        labels: value
        for (name, labels), value in (await service.samples()).items()
        if name == "vonggac_sample_http_requests_total"
    }
    assert counted == {
        ("200", "GET", "/v1/things/{thing_id}"): 3,
        ("404", "GET", "none"): 1,
        ("500", "GET", "/v1/bugs"): 1,
        ("200", "HEAD", "/v1/things/{thing_id}"): 1,
        ("405", "other", "/v1/things/{thing_id}"): 1,
    }


async def test_a_request_is_one_line_without_its_query(service: Service) -> None:
    with logged() as lines:
        answer = await service.ask("GET", "/v1/things/S3cret?password=S3cret", headers={"X-Request-Id": "req-7"})
    [line] = lines
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/things/{thing_id}", 422)
    assert line["bytes"] == len(answer.content)
    assert line["duration_ms"] >= 0
    assert "S3cret" not in str(line)


async def test_what_machines_ask_for_every_few_seconds_is_logged_as_debug(service: Service) -> None:
    with logged() as lines:
        for path in ("/livez", "/readyz", "/metrics"):
            await service.ask("GET", path)
    assert [line["log_level"] for line in lines] == ["debug"] * 3


async def test_the_id_of_a_request_goes_back_and_stands_in_its_log(service: Service) -> None:
    answer = await service.ask("GET", "/v1/things/1", headers={"X-Request-Id": "req-7"})
    assert answer.headers["X-Request-Id"] == answer.json()["request_id"] == "req-7"
    assert get_contextvars() == {}


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "é"])
async def test_an_id_that_is_none_is_replaced(service: Service, given: str) -> None:
    answer = await service.ask("GET", "/v1/things/1", headers={"X-Request-Id": given.encode()})
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"])


async def test_an_answer_to_a_bug_has_the_id_of_its_line_in_the_log(service: Service) -> None:
    with capture_logs() as entries:
        answer = await service.ask("GET", "/v1/bugs")
    [line] = [entry for entry in entries if entry["event"] == "request_failed"]
    assert answer.status_code == 500
    assert line["request_id"] == answer.headers["X-Request-Id"]


async def test_a_request_goes_on_with_the_trace_of_its_caller(service: Service) -> None:
    given = f"00-{TRACE}-00f067aa0ba902b7-01"
    answer = (await service.ask("GET", "/v1/things/1", headers={"traceparent": given})).json()
    present = parse_traceparent(answer["traceparent"])
    assert present is not None
    assert (present.trace_id, answer["trace_id"]) == (TRACE, TRACE)
    assert answer["traceparent"] != given, "a step of its own"


async def test_a_caller_who_leaves_is_counted_too(service: Service) -> None:
    asking = asyncio.create_task(service.ask("GET", "/v1/waits"))
    await service.waiting.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await service.samples())["vonggac_sample_http_requests_total", ("499", "GET", "/v1/waits")] == 1


async def test_readiness_is_a_metric_by_check_also_when_the_service_is_not_ready(service: Service) -> None:
    async def away() -> str | None:
        return "PostgreSQL is away"

    async def fine() -> str | None:
        return None

    service.health.add("database", away)
    service.health.add("bus", fine)
    service.health.add("clock", away, degrades=True)
    samples = await service.samples()
    ready = {labels: value for (name, labels), value in samples.items() if name == "vonggac_sample_ready"}
    assert ready == {("database",): 0, ("bus",): 1, ("clock",): 0}


async def test_keys_that_cannot_be_read_are_a_metric_in_seconds(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.telemetry.public_keys._FAILS_SINCE", {"provider": time.monotonic() - 400})
    samples = await service.samples()
    assert 400 <= samples["vonggac_sample_public_keys_unread_seconds", ()] < 460


async def test_many_scrapes_make_the_checks_once(service: Service) -> None:
    made: list[int] = []

    async def check() -> str | None:
        made.append(1)
        return None

    service.health.add("bus", check)
    for _ in range(5):
        await service.samples()
    assert len(made) == 1


async def test_the_process_and_its_release_are_metrics(service: Service) -> None:
    samples = await service.samples()
    assert [labels[1] for name, labels in samples if name == "vonggac_sample_build_info"] == ["1.2.3"]
    assert samples["process_resident_memory_bytes", ()] > 1e6
    assert samples["process_open_fds", ()] > 0
