"""Publishing and playing: one attempt with one deadline, logins by challenge included. Never retries."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from forwarder.relay.rtmp import amf
from forwarder.relay.rtmp import auth as login
from forwarder.relay.rtmp.chunks import Message
from forwarder.relay.rtmp.connection import CommandError, RtmpConnection
from forwarder.relay.rtmp.url import RtmpUrl
from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.recognition import why_hung_up
from vonggac.net.tls import TlsPolicy
from vonggac.net.url import Credentials

_LOGIN_ROUNDS = 3
_FLASH_VERSION = "FMLE/3.0 (compatible; VongGac)"
_BUFFER_MS = 500


class NotConnectedError(PeerError):
    """Not even a connection was made."""


async def open_publishing(
    url: RtmpUrl,
    credentials: Credentials | None,
    *,
    deadline_s: float,
    allowed: AllowedNetworks,
    tls: TlsPolicy,
    enhanced: bool,
) -> tuple[RtmpConnection, int]:
    """Open a connection whose server has answered NetStream.Publish.Start; return it and the stream's number.

    `enhanced` offers H.265 (E-RTMP). Raises PeerError; NotConnectedError when the address could not be connected to.
    """
    extra: dict[str, amf.AmfValue] = {"type": "nonprivate"}
    if enhanced:
        extra["fourCcList"] = ["hvc1"]

    async def publish(connection: RtmpConnection) -> int:
        connection.send_command("releaseStream", 0.0, None, url.stream)
        connection.send_command("FCPublish", 0.0, None, url.stream)
        stream_id = _stream_id(await connection.call("createStream", None))
        await connection.call_for_status(
            "publish", url.stream, "live", stream_id=stream_id, good="NetStream.Publish.Start"
        )
        return stream_id

    return await _open(url, credentials, extra, publish, deadline_s=deadline_s, allowed=allowed, tls=tls)


async def open_playing(
    url: RtmpUrl,
    credentials: Credentials | None,
    on_message: Callable[[Message], None],
    *,
    deadline_s: float,
    allowed: AllowedNetworks,
    tls: TlsPolicy,
    on_login: Callable[[bool], None],
) -> RtmpConnection:
    """Open a connection whose server answered NetStream.Play.Start; `on_message` gets the media, also before that.

    `on_login`: the server took our `connect`; whether it had asked for the login.
    """
    extra: dict[str, amf.AmfValue] = {
        "fpad": False,
        "capabilities": 15.0,
        "audioCodecs": 4071.0,
        "videoCodecs": 252.0,
        "videoFunction": 1.0,
        "fourCcList": ["hvc1"],
    }

    async def play(connection: RtmpConnection) -> int:
        connection.on_message = on_message
        stream_id = _stream_id(await connection.call("createStream", None))
        connection.set_buffer_length(stream_id, _BUFFER_MS)
        # -2000: live, or recorded where there is no live one; many servers know nothing else.
        await connection.call_for_status("play", url.stream, -2000.0, stream_id=stream_id, good="NetStream.Play.Start")
        return stream_id

    connection, _ = await _open(
        url, credentials, extra, play, deadline_s=deadline_s, allowed=allowed, tls=tls, on_login=on_login
    )
    return connection


async def _open(
    url: RtmpUrl,
    credentials: Credentials | None,
    extra: Mapping[str, amf.AmfValue],
    begin: Callable[[RtmpConnection], Awaitable[int]],
    *,
    deadline_s: float,
    allowed: AllowedNetworks,
    tls: TlsPolicy,
    on_login: Callable[[bool], None] = lambda _needed: None,
) -> tuple[RtmpConnection, int]:
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + deadline_s
    login_query = ""
    for left in reversed(range(_LOGIN_ROUNDS)):
        try:
            connection = await RtmpConnection.open(url, timeout_s=ends_at - loop.time(), allowed=allowed, tls=tls)
        except PeerError as error:
            if error.cause in (Cause.REFUSED, Cause.ROUTE, Cause.TIMEOUT):
                raise NotConnectedError(error.cause, error.message) from None
            raise
        connected, answered = False, "response=" in login_query
        try:
            async with asyncio.timeout_at(ends_at):
                await connection.greet()
                await _connect(connection, url, login_query, extra)
                connected = True
                on_login(answered)
                return connection, await begin(connection)
        except TimeoutError:
            connection.abort()
            raise PeerError(Cause.TIMEOUT, f"the server did not take the stream within {deadline_s:g} s") from None
        except CommandError as error:
            connection.abort()
            query = _login(error, url, credentials or url.credentials)
            if query is None or not left:
                # What is refused after `connect` is a stream, not the login.
                error.login_sent, error.logged_in = answered and not connected, answered and connected
                raise
            login_query = query
        except PeerError as error:
            connection.abort()
            if error.cause is not Cause.HUNG_UP or connection.bytes_received or url.secure:
                raise
            left_s, address = ends_at - loop.time(), connection.peer_address
            raise await why_hung_up("rtmp", address, url.port, asked="the handshake", within_s=left_s) from None
        except BaseException:
            connection.abort()
            raise
    raise AssertionError("the last round returns or raises")


async def _connect(
    connection: RtmpConnection, url: RtmpUrl, login_query: str, extra: Mapping[str, amf.AmfValue]
) -> None:
    about: dict[str, amf.AmfValue] = {
        "app": url.app + login_query,
        "flashVer": _FLASH_VERSION,
        "tcUrl": url.tc_url + login_query,
        **extra,
    }
    await connection.call("connect", about)


def _login(error: CommandError, url: RtmpUrl, credentials: Credentials | None) -> str | None:
    """Write what to add to `connect` next time. Raises PeerError when a login is asked for and there is none."""
    if "authmod=" not in error.description:
        return None
    if credentials is None:
        raise PeerError(Cause.AUTH_FAILED, "the server asks for a login, and the plan has none")
    return login.answer(error.description, url.app, credentials)


def _stream_id(answer: list[amf.AmfValue]) -> int:
    number = next((value for value in answer if isinstance(value, float)), None)
    if number is None or not 0 <= number < 1 << 32:
        raise MalformedError("createStream was answered without a number")
    return int(number)
