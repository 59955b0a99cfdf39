"""A stop is bounded, whatever goes on: an import that waits, a download that nobody reads."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import NullPool, create_engine, text

from inventory.settings import Settings
from inventory.storage.store import WRITERS_LOCK
from vonggac.auth import Role
from vonggac.embedded import free_port
from vonggac.testing import eventually

WITHIN_S = 45
"""The grace that the chart gives a pod of inventory."""
ADD_AGENCIES = text(
    "insert into agencies (id, revision, created_at, changed_at, code, name, name_order, search, role) "
    "select gen_random_uuid(), 1, now(), now(), 'A-' || n, repeat('Sở ', 60), 'so', 'so', 'operator' "
    "from generate_series(1, 40000) n"
)


@asynccontextmanager
async def served(settings: Settings, token: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """`python -m inventory` as a process, ready, and a client."""
    port = free_port()
    given = {name.upper(): getattr(settings, name) for name in ("nats_url", "nats_user", "nats_password_file")}
    given |= {"DATABASE_URL": settings.database_url.get_secret_value(), "JWKS_FILE": settings.jwks_file, "PORT": port}
    given |= {"WRITE_WAIT_S": 300, "LOG_LEVEL": "error"}
    given |= {"WORKERS_PUBLIC_KEY_FILE": settings.workers_public_key_file}
    environment = os.environ | {f"VONGGAC_INVENTORY_{name}": str(value) for name, value in given.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "inventory", env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    headers = {"Authorization": f"Bearer {token}", "content-type": "text/csv"}
    address = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=120) as client:

        async def ready() -> bool:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        try:
            await eventually(ready, within_s=60)
            yield process, client
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def seconds_to_stop(process: asyncio.subprocess.Process) -> float:
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.wait(), 90)
    assert process.returncode == 0
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.usefixtures("bus")
async def test_a_stop_is_bounded_with_an_import_that_waits_and_a_download_that_nobody_reads(
    settings: Settings, token_for: Callable[[Role], str]
) -> None:
    token = token_for(Role.PROVINCE_LEAD)
    engine = create_engine(settings.database_url.get_secret_value(), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(ADD_AGENCIES)
    async with served(settings, token) as (process, client):
        with engine.begin() as held, socket.socket() as download:
            held.execute(text(f"select pg_advisory_xact_lock({WRITERS_LOCK})"))
            download.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            download.connect((client.base_url.host, client.base_url.port))
            request = f"GET /v1/exports/agencies.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
            download.sendall(request.encode())
            assert download.recv(4) == b"HTTP"
            body = b"code,name,role\nB-1,x,operator\n"
            at_once = asyncio.create_task(client.post("/v1/imports/agencies", content=body))
            later = await client.post("/v1/imports/agencies", content=body, headers={"prefer": "respond-async"})
            assert later.status_code == 202
            assert await seconds_to_stop(process) < WITHIN_S
        await asyncio.gather(at_once, return_exceptions=True)
    with engine.begin() as connection:
        assert connection.execute(text("select count(*) from agencies where code = 'B-1'")).scalar() == 0
    engine.dispose()
