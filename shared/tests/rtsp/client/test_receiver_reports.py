import asyncio

import pytest

from vonggac.media.rtcp import ReceiverReport, parse_rtcp
from vonggac.media.rtp import build_rtp, interleave
from vonggac.net.url import RtspUrl
from vonggac.rtsp import Player, PlayOptions, Route, open_player
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer


def media(sequence: int, ssrc: int = 7, channel: int = 0) -> bytes:
    return interleave(channel, build_rtp(b"x", payload_type=96, sequence=sequence, timestamp=0, ssrc=ssrc))


async def play(peer: ScriptedPeer, report_interval_s: float | None = 0.05) -> Player:
    return await open_player(
        Route(RtspUrl.parse(f"rtsp://127.0.0.1:{peer.port}/live")),
        deadline_s=5,
        on_media=lambda _: None,
        options=PlayOptions(tracks=("video", "audio"), report_interval_s=report_interval_s),
    )


def reports(peer: ScriptedPeer) -> list[tuple[int, ReceiverReport]]:
    found = []
    for batch in peer.media:
        for channel, start, end in batch.frames:
            (report,) = parse_rtcp(batch.data[start + 4 : end])
            assert isinstance(report, ReceiverReport)
            found.append((channel, report))
    return found


async def until_reported(peer: ScriptedPeer, data: bytes, expected: set[tuple[int, int]]) -> None:
    """Send `data` with every report that comes, until the reports have these (SSRC, highest sequence)."""

    def has_reports() -> bool:
        peer.writer.write(data)
        return {(b.ssrc, b.highest_sequence) for _, report in reports(peer)[-2:] for b in report.blocks} == expected

    await peer.until(has_reports)


async def test_a_camera_gets_a_report_per_track_on_its_rtcp_channel() -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:
        player = await play(peer)
        await peer.until(lambda: len(reports(peer)) >= 2)
        assert [(channel, report.blocks) for channel, report in reports(peer)[:2]] == [(1, ()), (3, ())]
        sound = media(5, ssrc=9, channel=2)
        await until_reported(peer, media(65534) + media(65535) + sound, {(7, 65535), (9, 5)})
        await until_reported(peer, media(3), {(7, 0x10003), (9, 5)})
        await until_reported(peer, media(40, ssrc=8), {(8, 40), (9, 5)})
        await player.close()


async def test_frames_that_are_no_rtp_do_no_harm() -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:
        player = await play(peer)
        peer.writer.write(interleave(0, b"") + interleave(2, b"abc"))
        await peer.until(lambda: len(reports(peer)) >= 4)
        assert all(report.blocks == () for _, report in reports(peer))
        await player.close()


async def test_reports_can_be_switched_off() -> None:
    camera = ScriptedCamera()
    camera.session = "42;timeout=2"
    async with ScriptedPeer(camera) as peer:
        player = await play(peer, None)
        peer.writer.write(media(1))
        await peer.until(lambda: "GET_PARAMETER" in peer.methods)
        assert peer.media == []
        await player.close()


@pytest.mark.parametrize("end", ["close", "abort", "lost"])
async def test_no_timer_goes_on_after_the_end(end: str) -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:
        player = await play(peer, 0.01)
        await peer.until(lambda: len(reports(peer)) >= 2)
        if end == "close":
            await player.close()
        elif end == "abort":
            player.abort()
        else:
            peer.writer.close()
        await player.connection.wait_closed()
        await eventually(lambda: not _timers_of(player))


def _timers_of(player: Player) -> list[asyncio.TimerHandle]:
    scheduled: list[asyncio.TimerHandle] = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
    return [timer for timer in scheduled if not timer.cancelled() and "InterleavedReports" in repr(timer)]
