"""What an answer of an error repeats of a request is bounded."""

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from vonggac.http.problems import MOST_OF_A_NAME, install_problem_handlers


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = ""


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

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        answer = await client.post("/", json={name: 1})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [shown]
    assert len(answer.content) < 1_000
