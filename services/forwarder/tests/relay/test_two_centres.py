"""One pull of a camera reaches both centres, and the state words are true."""

from forwarder.domain.camera import PullState
from vonggac.events.forwarder import DeliveryState
from vonggac.testing import eventually


async def test_both_centres_receive_from_one_pull(sim, planner, relay_of, recorder) -> None:  # type: ignore[no-untyped-def]
    relay = relay_of(planner.camera(sim))
    for centre in sim.centres.values():
        stream = await centre.wait_for("gate", lambda stream: stream.packets > 50)
        assert stream.lost == 0
        assert stream.current is not None
        assert stream.current.first_packet_is_keyframe
    assert sim.cameras["gate"].sessions_total == 1
    await eventually(
        lambda: all(item.delivery.state is DeliveryState.ACKNOWLEDGED for item in relay.deliveries.values())
    )
    assert relay.pull.state is PullState.LIVE
    for destination in planner.destinations.values():
        states = recorder.states(destination)
        assert states[:2] == [DeliveryState.WAITING_FOR_CAMERA, DeliveryState.CONNECTING]
        assert states[-1] is DeliveryState.ACKNOWLEDGED
