"""A camera that plays to us, over TCP or UDP."""

import asyncio
from typing import Literal, Unpack

from vonggac.rtsp.client.connection import OnLost, RtspConnection
from vonggac.rtsp.client.receiver_reports import InterleavedReports
from vonggac.rtsp.client.session import RtspSession, SessionOutcome
from vonggac.rtsp.client.udp import ReceptionStats, UdpReception
from vonggac.rtsp.wire.sdp import SessionDescription
from vonggac.rtsp.wire.tracks import Track


class Player(RtspSession):
    """Media arrives at `connection.on_media`, over TCP and UDP."""

    def __init__(
        self,
        connection: RtspConnection,
        *,
        sdp: SessionDescription,
        tracks: tuple[Track, ...],
        udp: UdpReception | None,
        reports: InterleavedReports | None,
        **outcome: Unpack[SessionOutcome],
    ) -> None:
        super().__init__(connection, sdp=sdp, tracks=tracks, **outcome)
        self._udp = udp
        self._reports = reports

    @property
    def transport(self) -> Literal["tcp", "udp"]:
        """The transport of the media."""
        return "tcp" if self._udp is None else "udp"

    @property
    def reception(self) -> ReceptionStats | None:
        """Statistics of UDP; None over TCP, which loses nothing."""
        return None if self._udp is None else self._udp.stats

    def start(self, on_lost: OnLost | None) -> None:
        super().start(on_lost)
        if self._reports is not None:
            self._reports.start()

    async def media_within(self, wait_s: float) -> bool:
        """Whether UDP media came within that time, or the connection was lost; before `start` only."""
        if self._udp is None or self._udp.first_media.done():
            return True
        lost = asyncio.get_running_loop().create_future()
        self.connection.on_lost = lambda _: lost.set_result(None)
        if self.connection.closed:
            return True
        try:
            done, _ = await asyncio.wait(
                {self._udp.first_media, lost}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            self.connection.on_lost = None
        return bool(done)

    def _release(self) -> None:
        if self._udp is not None:
            self._udp.stop()
        if self._reports is not None:
            self._reports.stop()
