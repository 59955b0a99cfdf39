"""Channels by Apprise: e-mail and JSON over HTTP, no others. An address is a secret: it is in no log and no answer.

Apprise has a hundred services and options that read files; only the schemes and options named here are taken.
"""

import asyncio
import logging
import threading
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import apprise
from apprise.attachment.memory import AttachMemory

from reporting.urging.digest import Message
from reporting.urging.pinning import pinned
from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import AllowedNetworks, resolve
from vonggac.net.errors import PeerError

RESOLVE_WITHIN_S = 5.0
SENT_WITHIN_S = 45.0
SOCKET_TIMEOUT_S = 10.0
MOST_UNDER_WAY = 2
"""Attempts to one server at a time, those that it goes on with after their time included."""

type Endpoint = tuple[str, int]


class ChannelKind(StrEnum):
    """How a message travels."""

    MAILTO = "mailto"
    JSON = "json"


SCHEMES = {ChannelKind.MAILTO: ("mailto", "mailtos"), ChannelKind.JSON: ("json", "jsons")}
OPTIONS = {
    ChannelKind.MAILTO: frozenset(
        {"to", "from", "name", "smtp", "mode", "cc", "bcc", "reply", "user", "pass", "domain"}
    ),
    ChannelKind.JSON: frozenset(),
}
EXAMPLES = {
    ChannelKind.MAILTO: "mailtos://user:password@smtp.example.vn:587?from=user@example.vn&to=office@example.vn",
    ChannelKind.JSON: "jsons://user:password@10.20.0.5:8443/urging",
}


class Sent(StrEnum):
    """What became of one attempt."""

    SENT = "sent"
    SENT_IN_PART = "sent_in_part"
    """Some recipients have it and others were refused. Once more would be twice for those who have it."""
    FAILED = "failed"
    """The server was not reached, or refused."""
    TIMEOUT = "timeout"
    DNS = "dns"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    ADDRESS_UNREADABLE = "address_unreadable"


class BadAddressError(ValueError):
    """The text says what is wrong and what would be right, without the address."""


class Attachment(NamedTuple):
    """A file that goes with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Channel:
    """One address, ready to be sent to."""

    service: Any
    host: str
    port: int


def parse(kind: ChannelKind, address: str) -> Channel:
    """Parse the address of a channel. Raises BadAddressError."""
    parts = urlsplit(address.strip())
    if parts.scheme.lower() not in SCHEMES[kind]:
        schemes = " or ".join(f"{scheme}://" for scheme in SCHEMES[kind])
        msg = f"a channel of the kind {kind} begins with {schemes}, like {EXAMPLES[kind]}"
        raise BadAddressError(msg)
    if ";" in address or "#" in address:
        # Apprise finds options behind them too.
        msg = "it holds a ; or a #, which may begin an option: write %3B and %23"
        raise BadAddressError(msg)
    given = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    unknown = sorted(given - OPTIONS[kind])
    if unknown:
        known = ", ".join(sorted(OPTIONS[kind])) or "none"
        msg = f"the option {', '.join(unknown)} is not taken; there are: {known}"
        raise BadAddressError(msg)
    # ASCII: the name goes into HTTP headers.
    asset = apprise.AppriseAsset(
        app_id="Vong Gac",
        app_desc="Vong Gac",
        app_url="",
        secure_logging=True,
        http_redirects=False,
        service_timeout=0,  # its pool would be full of servers that never come to an end
    )
    service = _instantiate(address.strip(), asset)
    if service is None:
        msg = f"it is not complete: write it like {EXAMPLES[kind]}"
        raise BadAddressError(msg)
    service.redirects = False
    service.socket_connect_timeout = service.socket_read_timeout = SOCKET_TIMEOUT_S
    host = getattr(service, "smtp_host", None) or service.host
    default = {"mailto": 25, "mailtos": 587, "json": 80, "jsons": 443}[parts.scheme.lower()]
    return Channel(service, host, service.port or default)


def _instantiate(address: str, asset: Any) -> Any:
    # Apprise logs recipients and hosts.
    logger = logging.getLogger("apprise")
    logger.propagate, logger.disabled = False, True
    return apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)


async def send(
    channel: Channel, message: Message, allowed: AllowedNetworks, attached: Attachment | None = None
) -> Sent:
    """One attempt, to the address that was checked; every failure is a value."""
    try:
        address = await resolve(channel.host, channel.port, allowed, timeout_s=RESOLVE_WITHIN_S)
    except PeerError as error:
        return Sent.DNS if error.cause is Cause.DNS else Sent.ADDRESS_NOT_ALLOWED
    try:
        async with asyncio.timeout(SENT_WITHIN_S):
            with pinned(channel.host, address):
                return await _notify_apart((address, channel.port), channel.service, message, attached)
    except TimeoutError:
        return Sent.TIMEOUT


_under_way: dict[Endpoint, list[threading.Thread]] = {}


async def _notify_apart(endpoint: Endpoint, service: Any, message: Message, attached: Attachment | None) -> Sent:
    """Send in a thread of its own: no pool is full of servers that never come to an end, and none keeps the process
    from ending. Of one server few are left behind."""
    alive = [one for one in _under_way.get(endpoint, ()) if one.is_alive()]
    if len(alive) >= MOST_UNDER_WAY:
        _under_way[endpoint] = alive
        return Sent.TIMEOUT
    loop, context = asyncio.get_running_loop(), copy_context()
    ended: asyncio.Future[Sent] = loop.create_future()

    def conclude(outcome: Sent) -> None:
        if not ended.done():
            ended.set_result(outcome)

    def run() -> None:
        outcome = Sent.FAILED
        try:
            outcome = context.run(_notify, service, message, attached)
        finally:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(conclude, outcome)

    thread = threading.Thread(target=run, name=f"urging-{endpoint[0]}", daemon=True)
    _under_way[endpoint] = [*alive, thread]
    thread.start()
    return await ended


def _notify(service: Any, message: Message, attached: Attachment | None) -> Sent:
    reached: list[object] = []
    service.mark_delivered = lambda key, *_: reached.append(key)
    sender = apprise.Apprise(asset=service.asset)
    sender.add(service)
    file: Any = None
    if attached is not None:
        file = AttachMemory(attached.content, attached.name, attached.media_type)  # type: ignore[no-untyped-call]
    if sender.notify(title=message.title, body=message.text, body_format=apprise.NotifyFormat.TEXT, attach=file):
        return Sent.SENT
    return Sent.SENT_IN_PART if reached else Sent.FAILED
