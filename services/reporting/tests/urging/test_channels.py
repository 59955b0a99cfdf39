"""Channels on real servers of this machine: SMTP and JSON. An address is in no log and no error."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from services.reporting.tests.stage.receivers import Mailbox, receiving, taking_mail

from reporting.urging import channels
from reporting.urging.channels import MOST_UNDER_WAY, BadAddressError, ChannelKind, Sent, parse, send
from reporting.urging.digest import Message
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = AllowedNetworks.parse(["127.0.0.0/8"])
ELSEWHERE = AllowedNetworks.parse(["10.0.0.0/8"])
TEXT = Message("[Vọng Gác] Đôn đốc mức 1", "Kính gửi: Sở Y tế\n- CAM-01 mất kết nối")


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with taking_mail() as made:
        yield made


def address(port: int) -> str:
    return f"mailto://127.0.0.1:{port}?from=vonggac@example.vn&to=vanthu@example.vn,lanhdao@example.vn"


@pytest.mark.heavy
async def test_a_digest_arrives_by_mail_in_vietnamese_at_each_recipient(mailbox: Mailbox) -> None:
    box, port = mailbox, mailbox.port
    assert await send(parse(ChannelKind.MAILTO, address(port)), TEXT, HERE) is Sent.SENT
    assert sorted(one for recipients, _ in box.taken for one in recipients) == [
        "lanhdao@example.vn",
        "vanthu@example.vn",
    ]
    mail = box.taken[0][1]
    assert mail["subject"] == TEXT.title
    body = mail.get_body()
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").strip() == TEXT.text


@pytest.mark.parametrize("sign", ["%3B", "%253B", "%23", "%26", "%2526"])
def test_an_encoded_sign_begins_no_option(sign: str) -> None:
    service = parse(ChannelKind.MAILTO, f"mailtos://u:p@mail.example.vn?to=a@example.vn{sign}verify=no").service
    assert service.verify_certificate is True


async def test_a_mail_server_that_refuses_is_a_failure(mailbox: Mailbox) -> None:
    box, port = mailbox, mailbox.port
    box.refuse = "554 no"
    assert await send(parse(ChannelKind.MAILTO, address(port)), TEXT, HERE) is Sent.FAILED
    assert box.taken == []


async def test_a_mailbox_that_is_unknown_keeps_nobody_else_from_the_mail_and_nobody_gets_it_twice(
    mailbox: Mailbox,
) -> None:
    mailbox.unknown = frozenset({"vanthu@example.vn"})
    assert await send(parse(ChannelKind.MAILTO, address(mailbox.port)), TEXT, HERE) is Sent.SENT_IN_PART
    assert [recipients for recipients, _ in mailbox.taken] == [["lanhdao@example.vn"]]
    mailbox.unknown = frozenset({"vanthu@example.vn", "lanhdao@example.vn"})
    assert await send(parse(ChannelKind.MAILTO, address(mailbox.port)), TEXT, HERE) is Sent.FAILED


async def test_a_digest_arrives_as_json_and_redirects_are_not_followed() -> None:
    async with receiving() as receiver, receiving() as elsewhere:
        channel = parse(ChannelKind.JSON, f"json://127.0.0.1:{receiver.port}/urging")
        assert await send(channel, TEXT, HERE) is Sent.SENT
        assert receiver.requests[0].head == "POST /urging HTTP/1.1"
        body = json.loads(receiver.requests[0].body)
        assert (body["title"], body["message"]) == (TEXT.title, TEXT.text)
        receiver.answers = [f"302 Location: {elsewhere.url}"]
        assert await send(channel, TEXT, HERE) is Sent.FAILED
        assert elsewhere.requests == []


async def test_a_server_outside_the_allowed_networks_is_not_connected_to() -> None:
    async with receiving() as receiver:
        channel = parse(ChannelKind.JSON, f"json://127.0.0.1:{receiver.port}/")
        assert await send(channel, TEXT, ELSEWHERE) is Sent.ADDRESS_NOT_ALLOWED
        assert receiver.requests == []


async def test_a_server_that_is_down_is_a_failure_and_no_error() -> None:
    async with receiving() as gone:
        port = gone.port
    assert await send(parse(ChannelKind.JSON, f"json://127.0.0.1:{port}/"), TEXT, HERE) is Sent.FAILED


async def test_no_address_is_logged(caplog: pytest.LogCaptureFixture, mailbox: Mailbox) -> None:
    port = mailbox.port
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    secret = f"mailto://nguoidung:MatKhau99@127.0.0.1:{port}?from=vonggac@example.vn&to=vanthu@example.vn"
    with caplog.at_level(logging.DEBUG):
        await send(parse(ChannelKind.MAILTO, secret), TEXT, HERE)
    for word in ("MatKhau99", "nguoidung", "vanthu@example.vn"):
        assert word not in caplog.text


@pytest.mark.parametrize(
    ("kind", "given", "named"),
    [
        (ChannelKind.MAILTO, "json://127.0.0.1/x", "begins with mailto:// or mailtos://"),
        (ChannelKind.JSON, "slack://MatKhau99/x", "begins with json:// or jsons://"),
        (ChannelKind.JSON, "file:///etc/passwd", "begins with json:// or jsons://"),
        (ChannelKind.MAILTO, "mailto://", "not complete"),
        (ChannelKind.MAILTO, "mailto://mail.example.vn?to=a@example.vn&pgpkey=/etc/passwd", "option pgpkey"),
        (ChannelKind.MAILTO, "mailtos://u:p@mail.example.vn?to=a@example.vn;verify=no", "write %3B"),
        (ChannelKind.MAILTO, "mailtos://u:p@mail.example.vn?to=a@example.vn;pgpkey=/etc/passwd", "write %3B"),
        (ChannelKind.JSON, "jsons://10.1.1.1/#?verify=no", "write %3B and %23"),
        (ChannelKind.JSON, "json://10.0.0.1/?+X-Token=MatKhau99", "is not taken"),
    ],
)
def test_an_address_that_cannot_work_is_refused_without_being_repeated(
    kind: ChannelKind, given: str, named: str
) -> None:
    with pytest.raises(BadAddressError) as error:
        parse(kind, given)
    assert named in str(error.value)
    assert "MatKhau99" not in str(error.value)


@pytest.mark.parametrize("kind", list(ChannelKind))
async def test_servers_that_never_come_to_an_end_keep_no_other_from_its_message(
    kind: ChannelKind, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that sends line after line is silent for no read's limit; the thread that reads it ends with the server."""
    over = asyncio.Event()

    async def go_on(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" if kind is ChannelKind.JSON else b"")
        while not over.is_set():
            writer.write(b"x: y\r\n" if kind is ChannelKind.JSON else b"220-wait\r\n")
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 0.05)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    before = set(threading.enumerate())
    async with await asyncio.start_server(go_on, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"json://127.0.0.1:{port}/" if kind is ChannelKind.JSON else address(port)
        try:  # a server is closed only when those that it answers have ended
            with monkeypatch.context() as patched:
                patched.setattr(channels, "SENT_WITHIN_S", 0.5)
                sent = await asyncio.gather(*(send(parse(kind, url), TEXT, HERE) for _ in range(40)))
            assert set(sent) == {Sent.TIMEOUT}
            left = [one for one in threading.enumerate() if one not in before and one.name.startswith("urging")]
            assert 0 < len(left) <= MOST_UNDER_WAY
            assert all(one.daemon for one in left), "none keeps the process from ending"
            assert await send(parse(ChannelKind.MAILTO, address(mailbox.port)), TEXT, HERE) is Sent.SENT
        finally:
            over.set()
        await eventually(lambda: not any(one.is_alive() for one in left))


async def test_sending_does_not_hold_up_the_loop() -> None:
    async with receiving() as receiver:
        receiver.answers = ["hang"]
        channel = parse(ChannelKind.JSON, f"json://127.0.0.1:{receiver.port}/")
        channel.service.socket_read_timeout = 0.5
        sent = asyncio.create_task(send(channel, TEXT, HERE))
        beats = 0
        while not sent.done():
            await asyncio.sleep(0.01)
            beats += 1
        assert await sent is Sent.FAILED
        assert beats > 5
