"""The hot path: one batch from the camera, written to every destination without waiting for any of them.

Nothing here awaits. A destination that is too slow is reported by its own transport, loses groups of pictures by the
rules of `forwarder.domain.backpressure`, and is skipped until it is fast again; the others do not notice.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from forwarder.domain import backpressure as overflow
from forwarder.domain.backpressure import Bounds, Flow
from forwarder.relay.media.gop_cache import GopCache
from forwarder.relay.media.keyframe_scale import KeyframeScale
from forwarder.relay.media.sender_reports import SenderReports
from vonggac.rtsp.wire.fast_path import FastPath, Write
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch
from vonggac.rtsp.wire.keyframe_scanner import IN_LEAD, KeyframeScanner, tail


class MediaWriter(Protocol):
    """Where an outlet writes: never blocks, never raises."""

    def write_media(self, data: bytes) -> None: ...

    @property
    def write_buffer_bytes(self) -> int: ...


class Outlet:
    """One destination's end of the fan-out. It starts waiting, and flows from a keyframe on.

    `packets_dropped` counts packets left out for overflow, and `packets_late` those of them left out for lag.
    """

    __slots__ = (
        "_channels",
        "_entered",
        "_fanout",
        "_fast_path",
        "_frames",
        "_marks",
        "_packets",
        "_write_media",
        "_writer",
        "_written",
        "bounds",
        "direct",
        "flow",
        "packets_dropped",
        "packets_late",
    )

    def __init__(
        self,
        fanout: "FanOut",
        writer: MediaWriter,
        channels: Mapping[int, int],
        bounds: Bounds,
        *,
        direct: Write | None = None,
    ) -> None:
        """`channels` maps the camera's channel numbers to the destination's; other channels are not written.

        `direct` does the same as `writer.write_media` while the outlet is part of the fan-out, and faster.
        """
        self._fanout, self._writer, self.bounds = fanout, writer, bounds
        self._write_media = writer.write_media
        self._channels = dict(channels)
        same = all(source == target for source, target in channels.items())
        verbatim = same and channels.keys() >= fanout.channels
        self.direct = (direct or writer.write_media) if verbatim else None
        """Writes clean media unchanged; None where it must be rewritten."""
        self._marks: deque[tuple[float, int]] = deque()
        self._fast_path: FastPath | None = None
        self._entered = (0, 0, 0)
        self.flow = Flow(flowing=False)
        self._written = 0
        self._packets = 0
        self._frames = 0
        self.packets_dropped = 0
        self.packets_late = 0

    @property
    def written(self) -> int:
        """Bytes of media handed to the transport."""
        return self._written + (self._fast_path.bytes - self._entered[0] if self._fast_path is not None else 0)

    @property
    def packets(self) -> int:
        """Packets of media handed to the transport."""
        return self._packets + (self._fast_path.packets - self._entered[1] if self._fast_path is not None else 0)

    @property
    def frames(self) -> int:
        """Pictures handed to the transport with their last packet, which has the marker bit."""
        return self._frames + (self._fast_path.endings - self._entered[2] if self._fast_path is not None else 0)

    def count_from(self, fast_path: FastPath | None) -> None:
        """Count what `fast_path` passes on as written from now on; None: stop counting it."""
        if fast_path is not self._fast_path:
            self._written, self._packets, self._frames = self.written, self.packets, self.frames
            self._fast_path = fast_path
            self._entered = (
                (fast_path.bytes, fast_path.packets, fast_path.endings) if fast_path is not None else (0, 0, 0)
            )

    def write(self, batch: MediaBatch, *, clean: bool) -> None:
        """Write a batch; `clean` when it holds only frames of the camera's relayed channels."""
        if clean and self.direct is not None:
            data = batch.data
            self._write_media(data)
            self._written += len(data)
            self._packets += batch.count
            self._frames += self._fanout.endings(batch)
        else:
            self._rewrite(batch)

    def count(self, *, packets: int = 0, frames: int = 0, octets: int = 0) -> None:
        """Count what was handed to the transport elsewhere."""
        self._packets += packets
        self._frames += frames
        self._written += octets

    def buffer_is_full(self) -> None:
        """Leave media out: the transport's buffer crossed its bound."""
        self.judge_lag(lag_s=0.0, buffered=self.bounds.buffer_bytes)

    def judge_lag(self, *, lag_s: float, buffered: int | None = None) -> None:
        """Start or stop leaving media out, by the buffered bytes and the lag."""
        size = self._writer.write_buffer_bytes if buffered is None else buffered
        flow = overflow.lagged(self.flow, self.bounds, buffered=size, lag_s=lag_s)
        if flow is not self.flow:
            self._become(flow)

    @property
    def buffered_bytes(self) -> int:
        """What waits in the transport."""
        return self._writer.write_buffer_bytes

    def pause_media(self, room_bytes: int) -> None:
        """Leave media out until fewer than `room_bytes` wait: the process holds too much in all."""
        self._become(overflow.paused(self.flow, room_bytes=room_bytes))

    def keyframe_came(self) -> bool:
        """Whether media flows from this keyframe on."""
        self._become(overflow.keyframe_came(self.flow))
        return self.flow.flowing

    @property
    def lagging(self) -> bool:
        """Whether unacknowledged media is being timed, or media is being left out."""
        return bool(self._marks) or self.flow.overflowing

    def lag_s(self, now_s: float, acknowledged: int) -> float:
        """Age of the oldest media byte that the destination has not acknowledged; call about once a second."""
        marks = self._marks
        while marks and marks[0][1] <= acknowledged:
            marks.popleft()
        lag = now_s - marks[0][0] if marks else 0.0
        written = self.written
        if written > acknowledged and (not marks or marks[-1][1] < written):
            marks.append((now_s, written))
        return lag

    def _become(self, flow: Flow) -> None:
        turned = flow.flowing is not self.flow.flowing
        self.flow = flow
        if turned:
            self._fanout.split_outlets()

    def _rewrite(self, batch: MediaBatch) -> None:
        data, out = batch.data, bytearray()
        for channel, start, end in batch.frames:
            target = self._channels.get(channel)
            if target is not None:
                at = len(out)
                out += data[start:end]
                out[at + 1] = target
                self._packets += 1
        if out:
            self._write_media(bytes(out))
            self._written += len(out)
            self._frames += self._fanout.endings(batch)


