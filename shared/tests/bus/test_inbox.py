"""Messages of one subscription are taken in order, and whoever falls too far behind learns of it."""

import asyncio

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from vonggac.bus.messages.inbox import Inbox, MissedMessagesError


def message(body: bytes) -> Msg:
    return Msg(Client(), subject="a", data=body)


async def test_messages_are_taken_in_the_order_in_which_they_came() -> None:
    inbox = Inbox()
    for body in (b"1", b"2"):
        await inbox.put(message(body))
    assert [(await inbox.next(5)).data for _ in range(2)] == [b"1", b"2"]


async def test_who_waits_gets_the_message_that_comes() -> None:
    inbox = Inbox()
    taking = asyncio.create_task(inbox.next(5))
    await asyncio.sleep(0)
    await inbox.put(message(b"1"))
    assert (await taking).data == b"1"


async def test_who_waits_in_vain_is_let_go() -> None:
    inbox = Inbox()
    with pytest.raises(TimeoutError):
        await inbox.next(0.01)


async def test_what_is_left_out_is_raised_after_the_last_message_before_it() -> None:
    inbox = Inbox(most_waiting=2)
    for body in (b"1", b"2", b"left out"):
        await inbox.put(message(body))
    assert (await inbox.next(5)).data == b"1"
    await inbox.put(message(b"after the gap"))
    assert (await inbox.next(5)).data == b"2"
    with pytest.raises(MissedMessagesError, match="more than 2 messages"):
        await inbox.next(5)
