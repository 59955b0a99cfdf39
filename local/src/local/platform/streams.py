"""Declares the platform's streams: whoever starts the platform owns the topology."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError

from local.platform.process import ProcessEndedError
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.bus.declared.keeping import StreamKeeper
from vonggac.settings.passwords import read_password

RETRY_S = 0.25
LEAST_OBSERVATIONS_BYTES = 64 << 20
KEEP_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Login:
    """A NATS user and the file with its password."""

    user: str
    password_file: Path


def observations_bound(store_bytes: int, held_bytes: int, stated_bytes: int = 0) -> int:
    """Compute what OBSERVATIONS may take: the usual bound, or the larger one that somebody stated, halved until it is
    no more than half of the store's `store_bytes`.

    It is never less than what the stream holds: no fact goes because the disk has become smaller.
    """
    bound = max(topology.OBSERVATIONS_MAX_BYTES, stated_bytes)
    while bound > store_bytes // 2 and bound // 2 >= max(held_bytes, LEAST_OBSERVATIONS_BYTES):
        bound //= 2
    return bound


async def declare_streams(
    url: str,
    login: Login | None,
    *,
    replicas: int | None = None,
    within_s: float,
    observations_max_bytes: int | None = None,
    store_bytes: int | None = None,
    report_bound: Callable[[int], None] = lambda _bytes: None,
    keeper: StreamKeeper | None = None,
) -> list[str]:
    """Declare on the server at `url`, which may still be starting; returns what was touched.

    `replicas`: copies of each stream, `observations_max_bytes`: what OBSERVATIONS may take; None: as it stands.
    `store_bytes`: what the server's streams may take; OBSERVATIONS is bounded to fit. `report_bound` is called with its
    bound when that is less than usual. `keeper`: knows how they stood before; what was lost since becomes a fact.
    Raises TimeoutError when it does not answer in time, NatsError for what it refuses, OSError without the password.
    """
    keeper = keeper or StreamKeeper()
    user, password = (login.user, read_password(login.password_file)) if login is not None else (None, None)
    async with asyncio.timeout(within_s):
        while True:
            try:
                client = await connect_once(url, name="topology", user=user, password=password)
            except (NatsError, OSError):
                await asyncio.sleep(RETRY_S)
                continue
            try:
                js = client.jetstream()
                bound = observations_max_bytes
                if store_bytes is not None:
                    bound = observations_bound(store_bytes, *await _stored_and_stated(js))
                    if bound < topology.OBSERVATIONS_MAX_BYTES:
                        report_bound(bound)
                declare = partial(_declare, js, replicas, bound)
                touched, _ = await keeper.declare(client, declare)
                return touched
            except NatsTimeoutError:
                # One answer was late: what it declared stands, and the rest has time until `within_s`.
                continue
            finally:
                await client.close()


async def _declare(
    js: JetStreamContext, replicas: int | None, bound: int | None, before: StreamConfig | None
) -> list[str]:
    if replicas is None and bound is None:
        return await topology.declare(js, before=before)
    return await topology.declare(js, replicas=replicas, observations_max_bytes=bound)


async def find_missing(url: str, login: Login, keeper: StreamKeeper) -> list[str]:
    """Streams and consumers that NATS says it does not have. When it has all, `keeper` notes how they stand.

    Raises TimeoutError, NatsError or OSError.
    """
    client = await connect_once(
        url, name="topology", user=login.user, password=await asyncio.to_thread(read_password, login.password_file)
    )
    try:
        absent = await topology.missing(client.jetstream())
        if not absent:
            await keeper.check(client)
        return absent
    finally:
        await client.close()


async def keep_streams(
    url: str,
    login: Login,
    keeper: StreamKeeper,
    declare: Callable[[], Awaitable[None]],
    *,
    report: Callable[[list[str]], None],
) -> None:
    """Declare again what somebody has deleted, until cancelled; who publishes there fills it anew.

    `declare` does it with `keeper`, which publishes what was lost.
    """
    while True:
        await asyncio.sleep(KEEP_EVERY_S)
        try:
            if absent := await find_missing(url, login, keeper):
                report(absent)
                await declare()
        except (TimeoutError, NatsError, OSError, ProcessEndedError):
            # NATS is away: its supervisor sees to that, and it is asked again.
            continue


async def _stored_and_stated(js: JetStreamContext) -> tuple[int, int]:
    try:
        info = await js.stream_info(topology.OBSERVATIONS)
    except NotFoundError:
        return 0, 0
    return info.state.bytes, info.config.max_bytes or 0