class FanOut:
    """From one camera session to its outlets: by the `fast_path` while nothing else is needed, else batch by batch."""

    def __init__(self, *, channels: frozenset[int], video_channel: int, scanner: KeyframeScanner) -> None:
        """`channels`: the RTP and RTCP channel numbers of the relayed tracks, as agreed with the camera."""
        self.channels = channels
        self._video_channel = video_channel
        self._video = 1 << video_channel
        self._foreign = ~sum(1 << channel for channel in channels)
        self._scanner = scanner
        self._outlets: tuple[Outlet, ...] = ()
        self._flowing: tuple[Outlet, ...] = ()
        self._waiting: tuple[Outlet, ...] = ()
        self._lead_written: set[Outlet] = set()
        self._began: Callable[[], None] | None = None
        self._tap: Callable[[MediaBatch], None] | None = None
        self._scale: KeyframeScale | None = None
        self._gop_cache: GopCache | None = None
        self._gop_keepers: set[object] = set()
        self._reports: SenderReports | None = None
        self._pictures = 0
        self.video_payload_type: int | None = None
        """Of the first packet of the video; None before that."""
        self.fast_path = FastPath(channels=channels, video_channel=video_channel)
        """The camera's connection tries it first; what it refuses comes to `on_media`."""

    @property
    def pictures(self) -> int:
        """Grows while video comes (RTCP alone does not count)."""
        return self._pictures + self.fast_path.pictures

    @property
    def tap(self) -> Callable[[MediaBatch], None] | None:
        """Gets every batch after the destinations, while it is set."""
        return self._tap

    @tap.setter
    def tap(self, tap: Callable[[MediaBatch], None] | None) -> None:
        self._tap = tap
        self._switch()

    @property
    def scale(self) -> KeyframeScale | None:
        """Weighs the pictures after the destinations, while it is set; it does not close the fast path."""
        return self._scale

    @scale.setter
    def scale(self, scale: KeyframeScale | None) -> None:
        self._scale = scale
        self.fast_path.watch = scale.add_piece if scale is not None else None

    @property
    def gop_cache(self) -> GopCache | None:
        """The current group of pictures, while it is kept: new outlets begin with it."""
        return self._gop_cache

    @gop_cache.setter
    def gop_cache(self, gop_cache: GopCache | None) -> None:
        self._gop_cache = gop_cache
        self._switch()

    @property
    def reports(self) -> SenderReports | None:
        """Reads what the camera reports of its video, after the destinations; it does not close the fast path."""
        return self._reports

    @reports.setter
    def reports(self, reports: SenderReports | None) -> None:
        self._reports = reports
        self.fast_path.on_reports = reports.read_piece if reports is not None else None

    def when_pictures_come(self, began: Callable[[], None]) -> None:
        """Call `began` once from the event loop: soon if video has come already, else with its first packets."""
        self._began = began
        if self.pictures:
            self._call_began()
        self._switch()

    def endings(self, batch: MediaBatch) -> int:
        """Packets of video with the marker bit: the number of pictures that end in this batch."""
        data, marked = batch.data, FRAME_HEADER_BYTES + 1
        return sum(
            data[start + marked] >= 0x80
            for channel, start, end in batch.frames
            if channel == self._video_channel and end - start > marked
        )

    def _payload_type_of(self, batch: MediaBatch) -> int | None:
        """Of the batch's first packet of video."""
        at = FRAME_HEADER_BYTES + 1
        return next(
            (
                batch.data[start + at] & 0x7F
                for channel, start, end in batch.frames
                if channel == self._video_channel and end - start > at
            ),
            None,
        )

    def on_media(self, batch: MediaBatch) -> None:
        """Pass one batch on, in order, at once."""
        clean = not batch.channels & self._foreign
        if batch.channels & self._video:
            self._pictures += 1
            if self.video_payload_type is None:
                self.video_payload_type = self._payload_type_of(batch)
            if self._began is not None:
                self._call_began()
        # Outlets change sides amid writes; tuples are replaced, never changed, so this one stays as it is.
        flowing = self._flowing
        if self._waiting:
            self._start_waiting(batch, clean=clean)
        for outlet in flowing:
            outlet.write(batch, clean=clean)
        if self._tap is not None:
            self._tap(batch)
        if self._scale is not None:
            self._scale.add(batch)
        if self._gop_cache is not None:
            self._gop_cache.add_batch(batch, clean=clean)
        if self._reports is not None:
            self._reports.read_batch(batch)

    def keep_gop_cache(self) -> GopCache:
        """Keep the current group of pictures from its keyframe on, until `gop_cache` is set to None."""
        if self.gop_cache is None:
            self.gop_cache = GopCache(self._scanner.another())
        return self.gop_cache

    def keep_gop_for(self, keeper: object) -> None:
        """Keep it until `release_gop` of the same keeper."""
        self._gop_keepers.add(keeper)
        self.keep_gop_cache()

    def release_gop(self, keeper: object | None = None) -> None:
        """Keep the current group of pictures no longer, unless another keeper needs it."""
        self._gop_keepers.discard(keeper)
        if not self._gop_keepers:
            self.gop_cache = None

    def add_outlet(self, outlet: Outlet) -> None:
        self._outlets = (*self._outlets, outlet)
        self.split_outlets()
        if self.gop_cache is not None and self.gop_cache.begun and outlet.keyframe_came():
            for batch, clean in self.gop_cache:
                if outlet.flow.flowing:
                    outlet.write(batch, clean=clean)

    def remove_outlet(self, outlet: Outlet) -> None:
        self._outlets = tuple(other for other in self._outlets if other is not outlet)
        outlet.count_from(None)
        self.split_outlets()

    def split_outlets(self) -> None:
        """Split the outlets into flowing and waiting ones."""
        if not self._waiting:
            self._scanner.reset()
        elif self._scanner.open_lead:
            # Flowing outlets have got the lead of the open unit: they must not begin with it again.
            self._lead_written |= set(self._flowing)
        self._flowing = tuple(outlet for outlet in self._outlets if outlet.flow.flowing)
        self._waiting = tuple(outlet for outlet in self._outlets if not outlet.flow.flowing)
        self._switch()

    def _switch(self) -> None:
        """Open the fast path if everything is written to everybody and nothing else is needed; else close it."""
        alike = not self._waiting and self._tap is None and self._gop_cache is None and self._began is None
        writes = [outlet.direct for outlet in self._flowing if outlet.direct is not None]
        is_open = alike and len(writes) == len(self._flowing)
        self.fast_path.writes = tuple(writes) if is_open else None
        for outlet in self._outlets:
            outlet.count_from(self.fast_path if is_open else None)

    def _call_began(self) -> None:
        began, self._began = self._began, None
        self._switch()
        if began is not None:
            asyncio.get_running_loop().call_soon(began)

    def _start_waiting(self, batch: MediaBatch, *, clean: bool) -> None:
        waiting = list(self._waiting)
        passed = dict.fromkeys(waiting, batch.count)
        for index in self._scanner.scan(batch, clean=clean):
            able = waiting if index != IN_LEAD else [outlet for outlet in waiting if outlet not in self._lead_written]
            for outlet in [outlet for outlet in able if outlet.keyframe_came()]:
                waiting.remove(outlet)
                passed[outlet] = self._begin(outlet, batch, index, clean=clean)
        if not self._scanner.open_lead:
            self._lead_written.clear()
        for outlet, count in passed.items():
            if outlet.flow.groups_dropped:
                outlet.packets_dropped += count
                outlet.packets_late += count if outlet.flow.late else 0

    def _begin(self, outlet: Outlet, batch: MediaBatch, index: int, *, clean: bool) -> int:
        """Write from a keyframe's first frame on; returns how many frames of the batch are left out.

        Negative when the keyframe began before the batch: those frames were counted as left out.
        """
        if index != IN_LEAD:
            outlet.write(tail(batch, index), clean=clean)
            return index
        for piece, piece_clean in (*self._scanner.lead, (batch, clean)):
            if outlet.flow.flowing:
                outlet.write(piece, clean=piece_clean)
        return -sum(piece.count for piece, _ in self._scanner.lead)
