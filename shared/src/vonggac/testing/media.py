"""Plays and publishes over real sockets in a test: keeps what comes, reports what is lost."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any, Self

from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import video_codec
from vonggac.media.rtcp import is_rtcp
from vonggac.net.errors import PeerError
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.net.url import Credentials, RtspUrl
from vonggac.rtsp import MediaBatch, Player, PlayOptions, Publisher, Route, Track, open_player, open_publisher
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES
from vonggac.testing.waiting import eventually


async def play(url: RtspUrl, credentials: Credentials | None = None, **more: Any) -> Player:
    """Play: the player does with its media what `more` says, by default nothing; route and option fields there too."""
    arguments: dict[str, Any] = {"deadline_s": 5.0, "on_media": lambda _: None, **more}
    route, options = (
        {each.name: arguments.pop(each.name) for each in fields(kind) if each.name in arguments}
        for kind in (Route, PlayOptions)
    )
    return await open_player(Route(url, credentials, **route), options=PlayOptions(**options), **arguments)


class MediaRecorder:
    """A player that keeps everything. `packets` are whole RTP packets by track, `units` the pictures."""

    def __init__(self) -> None:
        self.packets: dict[int, list[bytes]] = defaultdict(list)
        self.reports: list[bytes] = []
        self.units: list[AccessUnit] = []
        self.lost = False
        self.error: PeerError | None = None
        self.player: Player
        self._tracks: dict[int, Track] = {}
        self._depacketizers: dict[int, Depacketizer] = {}

    @classmethod
    async def play(
        cls, url: str, *, tracks: Collection[str] = ("video",), deadline_s: float = 5.0, transport: str = "tcp"
    ) -> Self:
        """Open `url` with the login in its userinfo. Raises PeerError."""
        recorder = cls()
        recorder.player = await open_player(
            Route(RtspUrl.parse(url)),
            deadline_s=deadline_s,
            on_media=recorder._receive_batch,
            on_lost=recorder._lose,
            on_tracks=recorder._know,
            options=PlayOptions(tracks, transport),
        )
        return recorder

    async def until(self, holds: Callable[["MediaRecorder"], object], *, within_s: float = 10.0) -> Self:
        """Wait until the recorder fulfils `holds`."""
        await eventually(lambda: bool(holds(self)), within_s=within_s, poll_s=0.01)
        return self

    @property
    def missing(self) -> int:
        """Video packets missing by sequence number."""
        return sum(depacketizer.missing for depacketizer in self._depacketizers.values())

    def drop_received(self) -> None:
        """Drop what came so far."""
        self.packets.clear()
        self.reports.clear()
        self.units.clear()

    async def close(self) -> None:
        await self.player.close()

    def _know(self, tracks: tuple[Track, ...]) -> None:
        for track in tracks:
            self._tracks[track.rtp_channel] = track
            codec = video_codec(track.codec)
            if codec is not None:
                self._depacketizers[track.rtp_channel] = Depacketizer(codec)

    def _lose(self, error: PeerError | None) -> None:
        self.lost = True
        self.error = error

    def _receive_batch(self, batch: MediaBatch) -> None:
        for channel, start, end in batch.frames:
            packet = batch.data[start + FRAME_HEADER_BYTES : end]
            if is_rtcp(packet):
                self.reports.append(packet)
            elif (track := self._tracks.get(channel)) is not None:
                self.packets[track.index].append(packet)
                depacketizer = self._depacketizers.get(channel)
                if depacketizer is not None:
                    self.units += depacketizer.push_packet(packet)


@asynccontextmanager
async def relay(
    source: str, destination: str, *, tracks: Collection[str] = ("video",), tls: TlsPolicy = SYSTEM_AUTHORITIES
) -> AsyncIterator[Publisher]:
    """Publish what `source` plays, from its first packet on, until the block is left. Raises PeerError.

    `tls`: trust at the destination.
    """
    waiting: list[bytes] = []
    publishers: list[Publisher] = []

    def pass_on(batch: MediaBatch) -> None:
        if publishers:
            publishers[0].connection.write_media(batch.data)
        else:
            waiting.append(batch.data)

    player = await open_player(
        Route(RtspUrl.parse(source)), deadline_s=5, on_media=pass_on, options=PlayOptions(tracks)
    )
    try:
        publisher = await open_publisher(
            Route(RtspUrl.parse(destination), tls=tls), player.sdp, player.tracks, deadline_s=5
        )
        try:
            for data in waiting:
                publisher.connection.write_media(data)
            publishers.append(publisher)
            yield publisher
        finally:
            publishers.clear()
            await publisher.close()
    finally:
        await player.close()
