"""What a stream holds, read by its sequences without a consumer (direct gets, page by page)."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.errors import APIError

from vonggac.bus.connection import Bus
from vonggac.events import subjects

PAGE_BYTES = 4 << 20
ANSWER_WITHIN_S = 5.0
_END_OF_PAGE, _NO_MESSAGE, _NO_RESPONDERS = "204", "404", "503"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as the stream holds it."""

    sequence: int
    subject: str
    body: bytes


async def read_stream(
    bus: Bus, stream: str, first: int, last: int, *, most: int = 256
) -> AsyncIterator[list[StoredMessage]]:
    """What is left of [first, last], in pages of at most `most`. Raises NatsError or TimeoutError."""
    sequence = first
    while sequence <= last:
        page, ended = await _read_page(bus, stream, sequence, min(most, last - sequence + 1))
        wanted = [message for message in page if message.sequence <= last]
        if wanted:
            yield wanted
        if ended or len(wanted) < len(page):
            return
        sequence = page[-1].sequence + 1


async def _read_page(bus: Bus, stream: str, first: int, most: int) -> tuple[list[StoredMessage], bool]:
    """A page, and whether there is nothing after it."""
    page: list[StoredMessage] = []
    inbox = bus.client.new_inbox()
    subscription = await bus.client.subscribe(inbox)
    try:
        request = {"seq": first, "next_by_subj": ">", "batch": most, "max_bytes": PAGE_BYTES}
        await bus.client.publish(subjects.direct_get(stream), json.dumps(request).encode(), reply=inbox)
        while True:
            message = await subscription.next_msg(ANSWER_WITHIN_S)
            headers = message.headers or {}
            status = headers.get("Status")
            if status is None:
                page.append(StoredMessage(int(headers["Nats-Sequence"]), headers["Nats-Subject"], message.data))
            elif status == _END_OF_PAGE:
                return page, headers.get("Nats-Num-Pending", "0") == "0" or not page
            elif status == _NO_MESSAGE:
                return page, True
            elif status == _NO_RESPONDERS:
                raise NoRespondersError
            else:
                raise APIError.from_msg(message)
    finally:
        # A connection that went took its subscriptions along.
        with suppress(NatsError):
            await subscription.unsubscribe()
