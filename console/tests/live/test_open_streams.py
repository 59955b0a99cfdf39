"""Streams end when the process stops, whatever they wait for."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from console.live.open_streams import OpenStreams, StreamsEndedError


async def items(more: asyncio.Event) -> AsyncIterator[int]:
    yield 1
    await more.wait()
    yield 2


async def test_a_stream_of_which_nothing_comes_ends_with_the_process() -> None:
    streams, found = OpenStreams(1), []
    with streams.count():
        assert streams.is_full
        async with asyncio.timeout(5):
            async for item in streams.until_ended(items(asyncio.Event())):
                found.append(item)
                asyncio.get_running_loop().call_soon(streams.end)
    assert found == [1]
    assert not streams.is_full


async def test_a_stream_passes_on_whatever_comes_until_there_is_no_more() -> None:
    more = asyncio.Event()
    more.set()
    assert [item async for item in OpenStreams(1).until_ended(items(more))] == [1, 2]


async def test_nothing_begins_after_the_end() -> None:
    streams = OpenStreams(1)
    streams.end()
    async with asyncio.timeout(5):
        with pytest.raises(StreamsEndedError):
            await streams.wait(asyncio.Event().wait())


async def test_the_lateness_of_another_stays_its_own() -> None:
    async def late() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await OpenStreams(1).wait(late())
