"""UDP sources re-framed to TCP, and RTCP both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from forwarder.domain.camera_pull import PullState
from forwarder.relay.destinations.receiver_reports import Reported
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.delivery import DeliverySupervisor
from simulator import CameraConfig, Simulator
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import MediaTransport
from vonggac.media.rtcp import ReceiverReport, ReportBlock, SenderReport, build_receiver_report, parse_rtcp
from vonggac.media.rtp import interleave
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator

type StartRelay = Callable[..., CameraRelay]


async def acknowledged(relay: CameraRelay) -> None:
    def all_are() -> bool:
        return all(item.delivery.state is DeliveryState.ACKNOWLEDGED for item in relay.deliveries.values())

    await eventually(all_are, within_s=15)


def rtcp_in(batches: list[MediaBatch], channel: int) -> list[object]:
    return [
        report
        for batch in batches
        for number, start, end in batch.frames
        if number == channel
        for report in parse_rtcp(batch.data[start + 4 : end])
    ]


def national(relay: CameraRelay) -> DeliverySupervisor:
    return next(item for item in relay.deliveries.values() if item.plan.destination_code == "national")


async def test_media_that_comes_over_udp_goes_on_over_tcp_whole_and_in_order(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    # A mark on the connection would hold back the answers to keep-alives: it is for media over TCP only.
    relay = relay_of(planner.camera(sim, transport=MediaTransport.UDP), receive_low_water_bytes=65_536)
    await acknowledged(relay)
    for centre in sim.centres.values():
        stream = await centre.wait_for("gate", lambda stream: stream.packets > 100)
        assert stream.current is not None
        assert stream.current.first_packet_is_keyframe
        assert sum(track.reordered for track in stream.current.tracks) == 0
    assert relay.puller.reception is not None
    assert relay.puller.reception.packets > 100
    assert sim.cameras["gate"].sessions_total == 1


async def test_a_camera_that_loses_udp_packets_is_passed_on_with_its_gaps_and_the_loss_is_counted(
    simulate: StartSimulator, make_gate: Callable[..., CameraConfig], planner: Planner, relay_of: StartRelay
) -> None:
    camera = make_gate(fault={"fault": "packet_loss", "percent": 10})
    async with simulate(cameras=[camera]) as sim:
        relay = relay_of(planner.camera(sim, transport=MediaTransport.UDP))
        await acknowledged(relay)
        await eventually(lambda: relay.puller.reception is not None and relay.puller.reception.lost > 5, within_s=20)
        stream = await sim.centres["national"].wait_for("gate", lambda stream: stream.lost > 2)
        assert stream.sessions == 1


@pytest.mark.parametrize("transport", [MediaTransport.TCP, MediaTransport.AUTO])
async def test_tcp_is_taken_where_the_camera_knows_it(
    sim: Simulator, planner: Planner, relay_of: StartRelay, transport: MediaTransport
) -> None:
    relay = relay_of(planner.camera(sim, transport=transport))
    await acknowledged(relay)
    assert relay.puller.reception is None


async def test_the_camera_gets_receiver_reports_of_ours_and_the_centres_its_sender_reports(
    sim: Simulator, planner: Planner, relay_of: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = relay_of(planner.camera(sim))
    await eventually(lambda: relay.pull.state is PullState.LIVE)
    await acknowledged(relay)
    to_camera, to_centre = list[MediaBatch](), list[MediaBatch]()
    (playing,) = sim.cameras["gate"].connections
    monkeypatch.setattr(playing, "on_media", to_camera.append)
    (publishing,) = sim.centres["national"].connections
    monkeypatch.setattr(publishing, "on_media", to_centre.append)
    wrong = interleave(1, build_receiver_report(ReceiverReport(7, (ReportBlock(ssrc=99, fraction_lost=255),))))
    publishing.transport.write(wrong)

    await eventually(lambda: rtcp_in(to_camera, 1), within_s=12)
    await eventually(lambda: rtcp_in(to_centre, 1), within_s=12)
    (report,) = {type(report) for report in rtcp_in(to_camera, 1)}
    assert report is ReceiverReport
    # What a centre says goes to nobody else: it may be wrong, and it is of another hop.
    blocks = [block for told in rtcp_in(to_camera, 1) if isinstance(told, ReceiverReport) for block in told.blocks]
    assert blocks
    assert all(block.ssrc != 99 and block.fraction_lost == 0 for block in blocks)
    assert all(isinstance(told, SenderReport) for told in rtcp_in(to_centre, 1))


async def test_what_a_centre_reports_is_shown_and_nonsense_is_passed_over(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim))
    await acknowledged(relay)
    (publishing,) = sim.centres["national"].connections
    block = ReportBlock(ssrc=1, fraction_lost=64, cumulative_lost=12, jitter=9_000)
    publishing.transport.write(
        interleave(1, build_receiver_report(ReceiverReport(7, (block,))))
        + interleave(1, b"\x81\xc9\xff\xff" + bytes(8))
        + interleave(1, b"")
        + interleave(0, bytes(3_000))
    )
    await eventually(lambda: national(relay).slot.counts.reported is not None)
    assert national(relay).slot.counts.reported == Reported(lost=0.25, jitter_s=0.1)
    assert national(relay).delivery.state is DeliveryState.ACKNOWLEDGED


async def test_both_sides_are_kept_alive_by_their_own_session_timeouts(
    simulate: StartSimulator, make_gate: Callable[..., CameraConfig], planner: Planner, relay_of: StartRelay
) -> None:
    async with simulate(cameras=[make_gate(session_timeout_s=2)]) as sim:
        relay = relay_of(planner.camera(sim))
        await acknowledged(relay)
        # Longer than the camera's timeout; without keep-alives it would have ended the session.
        stream = await sim.centres["national"].wait_for("gate", lambda stream: stream.packets > 400, timeout_s=30)
        assert stream.lost == 0
        assert sim.cameras["gate"].sessions_total == 1
        assert stream.sessions == 1
