"""While PostgreSQL is away every question gets 503 and the time to try again, as from the other services."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Start

    from reporting.settings import Settings


@pytest.mark.server
async def test_a_database_that_is_away_is_no_mistake_of_ours(start: Start, settings: Settings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = SecretStr(f"postgresql://nobody@127.0.0.1:{closed.getsockname()[1]}/reporting")
        away = settings.model_copy(update={"database_url": url})
        async with start(away) as client:
            for path in ("/v1/compliance", "/v1/outages", "/v1/obligations"):
                answer = await client.get(path)
                assert (answer.status_code, answer.json().get("code")) == (503, "database_unavailable"), path
                assert answer.headers["retry-after"] == "2"
