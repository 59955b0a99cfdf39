"""A port that is open, closed or dead."""

import asyncio

import pytest

from simulator.devices.listener import Listener, ListenError


class Greeter(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(b"hello")  # type: ignore[attr-defined]
        transport.close()


async def greeting(port: int) -> bytes:
    async with asyncio.timeout(0.3):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_port_goes_through_all_its_states_and_stays_the_same() -> None:
    listener = Listener("127.0.0.1", 0, Greeter)
    listener.bind()
    port = listener.port
    with pytest.raises(ConnectionRefusedError):
        await greeting(port)
    await listener.open()
    assert await greeting(port) == b"hello"
    listener.go_dead()
    with pytest.raises(TimeoutError):
        await greeting(port)
    await listener.refuse()
    with pytest.raises(ConnectionRefusedError):
        await greeting(port)
    listener.go_dead()
    with pytest.raises(TimeoutError):
        await greeting(port)
    await listener.open()
    assert await greeting(port) == b"hello"
    assert listener.port == port
    listener.close()


async def test_a_dead_port_drops_many_clients_at_once() -> None:
    listener = Listener("127.0.0.1", 0, Greeter)
    listener.bind()
    await listener.open()
    listener.go_dead()
    results = await asyncio.gather(*(greeting(listener.port) for _ in range(20)), return_exceptions=True)
    assert {type(result) for result in results} == {TimeoutError}
    listener.close()


async def test_a_taken_port_is_named() -> None:
    first = Listener("127.0.0.1", 0, Greeter)
    first.bind()
    await first.open()
    with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{first.port}"):
        Listener("127.0.0.1", first.port, Greeter).bind()
    first.close()
