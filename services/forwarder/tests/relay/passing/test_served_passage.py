"""A centre connects to a forwarder that does not hold its camera, and is passed on to the one that does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vonggac.events.causes import Cause
from vonggac.net.url import Credentials
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.passing.conftest import Fleet, UdpReceiver

RTP_OVER_UDP = "RTP/AVP;unicast;client_port={}-{}"


async def test_served_camera_is_had_from_a_forwarder_that_does_not_hold_it(fleet: Fleet) -> None:
    before = await fleet.pushed()
    puller = await fleet.connect(fleet.front)
    assert await puller.play() == 200
    await fleet.becomes("acknowledged")
    [session] = (await fleet.served()).taken_by
    assert (session.peer, session.agent, session.transport, session.tls) == ("127.0.0.1", "test puller", "tcp", None)
    await eventually(lambda: puller.media_bytes > 100_000)

    # Not one byte more than it has read or its kernel has.
    async def counted() -> bool:
        return 0 < (await fleet.served()).bytes_acknowledged <= puller.media_bytes + 4 * 65536

    assert await eventually(counted)
    await puller.close()
    await fleet.becomes("waiting_for_centre", Cause.LEFT)
    for one, after in zip(before, await fleet.pushed(), strict=True):
        assert (after.packets_dropped, after.groups_dropped) == (one.packets_dropped, one.groups_dropped)


async def test_served_udp_comes_from_the_forwarder_that_was_asked(fleet: Fleet, udp_receiver: UdpReceiver) -> None:
    puller = await fleet.connect(fleet.front)
    assert await puller.play(RTP_OVER_UDP.format(*udp_receiver.ports)) == 200
    await fleet.becomes("sending")
    [session] = (await fleet.served()).taken_by
    assert session.transport == "udp"
    await eventually(lambda: len(udp_receiver.packets) > 50)
    assert (await fleet.served()).bytes_acknowledged == 0
    udp_receiver.reporting = True
    await fleet.becomes("acknowledged", within_s=20)
    assert 0 < (await fleet.served()).bytes_acknowledged <= sum(len(each) + 4 for each in udp_receiver.packets)
    await puller.close()
    await fleet.becomes("waiting_for_centre", Cause.LEFT)


async def test_served_front_refuses_as_the_holder_does_and_the_holder_hears_of_it(fleet: Fleet) -> None:
    stranger = await fleet.connect(fleet.front, None)
    assert await stranger.ask("DESCRIBE") == 401
    nobody = await fleet.connect(fleet.front, path="/ioc/none")
    assert await nobody.ask("DESCRIBE") == 404
    guesser = await fleet.connect(fleet.front, Credentials("ioc", "wrong"))
    assert await guesser.ask("DESCRIBE") == 401
    observed = await fleet.becomes("waiting_for_centre", Cause.REFUSED)
    assert observed.refused_for is Cause.AUTH_FAILED
    assert observed.refusals[Cause.AUTH_FAILED] >= 1
    late = await fleet.connect(fleet.front)
    assert await late.play() == 200
    await fleet.becomes("acknowledged")


async def test_served_sessions_are_limited_at_the_holder_whichever_forwarder_they_come_by(fleet: Fleet) -> None:
    for process in (fleet.front, fleet.holder):
        assert await (await fleet.connect(process)).play() == 200
    assert await (await fleet.connect(fleet.front)).play() == 453
    assert (await fleet.served()).refusals == {Cause.SESSION_LIMIT: 1}


async def test_served_passed_centre_that_stops_reading_is_stalled_and_the_others_lose_nothing(fleet: Fleet) -> None:
    before = await fleet.pushed()
    puller = await fleet.connect(fleet.front)
    assert await puller.play() == 200
    await fleet.becomes("acknowledged")
    puller.reading.clear()
    await fleet.becomes("stalled", Cause.STALLED, within_s=20)
    for one, after in zip(before, await fleet.pushed(), strict=True):
        assert (after.packets_dropped, after.groups_dropped) == (one.packets_dropped, one.groups_dropped)


async def test_served_session_ends_with_its_holder_and_the_answer_is_honest(fleet: Fleet) -> None:
    puller = await fleet.connect(fleet.front)
    assert await puller.play() == 200
    await fleet.becomes("acknowledged")
    fleet.holder.stop()
    await eventually(lambda: puller.ended, within_s=15)

    async def again() -> bool:
        fresh = await fleet.connect(fleet.front)
        status = await fresh.play()
        assert status in (200, 503)
        return status == 200

    assert await eventually(again, within_s=20)
