"""Keeps what is declared: declares again what was deleted, and publishes what was lost with it.

How all stood is kept in a bucket, so that a loss is known also to who starts after it. A bucket that was deleted with
the rest is known by who goes on.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig
from nats.js.errors import APIError, KeyNotFoundError, NotFoundError
from nats.js.kv import KeyValue
from pydantic import BaseModel, ConfigDict, ValidationError

from vonggac.bus.declared import topology
from vonggac.bus.declared.losses import StreamStatus, find_losses, name_of, reader_of
from vonggac.events import new_event, subjects
from vonggac.events.envelope import CONTENT_TYPE
from vonggac.events.setup import StreamLostV1
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

KEEP_EVERY_S = 10.0
ANSWER_WITHIN_S = 5.0
SOURCE = "/setup"
ALL = "all"
_BUCKET_STREAM = topology.key_value_stream(topology.STREAMS_SEEN)
MOST_LOSSES = 100
"""Kept, to be published again with the stream of facts."""

type Declare = Callable[[StreamConfig | None], Awaitable[list[str]]]
"""Given OBSERVATIONS as it was seen last, for `topology.declare`; None: never seen. Returns what was touched."""


class Seen(BaseModel):
    """How all stood when they were seen last, by `name_of`, and the newest losses, oldest first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    statuses: dict[str, StreamStatus] = {}
    losses: tuple[StreamLostV1, ...] = ()

    @property
    def facts(self) -> StreamConfig | None:
        """The copies and the bound of OBSERVATIONS."""
        stood = self.statuses.get(topology.OBSERVATIONS)
        return None if stood is None else StreamConfig(num_replicas=stood.replicas, max_bytes=stood.max_bytes)

    def with_newer(self, other: "Seen") -> "Seen":
        """Join what both know; of what both saw, as `other` did. A bucket that was deleted knows no loss."""
        return Seen(statuses=self.statuses | other.statuses, losses=other.losses or self.losses)

    def without_restored(self, stands: Mapping[str, StreamStatus]) -> "Seen":
        """Its losses alone where a backup brought the bucket: what it saw are the streams of other servers."""
        stood = self.statuses.get(_BUCKET_STREAM)
        if stood is None or _BUCKET_STREAM not in stands or stood.created == stands[_BUCKET_STREAM].created:
            return self
        return Seen(losses=self.losses)


class StreamKeeper:
    """What one process knows of how the streams stood. One connection at a time is given to `declare`."""

    def __init__(self) -> None:
        self._known = Seen()

    async def declare(self, client: Client, declare: Declare) -> tuple[list[str], list[StreamLostV1]]:
        """Call `declare`, then publish what was lost since all stood last; what was touched, and the losses.

        Raises what `declare` raises, NatsError or TimeoutError.
        """
        # Before, as its bucket may be declared anew.
        kept = await self._read(client)
        touched = await declare(kept.with_newer(self._known).facts)
        stands = await read_statuses(client)
        known = kept.without_restored(stands).with_newer(self._known)
        losses = list(find_losses(known.statuses, stands))
        for loss in losses:
            log.warning("stream_lost", stream=loss.stream, consumer=loss.consumer, kind=loss.kind.value)
        of_facts = any(loss.stream == topology.OBSERVATIONS for loss in losses)
        # With the facts those of earlier losses are gone.
        for loss in (*(known.losses if of_facts else ()), *losses):
            await _publish(client, loss)
        self._known = Seen(
            statuses={name: each.after(known.statuses.get(name)) for name, each in stands.items()},
            losses=(*known.losses, *losses)[-MOST_LOSSES:],
        )
        await _bucket(client).put(ALL, self._known.model_dump_json(exclude_none=True).encode())
        return touched, losses

    async def check(self, client: Client) -> list[StreamLostV1]:
        """As `declare`, of what stands: what was emptied is found, and how all stand is kept."""
        return (await self.declare(client, _declare_nothing))[1]

    async def _read(self, client: Client) -> "Seen":
        try:
            return Seen.model_validate_json((await _bucket(client).get(ALL)).value or b"{}")
        except (KeyNotFoundError, NotFoundError):
            return Seen()
        except ValidationError:
            log.warning("streams_seen_malformed")
            return Seen()


