"""Read-backs from real centres: proven, another picture, an old one, none; the test plays the forwarder."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from prober.domain.verification import Finding, not_checkable
from prober.probes.loop_lag import MOST_S, LoopLag
from prober.probes.verification.verifier import Verification, Verifier, excuse_lag
from simulator.centres.centre import Centre
from vonggac.bus import Bucket, Bus
from vonggac.bus.clock import Measurement, elapsed_s
from vonggac.bus.declared import topology
from vonggac.events import Cause
from vonggac.events.forwarder import KeyframeHistory
from vonggac.events.inventory import PlannedDelivery, TlsTrust
from vonggac.events.prober import VerificationVerdict
from vonggac.testing import eventually
from vonggac.testing.waiting import running_beside

pytestmark = pytest.mark.slow


async def checked(verifier: Verifier, site: Any, *deliveries: PlannedDelivery) -> list[Verification]:
    found = {each.delivery.id: each for each in await verifier.verify(site.camera_id, deliveries)}
    assert len(found) == len(deliveries)
    return [found[delivery.id] for delivery in deliveries]


async def put_history(bus: Bus, site: Any, worker_id: str) -> None:
    """What another forwarder noted of the camera lately."""
    history = KeyframeHistory(camera_id=site.camera_id, worker_id=worker_id, keyframes=tuple(site.notes[-2:]))
    await Bucket(bus, topology.KEYFRAMES).put(str(site.camera_id), history.model_dump_json().encode())


async def no_viewer(*centres: Centre) -> None:
    """Sessions are torn down."""
    await eventually(lambda: all(stream.viewers == 0 for centre in centres for stream in centre.streams.values()))


async def test_both_centres_are_proven_at_the_same_time_with_their_delay(verifier: Verifier, open_site: Any) -> None:
    site = await open_site()
    began = datetime.now(UTC)
    found = await checked(verifier, site, site.delivery(site.national), site.delivery(site.provincial))
    for each in found:
        assert each.finding.verdict is VerificationVerdict.VERIFIED
        assert each.finding.delay_s is not None
        assert 0 <= each.finding.delay_s < 1.5
        assert each.finding.captured_at is not None
        assert each.observed_at >= began
    assert (datetime.now(UTC) - began).total_seconds() < 3.0
    (asked,) = site.asked
    assert asked["seconds"] == 6
    await eventually(lambda: site.enough == [asked["asker"]])
    await no_viewer(site.national, site.provincial)


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_keyframe_order_of_a_camera_that_sends_single_units_is_proven_at_both_centres(
    verifier: Verifier, open_site: Any, codec: str
) -> None:
    site = await open_site(packing="single", codec=codec)
    found = await checked(verifier, site, site.delivery(site.national), site.delivery(site.provincial))
    assert [each.finding.verdict for each in found] == [VerificationVerdict.VERIFIED] * 2
    current = site.national.streams["key"].current
    assert current is not None
    assert current.first_packet_is_keyframe


async def test_another_picture_at_one_centre_is_a_mismatch_and_the_other_stays_proven(
    verifier: Verifier, open_site: Any
) -> None:
    site = await open_site()
    await site.national.set_fault("wrong_picture", path="yard")
    wrong, right = await checked(verifier, site, site.delivery(site.national), site.delivery(site.provincial))
    assert (wrong.finding.verdict, wrong.finding.cause) == (VerificationVerdict.MISMATCH, Cause.MISMATCH)
    assert "another picture" in (wrong.finding.detail or "")
    assert wrong.duration_s >= 2.0
    assert right.finding.verdict is VerificationVerdict.VERIFIED
    assert right.duration_s < 2.0


@pytest.mark.parametrize("by_s", [150.0, -150.0])
async def test_bus_clock_that_is_set_during_a_read_back_accuses_no_centre(
    verifier: Verifier, open_site: Any, bus: Bus, by_s: float
) -> None:
    site = await open_site()
    assert await bus.clock.measure(bus)
    await site.national.set_fault("wrong_picture", path="yard")
    reading_back = asyncio.create_task(verifier.verify(site.camera_id, [site.delivery(site.national)]))
    await eventually(lambda: any(stream.viewers for stream in site.national.streams.values()))
    at_s = elapsed_s()
    bus.clock.use_measurement(Measurement.of(asked_s=at_s, server_s=bus.clock.unix_s() + by_s, answered_s=at_s))
    (found,) = await reading_back
    assert found.finding == not_checkable("the clock of NATS was set meanwhile")


async def test_a_camera_that_stands_still_bit_for_bit_proves_neither_a_stream_nor_a_still(
    verifier: Verifier, open_site: Any
) -> None:
    site = await open_site()
    await site.camera.set_fault("freeze")
    noted = len(site.notes)
    # A picture comes again only after a whole group.
    await eventually(lambda: len({note.hash for note in site.notes[noted + 2 :]}) < len(site.notes) - noted - 4)
    await site.national.set_fault("frozen_playback")
    found = await checked(verifier, site, site.delivery(site.national), site.delivery(site.provincial))
    assert [each.finding.verdict for each in found] == [VerificationVerdict.NOT_CHECKABLE] * 2
    assert all("repeats its pictures" in (each.finding.detail or "") for each in found)
    # Whatever people say of the camera: who reads the proof sees that it is in doubt.
    verifier.is_disputed = lambda camera_id: camera_id == site.camera_id
    (doubted,) = await checked(verifier, site, site.delivery(site.national))
    assert doubted.finding.verdict is VerificationVerdict.NOT_CHECKABLE
    assert "nobody has decided yet" in (doubted.finding.detail or "")
    await site.camera.clear_fault()
    # As soon as the still is older than the longest delay, it tells itself from what the camera gives by now.
    await eventually(lambda: len({note.hash for note in site.notes[-6:]}) == 6)
    still, live = await checked(verifier, site, site.delivery(site.national), site.delivery(site.provincial))
    assert still.finding.verdict is VerificationVerdict.MISMATCH
    assert live.finding.verdict is VerificationVerdict.VERIFIED


async def test_witness_of_a_still_picture_is_none_though_the_centre_plays_the_cameras_own_timestamps(
    verifier: Verifier, open_site: Any
) -> None:
    site = await open_site()
    site.stamps = True
    await site.camera.set_fault("freeze")
    noted = len(site.notes)
    await eventually(lambda: len({note.hash for note in site.notes[noted + 2 :]}) < len(site.notes) - noted - 4)
    found = await checked(verifier, site, site.delivery(site.national), site.delivery(site.provincial))
    assert [each.finding.verdict for each in found] == [VerificationVerdict.NOT_CHECKABLE] * 2


async def test_an_old_group_of_pictures_again_and_again_is_a_mismatch(verifier: Verifier, open_site: Any) -> None:
    site = await open_site()
    await eventually(lambda: len(site.notes) >= 2)
    await site.national.set_fault("frozen_playback")
    frozen_since = len(site.notes)
    await eventually(lambda: len(site.notes) >= frozen_since + 6)
    (found,) = await checked(verifier, site, site.delivery(site.national))
    assert (found.finding.verdict, found.finding.cause) == (VerificationVerdict.MISMATCH, Cause.MISMATCH)
    await site.national.clear_fault()
    (found,) = await checked(verifier, site, site.delivery(site.national))
    assert found.finding.verdict is VerificationVerdict.VERIFIED


@pytest.mark.parametrize(
    ("fault", "cause"), [("refuse", Cause.REFUSED), ("black_hole", Cause.TIMEOUT), ("auth", Cause.AUTH_FAILED)]
)
async def test_a_centre_that_cannot_be_read_is_unreachable_and_the_other_proven(
    verifier: Verifier, open_site: Any, fault: str, cause: Cause
) -> None:
    site = await open_site()
    await site.national.set_fault(fault)
    lost, right = await checked(verifier, site, site.delivery(site.national), site.delivery(site.provincial))
    assert (lost.finding.verdict, lost.finding.cause) == (VerificationVerdict.UNREACHABLE, cause)
    assert right.finding.verdict is VerificationVerdict.VERIFIED


async def test_a_stream_that_nobody_publishes_is_unreachable(verifier: Verifier, open_site: Any) -> None:
    site = await open_site()
    nowhere = site.delivery(site.national, read_back_url=site.national.stream_url("nobody"))
    (found,) = await checked(verifier, site, nowhere)
    assert (found.finding.verdict, found.finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.NOT_FOUND)


async def test_a_centre_that_ends_the_session_is_unreachable(verifier: Verifier, open_site: Any) -> None:
    site = await open_site()
    site.noting = False
    checking = asyncio.create_task(checked(verifier, site, site.delivery(site.national)))
    await eventually(lambda: site.national.streams["key"].viewers == 1)
    packets = site.national.streams["key"].packets
    await eventually(lambda: site.national.streams["key"].packets > packets + 20)
    ended = time.monotonic()
    await site.national.set_fault("restart", for_s=5.0)
    (found,) = await checking
    assert found.finding.verdict is VerificationVerdict.UNREACHABLE
    assert found.finding.cause in (Cause.ENDED, Cause.REFUSED)
    # While its media came the centre was there.
    assert found.duration_s < time.monotonic() - ended + 0.3


async def test_without_a_holder_no_session_is_opened(verifier: Verifier, open_site: Any) -> None:
    site = await open_site(held=False)
    (found,) = await checked(verifier, site, site.delivery(site.national))
    assert (found.finding.verdict, found.finding.detail) == (
        VerificationVerdict.NOT_CHECKABLE,
        "no forwarder holds the camera",
    )
    assert site.national.streams["key"].viewers == 0


async def test_a_holder_without_media_makes_it_not_checkable(verifier: Verifier, open_site: Any) -> None:
    site = await open_site()
    site.media_since = None
    (found,) = await checked(verifier, site, site.delivery(site.national))
    assert found.finding.detail == "the camera gives the forwarder no media"


async def test_a_forwarder_that_notes_nothing_makes_it_not_checkable(verifier: Verifier, open_site: Any) -> None:
    site = await open_site()
    site.noting = False
    site.notes.clear()
    (found,) = await checked(verifier, site, site.delivery(site.national))
    assert found.finding.verdict is VerificationVerdict.NOT_CHECKABLE
    assert found.duration_s >= 2.0


async def test_a_camera_that_another_forwarder_takes_meanwhile_is_no_mismatch(
    verifier: Verifier, open_site: Any
) -> None:
    site = await open_site()
    await site.national.set_fault("wrong_picture", path="yard")
    checking = asyncio.create_task(checked(verifier, site, site.delivery(site.national)))
    await eventually(lambda: site.asked)
    site.worker_id = "forwarder-1"
    (found,) = await checking
    assert found.finding.verdict is VerificationVerdict.NOT_CHECKABLE


async def test_another_picture_is_found_at_once_after_a_camera_was_handed_over(
    verifier: Verifier, open_site: Any, bus: Bus
) -> None:
    site = await open_site()
    await eventually(lambda: len(site.notes) > 1)
    site.noting = False
    await put_history(bus, site, "forwarder-before")
    other = site.delivery(site.national, read_back_url=site.national.stream_url("yard"))
    checking = asyncio.create_task(checked(verifier, site, other))
    await eventually(lambda: site.national.streams["yard"].viewers == 1)
    packets = site.national.streams["yard"].packets
    # By then a keyframe came back and was held against what the former holder had noted.
    await eventually(lambda: site.national.streams["yard"].packets > packets + 20)
    site.noting = True
    (found,) = await checking
    assert found.finding.verdict is VerificationVerdict.MISMATCH, found.finding.detail


async def test_reading_back_uses_its_own_login_or_the_deliverys(
    verifier: Verifier, open_site: Any, planner: Any
) -> None:
    site = await open_site(centre={"auth": "digest", "username": "centre", "password": "s3cret-Xem"})
    good, bad = planner.seal("centre", "s3cret-Xem"), planner.seal("centre", "wrong-Xem")
    readable = planner.seal("centre", "s3cret-Xem")
    (own,) = await checked(verifier, site, site.delivery(site.national, secret=bad, read_back_secret=readable))
    (same,) = await checked(verifier, site, site.delivery(site.provincial, secret=good))
    assert own.finding.verdict is same.finding.verdict is VerificationVerdict.VERIFIED
    assert site.national.logins_failed == site.provincial.logins_failed == 0


async def test_secret_moves_to_no_other_server_to_read_back(verifier: Verifier, open_site: Any, planner: Any) -> None:
    site = await open_site(centre={"auth": "basic", "username": "centre", "password": "s3cret-Xem"})
    publish, read_back = site.national.stream_url("key"), site.provincial.stream_url("key")
    secret = planner.seal("centre", "s3cret-Xem", publish)
    (borrowed,) = await checked(verifier, site, site.delivery(site.national, secret=secret, read_back_url=read_back))
    assert (borrowed.finding.verdict, borrowed.finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.AUTH_FAILED)
    assert site.provincial.logins_failed == 0
    changes = {"secret": secret, "read_back_secret": secret, "read_back_url": read_back}
    (moved,) = await checked(verifier, site, site.delivery(site.national, **changes))
    assert (moved.finding.verdict, moved.finding.cause) == (VerificationVerdict.NOT_CHECKABLE, Cause.SECRET_MOVED)


async def test_after_two_failed_logins_a_centre_is_left_alone(verifier: Verifier, open_site: Any, planner: Any) -> None:
    site = await open_site(centre={"auth": "digest", "username": "centre", "password": "s3cret-Xem"})
    deliveries = [site.delivery(site.national, secret=planner.seal("centre", "wrong-Xem")) for _ in range(5)]
    found = await checked(verifier, site, *deliveries)
    assert {each.finding.cause for each in found} == {Cause.AUTH_FAILED}
    assert site.national.logins_failed == 2
    resting = [each.finding for each in found if each.finding.rest_s is not None]
    assert len(resting) == 3
    assert all(290 < (finding.rest_s or 0) <= 300 for finding in resting)
    (other,) = await checked(
        verifier, site, site.delivery(site.provincial, secret=planner.seal("centre", "s3cret-Xem"))
    )
    assert other.finding.verdict is VerificationVerdict.VERIFIED


async def test_a_centre_over_tls_is_trusted_by_the_deliverys_fingerprint_alone(
    verifier: Verifier, open_site: Any
) -> None:
    site = await open_site(centre={"tls": True})
    pinned = site.delivery(site.national, tls=TlsTrust(fingerprint_sha256=site.national.certificate_sha256))
    unknown = site.delivery(site.provincial)
    right, wrong = await checked(verifier, site, pinned, unknown)
    assert right.finding.verdict is VerificationVerdict.VERIFIED
    assert (wrong.finding.verdict, wrong.finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.TLS)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"read_back_url": "rtmp://127.0.0.1/live/key"}, Cause.TRANSPORT_UNSUPPORTED),
        ({"read_back_url": "rtsp://192.0.2.1/key"}, Cause.ADDRESS_NOT_ALLOWED),
        ({"secret": "bm90IGEgYm94"}, Cause.SECRET_UNREADABLE),
    ],
)
async def test_what_lies_with_us_is_not_checkable(
    verifier: Verifier, open_site: Any, changes: dict[str, str], cause: Cause
) -> None:
    site = await open_site()
    (found,) = await checked(verifier, site, site.delivery(site.national, **changes))
    assert (found.finding.verdict, found.finding.cause) == (VerificationVerdict.NOT_CHECKABLE, cause)


async def test_an_unknown_camera_is_held_by_nobody(bus: Bus, verifier: Verifier) -> None:
    assert bus.connected
    (found,) = await verifier.verify(
        uuid4(),
        [PlannedDelivery(id=uuid4(), destination_id=uuid4(), destination_code="D", url="rtsp://10.0.0.1/a")],
    )
    assert found.finding.verdict is VerificationVerdict.NOT_CHECKABLE


@pytest.mark.parametrize("fault", ["black_hole", "wrong_picture"])
async def test_hostile_neighbours_that_hold_the_loop_up_accuse_no_centre_and_what_is_proven_stays(
    verifier: Verifier, open_site: Any, fault: str
) -> None:
    site = await open_site()
    await site.national.set_fault(fault, **({"path": "yard"} if fault == "wrong_picture" else {}))
    verifier.lag = LoopLag()
    async with running_beside(verifier.lag.run()):
        await asyncio.sleep(0)
        # In the middle of the read-back the loop stands still.
        asyncio.get_running_loop().call_later(0.02, time.sleep, 0.7)
        accused, right = await checked(verifier, site, site.delivery(site.national), site.delivery(site.provincial))
    assert (accused.finding.verdict, accused.finding.cause) == (
        VerificationVerdict.NOT_CHECKABLE,
        Cause.WORKER_LAGGED,
    )
    assert "stood still for 0." in (accused.finding.detail or "")
    assert right.finding.verdict is VerificationVerdict.VERIFIED


@pytest.mark.parametrize(
    ("paused", "lag_s", "verdict"),
    [
        (True, 0.7, VerificationVerdict.NOT_CHECKABLE),
        (True, 0.1, VerificationVerdict.VERIFIED),
        (False, 0.7, VerificationVerdict.VERIFIED),
    ],
)
def test_a_pause_while_our_own_loop_stood_still_accuses_no_centre(
    *, paused: bool, lag_s: float, verdict: VerificationVerdict
) -> None:
    now = datetime.now(UTC)
    match = Finding(VerificationVerdict.VERIFIED, captured_at=now, paused_since=now if paused else None)
    assert excuse_lag(match, lag_s).verdict is verdict


async def test_a_loop_that_was_late_before_the_read_back_excuses_nobody(verifier: Verifier, open_site: Any) -> None:
    site = await open_site()
    await site.national.set_fault("refuse")
    late: list[float] = []
    verifier.lag = LoopLag(on_tick=lambda lag_s: late.append(lag_s) if lag_s > MOST_S else None)
    async with running_beside(verifier.lag.run()):
        await asyncio.sleep(0)
        time.sleep(0.7)  # noqa: ASYNC251 - that is the fault
        await eventually(lambda: late)
        (found,) = await checked(verifier, site, site.delivery(site.national))
    assert (found.finding.verdict, found.finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.REFUSED)
