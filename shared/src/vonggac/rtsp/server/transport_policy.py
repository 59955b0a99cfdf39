"""Which of the transports that a client offers is taken: pure (RFC 2326 §12.39)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vonggac.rtsp.wire.transport import Transport

_TCP = "RTP/AVP/TCP"
_UDP = frozenset({"RTP/AVP", "RTP/AVP/UDP"})
_FIRST_USER_PORT = 1_024
_MAX_CHANNEL = 255


@dataclass(frozen=True, slots=True)
class TransportPolicy:
    """What a session may use. Media goes to the address that its requests come from, whatever the client names."""

    tcp: bool = True
    udp: bool = True

    def choose(self, offers: Iterable[Transport], track: int, in_use: Mapping[int, Transport]) -> tuple[Transport, ...]:
        """Return the offers that may be taken for `track`, in the client's order; none is 461.

        `in_use`: the session's transports by track. Interleaved channels are those that the client chose, or the next
        free pair. Ports below 1024 are services of others: no media is sent there.
        """
        others = {index: each for index, each in in_use.items() if index != track}
        return tuple(taken for offer in offers if (taken := self._read_offer(offer, track, others)) is not None)

    def _read_offer(self, offer: Transport, track: int, others: Mapping[int, Transport]) -> Transport | None:
        if not offer.unicast or (offer.mode or "play").lower() != "play":
            return None
        if self.tcp and offer.protocol == _TCP:
            channels = _free_channels(offer.interleaved, track, others)
            return Transport(_TCP, interleaved=channels) if channels is not None else None
        ports = offer.client_port
        if not self.udp or offer.protocol not in _UDP or ports is None:
            return None
        if min(ports) < _FIRST_USER_PORT or ports[0] == ports[1]:
            return None
        return Transport("RTP/AVP", client_port=ports)


def to_answer(chosen: Transport, *, ssrc: int | None) -> Transport:
    """Write the transport as SETUP answers it: with the sender of the media, where that is clear by now."""
    return replace(chosen, ssrc=f"{ssrc:08X}" if ssrc is not None else None)


def _free_channels(
    wanted: tuple[int, int] | None, track: int, others: Mapping[int, Transport]
) -> tuple[int, int] | None:
    taken = {channel for each in others.values() for channel in each.interleaved or ()}
    if wanted is not None:
        return wanted if wanted[0] != wanted[1] and not taken & set(wanted) else None
    first = 2 * track
    while taken & {first, first + 1}:
        first += 2
    return (first, first + 1) if first < _MAX_CHANNEL else None