async def _declare_nothing(_before: StreamConfig | None) -> list[str]:
    return []


async def keep(
    declare: Callable[[], Awaitable[tuple[list[str], list[StreamLostV1]]]],
    report: Callable[[list[str], list[StreamLostV1]], None],
    *,
    every_s: float,
) -> None:
    """Declare again and again, until cancelled; `report` what was touched or lost. What stands is not touched.

    Raises ValueError for what NATS cannot change.
    """
    while True:
        await asyncio.sleep(every_s)
        try:
            touched, losses = await declare()
        except (TimeoutError, NatsError, OSError) as error:
            log.warning("streams_not_kept", error=type(error).__name__, reason=str(error))
            continue
        if touched or losses:
            report(touched, losses)


async def read_statuses(client: Client) -> dict[str, StreamStatus]:
    """How all streams, buckets and consumers stand that stand. Raises NatsError or TimeoutError."""
    consumers: dict[str, dict[str, Any]] = {}
    for each in topology.CONSUMERS:
        if (found := await _info(client, subjects.consumer_info(each.stream, each.name))) is not None:
            consumers[name_of(each.stream, each.name)] = found
    stands = {name: _consumer(info) for name, info in consumers.items()}
    for stream in topology.ALL_STREAMS:
        if (found := await _info(client, subjects.stream_info(stream))) is not None:
            reader = reader_of(stream)
            stands[stream] = _stream(found, None if reader is None else consumers.get(name_of(stream, reader)))
    return stands


def _stream(info: Mapping[str, Any], reader: Mapping[str, Any] | None) -> StreamStatus:
    state, holds = info["state"], info["state"]["messages"] > 0
    unread = None
    if reader is not None:
        # The reader was asked before: what was stored since then it has not read.
        unread = max(state["last_seq"] - reader["ack_floor"]["stream_seq"], 0)
    return StreamStatus(
        seen_at=_time(info["ts"]),
        created=_time(info["created"]),
        messages=state["messages"],
        first_sequence=state["first_seq"],
        last_sequence=state["last_seq"],
        first_at=_time(state["first_ts"]) if holds else None,
        last_at=_time(state["last_ts"]) if holds else None,
        unread=unread,
        max_age_s=info["config"].get("max_age", 0) / 1e9,
        max_bytes=info["config"].get("max_bytes", 0),
        replicas=info["config"].get("num_replicas", 1),
    )


def _consumer(info: Mapping[str, Any]) -> StreamStatus:
    return StreamStatus(seen_at=_time(info["ts"]), created=_time(info["created"]))


async def _info(client: Client, subject: str) -> dict[str, Any] | None:
    answer: dict[str, Any] = json.loads((await client.request(subject, timeout=ANSWER_WITHIN_S)).data)
    if error := answer.get("error"):
        if error.get("code") == _NOT_FOUND:
            return None
        raise APIError(code=error.get("code"), description=error.get("description"), err_code=error.get("err_code"))
    return answer


_NOT_FOUND = 404


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _bucket(client: Client) -> KeyValue:
    name = topology.STREAMS_SEEN
    stream = topology.key_value_stream(name)
    return KeyValue(name, stream, subjects.key_value(name, ""), client.jetstream(), direct=False)


async def _publish(client: Client, loss: StreamLostV1) -> None:
    """Publish a loss: the same one has the same id, whoever finds it again."""
    name = name_of(loss.stream, loss.consumer)
    event_id = f"{name}-{loss.kind.value}-{loss.lost_until.isoformat()}"
    event = new_event(loss, source=SOURCE, subject=name, time=loss.lost_until, event_id=event_id)
    headers = {"Nats-Msg-Id": event.id, "Content-Type": CONTENT_TYPE}
    await client.jetstream().publish(subjects.stream_observation(loss.stream), event.encode(), headers=headers)
