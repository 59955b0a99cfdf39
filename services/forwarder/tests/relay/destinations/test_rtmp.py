"""RTMP destinations: what they get is the camera's picture, and the words about it are true."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from forwarder.domain.backpressure import Bounds
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.delivery import DeliverySupervisor
from simulator import CameraConfig, CentreConfig, Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1, TlsTrust
from vonggac.testing import eventually
from vonggac.testing.certificates import ServerCertificate

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.relay.conftest import LibavReceiver, RtmpServer

type StartRelay = Callable[..., CameraRelay]
type StartReceiver = Callable[[], AbstractAsyncContextManager[LibavReceiver]]


def at(relay: CameraRelay, centre_id: str) -> DeliverySupervisor:
    return next(item for item in relay.deliveries.values() if item.plan.destination_code == centre_id)


def redirected(camera: CameraV1, centre_id: str, url: str, **changes: object) -> CameraV1:
    """The plan with one delivery to `url` instead."""
    deliveries = tuple(
        planned.model_copy(update={"url": url, "secret": None, **changes})
        if planned.destination_code == centre_id
        else planned
        for planned in camera.deliveries
    )
    return camera.model_copy(update={"deliveries": deliveries})


def base64_md5(text: str) -> str:
    return base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()


async def acknowledged(relay: CameraRelay, *centres: str) -> None:
    await eventually(lambda: all(at(relay, name).delivery.state is DeliveryState.ACKNOWLEDGED for name in centres))


async def test_libav_receives_every_picture_in_order_beginning_with_one_that_it_can_decode(
    sim: Simulator, planner: Planner, relay_of: StartRelay, libav_receiver: StartReceiver
) -> None:
    async with libav_receiver() as receiver:
        relay = relay_of(redirected(planner.camera(sim), "national", receiver.url))
        await eventually(lambda: len(receiver.of("video")) > 60, within_s=20)
        await acknowledged(relay, "national", "provincial")
        pictures = receiver.of("video")
        assert (pictures[0]["codec"], pictures[0]["width"]) == ("h264", 320)
        assert pictures[0]["keyframe"]
        assert all(picture["decoded"] for picture in pictures[1:] if picture["keyframe"])
        steps = [later["dts"] - sooner["dts"] for sooner, later in itertools.pairwise(pictures)]
        assert set(steps) <= {66, 67}, "15 pictures a second"
        assert sim.cameras["gate"].sessions_total == 1


async def test_sound_goes_along_when_the_plan_says_so(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    relay_of: StartRelay,
    libav_receiver: StartReceiver,
) -> None:
    async with simulate([make_gate(audio="aac")], [CentreConfig(id="national")]) as sim, libav_receiver() as receiver:
        relay_of(redirected(planner.camera(sim, forward_audio=True), "national", receiver.url))
        await eventually(lambda: len(receiver.of("audio")) > 30 and len(receiver.of("video")) > 30, within_s=20)
        assert receiver.of("audio")[0]["codec"] == "aac"
        assert abs(receiver.of("audio")[-1]["dts"] - receiver.of("video")[-1]["dts"]) < 500


async def test_h265_is_refused_before_anything_is_sent_unless_the_centre_takes_it(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    relay_of: StartRelay,
    rtmp_server: RtmpServer,
    libav_receiver: StartReceiver,
) -> None:
    centres = [CentreConfig(id=name) for name in ("classic", "enhanced")]
    async with simulate([make_gate(codec="h265")], centres) as sim, libav_receiver() as receiver:
        camera = redirected(planner.camera(sim), "classic", rtmp_server.url("gate"))
        relay = relay_of(redirected(camera, "enhanced", receiver.url, enhanced_rtmp=True))
        await eventually(lambda: len(receiver.of("video")) > 30, within_s=20)
        pictures = receiver.of("video")
        assert (pictures[0]["codec"], pictures[0]["width"]) == ("hevc", 320)
        assert all(picture["decoded"] for picture in pictures[1:] if picture["keyframe"])
        refused = at(relay, "classic").delivery
        assert refused.cause is Cause.CODEC_UNSUPPORTED
        assert "H.265" in (refused.detail or "")
        assert rtmp_server.connects == []


async def test_a_refused_stream_name_is_a_cause_and_the_name_is_not_shown(
    sim: Simulator, planner: Planner, relay_of: StartRelay, rtmp_server: RtmpServer
) -> None:
    rtmp_server.refuse_publish = "NetStream.Publish.BadName"
    relay = relay_of(redirected(planner.camera(sim), "national", rtmp_server.url("secret-key")))
    await eventually(lambda: at(relay, "national").delivery.cause is Cause.ALREADY_PUBLISHING)
    await acknowledged(relay, "provincial")
    delivery = at(relay, "national").delivery
    assert "secret-key" not in repr(delivery)
    assert at(relay, "national").slot.counts.bytes_written == 0


async def test_a_login_that_the_server_asks_for_is_answered_without_the_password_on_the_wire(
    sim: Simulator, planner: Planner, relay_of: StartRelay, rtmp_server: RtmpServer
) -> None:
    opaque, salt = "b3BhcXVl", "c2FsdA+/"

    def ask(about: dict[str, Any]) -> str | None:
        _, _, query = about["app"].partition("?")
        given = dict(part.partition("=")[::2] for part in query.split("&"))
        if not given.get("user"):
            return "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : "
        if "response" not in given:
            return (
                f"[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=cam&salt={salt}&opaque={opaque}"
            )
        first = base64_md5(f"cam{salt}s3cret-word")
        good = base64_md5(f"{first}{opaque}{given['challenge']}")
        return (
            None if given["response"] == good else "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed"
        )

    rtmp_server.refuse_connect = ask
    secret = planner.seal("cam", "s3cret-word")
    relay = relay_of(redirected(planner.camera(sim), "national", rtmp_server.url("gate"), secret=secret))
    await acknowledged(relay, "national")
    assert len(rtmp_server.connects) == 3
    assert "s3cret-word" not in repr(rtmp_server.connects)

    other = relay_of(
        redirected(planner.camera(sim), "national", rtmp_server.url("two"), secret=planner.seal("cam", "wrong"))
    )
    await eventually(lambda: at(other, "national").delivery.state is DeliveryState.REFUSED)
    assert at(other, "national").delivery.cause is Cause.AUTH_FAILED


async def test_a_slow_centre_loses_whole_groups_and_the_other_nothing(
    sim: Simulator, planner: Planner, relay_of: StartRelay, rtmp_server: RtmpServer
) -> None:
    camera = redirected(planner.camera(sim), "national", rtmp_server.url("gate"))
    relay = relay_of(camera, bounds=Bounds(buffer_bytes=64 << 10, buffer_s=1.0))
    await acknowledged(relay, "national", "provincial")
    slow = at(relay, "national")

    rtmp_server.reading.clear()
    await eventually(lambda: slow.slot.counts.groups_dropped >= 2, within_s=30)
    dropped_from = len(rtmp_server.streams[0].video)
    rtmp_server.reading.set()
    written = slow.slot.counts.bytes_written
    await eventually(lambda: slow.slot.counts.bytes_written > written + 100_000, within_s=20)

    stream = rtmp_server.streams[-1]
    await eventually(lambda: len(stream.video) > dropped_from)
    holes = [
        later
        for sooner, later in itertools.pairwise(stream.video)
        if not 60 <= later.timestamp_ms - sooner.timestamp_ms <= 70
    ]
    assert all(picture.payload[0] >> 4 == 1 for picture in holes), "after a hole comes a keyframe"
    assert slow.slot.counts.packets_dropped > 0
    healthy = sim.centres["provincial"].streams["gate"]
    assert (healthy.lost, healthy.sessions) == (0, 1)


async def test_a_centre_that_comes_back_gets_a_new_session_from_a_keyframe_on(
    sim: Simulator, planner: Planner, relay_of: StartRelay, rtmp_server: RtmpServer
) -> None:
    relay = relay_of(redirected(planner.camera(sim), "national", rtmp_server.url("gate")))
    await acknowledged(relay, "national", "provincial")

    await rtmp_server.stop()
    await eventually(lambda: at(relay, "national").delivery.cause in (Cause.ENDED, Cause.REFUSED))
    await rtmp_server.start()
    await eventually(lambda: len(rtmp_server.streams) == 2 and len(rtmp_server.streams[1].video) > 10, within_s=15)

    back = rtmp_server.streams[1]
    assert back.begins_with_keyframe
    assert back.video[0].timestamp_ms == 0
    await acknowledged(relay, "national")
    assert sim.centres["provincial"].streams["gate"].lost == 0


async def test_two_rtmp_centres_share_the_work_and_get_the_same_pictures(
    sim: Simulator, planner: Planner, relay_of: StartRelay, rtmp_server: RtmpServer
) -> None:
    camera = redirected(planner.camera(sim), "national", rtmp_server.url("one"))
    relay = relay_of(redirected(camera, "provincial", rtmp_server.url("two")))
    await acknowledged(relay, "national", "provincial")
    one, two = rtmp_server.streams
    await eventually(lambda: len(one.video) > 30 and len(two.video) > 30)
    first = next(picture.payload for picture in one.video if picture.payload in {seen.payload for seen in two.video})
    begin = [message.payload for message in one.video].index(first)
    other = [message.payload for message in two.video]
    there = other.index(first)
    assert [message.payload for message in one.video][begin : begin + 20] == other[there : there + 20]
    await eventually(lambda: at(relay, "national").slot.counts.frames_sent == len(one.video))
    assert sim.cameras["gate"].sessions_total == 1


async def test_rtmps_takes_the_pinned_certificate_and_sends_nothing_to_another_one(
    sim: Simulator, planner: Planner, relay_of: StartRelay, rtmp_server: RtmpServer
) -> None:
    certificate = ServerCertificate.self_signed()
    await rtmp_server.stop()
    await rtmp_server.start(ssl=certificate.server_context)
    url = rtmp_server.url("gate", "rtmps")
    camera = redirected(
        planner.camera(sim), "national", url, tls=TlsTrust(fingerprint_sha256=certificate.fingerprint_sha256)
    )
    relay = relay_of(redirected(camera, "provincial", url, tls=TlsTrust(fingerprint_sha256="0" * 64)))
    await acknowledged(relay, "national")
    await eventually(lambda: at(relay, "provincial").delivery.cause is Cause.TLS)
    assert len(rtmp_server.connects) == 1
    counts = at(relay, "national").slot.counts
    assert 0 < counts.bytes_acknowledged <= counts.bytes_written


async def test_an_address_outside_the_allowed_networks_is_not_connected_to(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(redirected(planner.camera(sim), "national", "rtmp://192.0.2.1/live/gate"))
    await eventually(lambda: at(relay, "national").delivery.cause is Cause.ADDRESS_NOT_ALLOWED)
