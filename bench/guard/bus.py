"""Each service's login in hostile hands: every subject that it may publish to, with every reply subject of the matrix.

The same as `pytest -k reply_subject` shows, against a server of its own, as one figure.
"""

import secrets
import tempfile
from pathlib import Path

from shared.tests.bus.declared.hostile_logins import (
    REPLIES,
    SERVICES,
    changes,
    declare_without_ages,
    requests_of,
    send,
    settled,
    store_victims,
)

from vonggac.bus.connection import connect_once
from vonggac.embedded import NatsServer, free_port

NAME = "bus"


async def count_wrong_cells(only: str) -> dict[str, float]:
    """`bus_cells_wrong`: what was stored, removed or made by a reply; nothing where `only` names other attacks."""
    if only not in NAME:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        server = NatsServer(Path(folder) / "nats", free_port())
        server.start()
        try:
            return {"bus_cells_wrong": float(len(await _attack(server)))}
        finally:
            server.stop()


async def _attack(server: NatsServer) -> list[str]:
    """One line for each thing that stands otherwise than before."""
    inside, wrong = await connect_once(server.url, name="bench"), list[str]()
    try:
        streams = inside.jetstream()
        await declare_without_ages(streams)
        for user in SERVICES:
            await store_victims(streams)
            login = await connect_once(server.url, name="hostile", user=user.name, password=server.password(user.name))
            try:
                requests = requests_of(user)
                await send(login, requests, [f"{user.inbox}.{secrets.token_hex(8)}"])
                before = await settled(streams)
                await send(login, requests, (*REPLIES, *(subject for subject, _ in requests)))
                found = changes(before, await settled(streams), requests)
            finally:
                await login.close()
            for line in found:
                print(f"{user.name}: {line}")
            wrong += found
    finally:
        await inside.close()
    return wrong
