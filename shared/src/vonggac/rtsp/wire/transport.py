"""The Transport header field (RFC 2326 §12.39): one transport as a value."""

import re
from dataclasses import dataclass

from vonggac.events.causes import Cause
from vonggac.net.errors import MalformedError, PeerError

_PAIR = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?$")


@dataclass(frozen=True, slots=True)
class Transport:
    """`protocol` in upper case (`RTP/AVP`, `RTP/AVP/TCP`); pairs are (RTP, RTCP) numbers."""

    protocol: str = "RTP/AVP/TCP"
    unicast: bool = True
    interleaved: tuple[int, int] | None = None
    client_port: tuple[int, int] | None = None
    server_port: tuple[int, int] | None = None
    mode: str | None = None
    ssrc: str | None = None
    source: str | None = None
    """The address a server sends from, when it is not its RTSP address."""

    @property
    def over_tcp(self) -> bool:
        return self.protocol.endswith("/TCP") or self.interleaved is not None

    def encode(self) -> str:
        parts = [self.protocol, "unicast" if self.unicast else "multicast"]
        for name, pair in (
            ("interleaved", self.interleaved),
            ("client_port", self.client_port),
            ("server_port", self.server_port),
        ):
            if pair is not None:
                parts.append(f"{name}={pair[0]}-{pair[1]}")
        if self.source is not None:
            parts.append(f"source={self.source}")
        if self.ssrc is not None:
            parts.append(f"ssrc={self.ssrc}")
        if self.mode is not None:
            parts.append(f"mode={self.mode}")
        return ";".join(parts)


def parse_transports(value: str) -> list[Transport]:
    """All alternatives of a Transport field, in the sender's order of preference.

    Raises MalformedError when a number is out of range or there is no transport at all.
    """
    transports = [_parse_one(part) for part in value.split(",") if part.strip()]
    if not transports:
        raise MalformedError("the Transport field is empty")
    return transports


def another_transport(asked: str, answered: Transport) -> PeerError:
    """Build the error of a SETUP answered with what was not asked for. No group that a camera names is joined."""
    what = "another transport" if answered.unicast else "multicast, which is not received from cameras by RTSP"
    return PeerError(Cause.TRANSPORT_UNSUPPORTED, f"SETUP over {asked} was answered with {what}")


def _parse_one(text: str) -> Transport:
    protocol, *parameters = [part.strip() for part in text.split(";")]
    values: dict[str, str] = {}
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        values[name.strip().lower()] = value.strip().strip('"')
    interleaved = _pair(values.get("interleaved"), "interleaved", 255)
    if interleaved is not None or protocol.upper().endswith("/TCP"):
        # Ports have no meaning here, and some devices write anything into them.
        values = {name: value for name, value in values.items() if not name.endswith("_port")}
    return Transport(
        protocol=protocol.upper(),
        unicast="multicast" not in values,
        interleaved=interleaved,
        client_port=_pair(values.get("client_port"), "client_port", 65535),
        server_port=_pair(values.get("server_port"), "server_port", 65535),
        mode=values.get("mode"),
        ssrc=values.get("ssrc"),
        source=values.get("source"),
    )


def _pair(value: str | None, name: str, limit: int) -> tuple[int, int] | None:
    if not value:
        return None
    match = _PAIR.match(value)
    if match is None:
        raise MalformedError(f"{name} in the Transport field is not a pair of numbers")
    first = int(match[1])
    second = int(match[2]) if match[2] else min(first + 1, limit)
    if first > limit or second > limit:
        raise MalformedError(f"{name} in the Transport field is above {limit}")
    return first, second
