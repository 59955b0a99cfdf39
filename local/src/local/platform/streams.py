"""Declares the platform's streams: whoever starts the platform owns the topology."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from nats.errors import Error as NatsError

from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.settings.passwords import read_password

RETRY_S = 0.25


@dataclass(frozen=True, slots=True)
class Login:
    """A NATS user and the file with its password."""

    user: str
    password_file: Path


async def declare_streams(url: str, login: Login | None, *, replicas: int = 1, within_s: float) -> list[str]:
    """Declare on the server at `url`, which may still be starting; returns what was touched.

    Raises TimeoutError when it does not answer in time, NatsError for what it refuses, OSError without the password.
    """
    user, password = (login.user, read_password(login.password_file)) if login is not None else (None, None)
    async with asyncio.timeout(within_s):
        while True:
            try:
                client = await connect_once(url, name="topology", user=user, password=password)
            except (NatsError, OSError):
                await asyncio.sleep(RETRY_S)
                continue
            try:
                return await topology.declare(client.jetstream(), replicas=replicas)
            finally:
                await client.close()
