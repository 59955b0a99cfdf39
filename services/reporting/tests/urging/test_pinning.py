"""A name that was checked leads to the address that was checked, whatever a name server says a moment later."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from services.reporting.tests.stage.receivers import receiving, taking_mail

from reporting.urging import channels
from reporting.urging.channels import ChannelKind, Sent, parse, send
from reporting.urging.digest import Message
from reporting.urging.pinning import pinned
from vonggac.net.allowed_networks import AllowedNetworks

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = AllowedNetworks.parse(["127.0.0.0/8"])
TEXT = Message("Đôn đốc", "Kính gửi")
NAME = "mail.vonggac.invalid"
"""No name server has an address for it (RFC 2606)."""


def answering(*addresses: str) -> Callable[..., object]:
    """The check's resolver: the first address, then the next one, as a name server that rebinds does."""
    left = list(addresses)

    async def resolve(_host: str, _port: int, _allowed: object, *, timeout_s: float) -> str:
        assert timeout_s > 0
        return left.pop(0)

    return resolve


async def test_mail_goes_to_the_checked_address_and_the_name_is_not_resolved_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with taking_mail() as mailbox:
        monkeypatch.setattr(channels, "resolve", answering("127.0.0.1"))
        address = f"mailto://{NAME}:{mailbox.port}?smtp={NAME}&from=a@example.vn&to=b@example.vn"
        assert await send(parse(ChannelKind.MAILTO, address), TEXT, HERE) is Sent.SENT
        assert len(mailbox.taken) == 1


async def test_json_goes_to_the_checked_address_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as receiver:
        monkeypatch.setattr(channels, "resolve", answering("127.0.0.1"))
        channel = parse(ChannelKind.JSON, f"json://{NAME}:{receiver.port}/urging")
        assert await send(channel, TEXT, HERE) is Sent.SENT
        assert receiver.requests[0].headers["host"] == f"{NAME}:{receiver.port}"


async def test_no_other_name_has_an_address_while_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment would be asked in the place of the receiver."""
    async with receiving() as receiver, receiving() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://localhost:{proxy.port}")
        monkeypatch.setattr(channels, "resolve", answering("127.0.0.1"))
        channel = parse(ChannelKind.JSON, f"json://{NAME}:{receiver.port}/urging")
        assert await send(channel, TEXT, HERE) is Sent.FAILED
        assert proxy.requests == receiver.requests == []


async def test_other_tasks_resolve_as_before() -> None:
    with pinned(NAME, "127.0.0.1"):
        (found, *_) = await asyncio.to_thread(socket.getaddrinfo, NAME, 25, type=socket.SOCK_STREAM)
        assert found[4][0] == "127.0.0.1"
        with pytest.raises(socket.gaierror, match="only the checked name"):
            await asyncio.to_thread(socket.getaddrinfo, "localhost", 25)
    assert socket.getaddrinfo("localhost", 25)
