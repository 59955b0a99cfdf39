"""A centre pulls by itself: it keeps what it takes, gives it back, and comes back after every break."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from simulator import CameraConfig, CentreConfig, Simulator, SimulatorConfig
from simulator.app import create_app_for
from simulator.cameras.camera import Camera
from simulator.centres.centre import Centre
from simulator.centres.pull import Pull
from vonggac.events.causes import Cause
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.testing import eventually
from vonggac.testing.media import MediaRecorder

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]

SECRET = "Chi-IOC-Biet"
LOGIN = {"auth": "digest", "username": "ioc", "password": SECRET}
QUICK = {"again_s": 0.05, "again_most_s": 0.2, "silence_s": 1.0}


@pytest.fixture
async def pulled(simulate: Simulate, make_camera: MakeCamera) -> tuple[Camera, Centre]:
    """A camera with a login, and a centre that pulls it as `key`."""
    pulling = QUICK | {"username": "ioc", "password": SECRET}
    centre = CentreConfig.model_validate({"id": "centre", "pulling": pulling})
    sim = await simulate(cameras=[make_camera(audio="pcma", **LOGIN)], centres=[centre])
    camera, found = sim.cameras["cam"], sim.centres["centre"]
    await found.puller.set_addresses({"key": camera.url()})
    return camera, found


def pull_of(centre: Centre) -> Pull:
    return centre.puller.pulls["key"]


async def test_what_a_centre_pulls_is_counted_and_given_back_bit_for_bit(pulled: tuple[Camera, Centre]) -> None:
    camera, centre = pulled
    stream = await centre.wait_for("key", lambda seen: seen.packets > 100)
    assert stream.live
    assert stream.lost == 0
    assert stream.current is not None
    assert stream.current.first_packet_is_keyframe is True
    assert [(track.media, track.codec) for track in stream.current.tracks] == [("video", "H264"), ("audio", "PCMA")]
    source = await MediaRecorder.play(camera.url(with_credentials=True))
    viewer = await MediaRecorder.play(centre.stream_url("key"))
    await viewer.until(lambda seen: len(seen.units) > 20)
    await source.until(lambda seen: len(seen.units) > 25)
    sent = {keyframe_hash(VideoCodec.H264, unit.nals) for unit in source.units if unit.keyframe}
    seen = [keyframe_hash(VideoCodec.H264, unit.nals) for unit in viewer.units if unit.keyframe]
    assert sent & set(seen)
    assert viewer.units[0].keyframe
    assert viewer.missing == 0
    await source.close()
    await viewer.close()


async def test_it_comes_back_after_each_break_and_its_viewers_are_ended(pulled: tuple[Camera, Centre]) -> None:
    camera, centre = pulled
    await centre.wait_for("key", lambda seen: seen.packets > 10)
    viewer = await MediaRecorder.play(centre.stream_url("key"))
    await camera.set_fault("close")
    await viewer.until(lambda seen: seen.lost)
    again = await centre.wait_for("key", lambda seen: seen.sessions == 2 and seen.live and bool(seen.gaps_s))
    assert len(again.gaps_s) == 1
    assert pull_of(centre).state == "playing"
    assert pull_of(centre).cause is None


async def test_a_dead_source_is_asked_ever_later(pulled: tuple[Camera, Centre]) -> None:
    camera, centre = pulled
    await centre.wait_for("key", lambda seen: seen.live)
    await camera.set_fault("refuse")
    await eventually(lambda: pull_of(centre).cause is Cause.REFUSED)
    before = pull_of(centre).attempts
    await asyncio.sleep(1.0)
    # 0.2 s at the latest: five times a second, and not in a loop.
    assert 1 <= pull_of(centre).attempts - before <= 6
    await camera.clear_fault()
    await centre.wait_for("key", lambda seen: seen.live)


async def test_a_session_that_falls_silent_is_ended_and_begun_again(pulled: tuple[Camera, Centre]) -> None:
    camera, centre = pulled
    await centre.wait_for("key", lambda seen: seen.packets > 10)
    await camera.set_fault("stall")
    # The camera itself ends nothing.
    await eventually(lambda: pull_of(centre).attempts >= 2, within_s=20)
    await camera.clear_fault()
    await centre.wait_for("key", lambda seen: seen.live and seen.packets > 30)


async def test_a_wrong_login_is_one_attempt_and_the_right_one_plays(pulled: tuple[Camera, Centre]) -> None:
    camera, centre = pulled
    await centre.wait_for("key", lambda seen: seen.live)
    failed = camera.logins_failed
    await centre.puller.set_login("ioc", "sai")
    await eventually(lambda: pull_of(centre).cause is Cause.AUTH_FAILED)
    assert camera.logins_failed - failed == pull_of(centre).attempts
    await centre.puller.set_login("ioc", SECRET)
    await centre.wait_for("key", lambda seen: seen.live)


async def test_a_wrong_login_is_tried_by_one_stream_and_not_by_each(
    simulate: Simulate, make_camera: MakeCamera
) -> None:
    pulling = {"username": "ioc", "password": "sai", "again_s": 0.05, "again_most_s": 30}
    sim = await simulate(
        cameras=[make_camera(**LOGIN)], centres=[CentreConfig.model_validate({"id": "centre", "pulling": pulling})]
    )
    camera, centre = sim.cameras["cam"], sim.centres["centre"]
    await centre.puller.set_addresses({f"key-{number}": camera.url() for number in range(6)})
    await eventually(lambda: camera.logins_failed > 0)
    await asyncio.sleep(0.5)
    assert camera.logins_failed == 1
    await centre.puller.set_login("ioc", SECRET)
    await eventually(lambda: all(pull.state == "playing" for pull in centre.puller.pulls.values()))


async def test_other_addresses_leave_the_sessions_of_the_rest_alone(pulled: tuple[Camera, Centre]) -> None:
    camera, centre = pulled
    await centre.wait_for("key", lambda seen: seen.live)
    first = pull_of(centre)
    await centre.puller.set_addresses({"key": camera.url(), "second": camera.url()})
    await centre.wait_for("second", lambda seen: seen.live)
    await centre.puller.set_addresses({"key": camera.url()})
    await centre.wait_for("second", lambda seen: not seen.live)
    assert pull_of(centre) is first
    assert centre.streams["key"].sessions == 1
    await eventually(lambda: camera.sessions == 1)


async def test_a_centre_that_refuses_pulls_nothing_until_it_is_back(pulled: tuple[Camera, Centre]) -> None:
    camera, centre = pulled
    await centre.wait_for("key", lambda seen: seen.packets > 10)
    await centre.set_fault("refuse")
    await eventually(lambda: camera.sessions == 0)
    attempts = pull_of(centre).attempts
    await asyncio.sleep(0.5)
    assert pull_of(centre).attempts == attempts
    await centre.clear_fault()
    await centre.wait_for("key", lambda seen: seen.live and seen.sessions == 2)


async def test_a_centre_that_hangs_reads_nothing_and_keeps_its_session(pulled: tuple[Camera, Centre]) -> None:
    _, centre = pulled
    await centre.wait_for("key", lambda seen: seen.packets > 10)
    await centre.set_fault("black_hole")
    before = centre.streams["key"].packets
    await asyncio.sleep(1.5)
    assert centre.streams["key"].packets == before
    await centre.clear_fault()
    held = await centre.wait_for("key", lambda seen: seen.packets > before + 10)
    assert (held.sessions, held.lost) == (1, 0)


async def test_a_slow_reader_that_pulls_is_behind(pulled: tuple[Camera, Centre]) -> None:
    _, centre = pulled
    await centre.wait_for("key", lambda seen: seen.packets > 10)
    await centre.set_fault("slow_reader", bytes_per_s=50)

    async def rests() -> bool:
        before = centre.streams["key"].packets
        await asyncio.sleep(0.5)
        return centre.streams["key"].packets == before

    # What one read brings takes it many seconds.
    await eventually(rests)
    before = centre.streams["key"].packets
    await centre.clear_fault()
    await centre.wait_for("key", lambda seen: seen.packets > before + 10)


async def test_what_a_discarding_centre_pulls_is_read_and_not_counted(pulled: tuple[Camera, Centre]) -> None:
    _, centre = pulled
    await centre.wait_for("key", lambda seen: seen.packets > 10)
    await centre.set_fault("discard")
    before = centre.streams["key"].packets
    await asyncio.sleep(0.5)
    assert centre.streams["key"].packets == before
    await centre.clear_fault()
    await centre.wait_for("key", lambda seen: seen.packets > before + 10)


async def test_a_centre_that_is_closed_leaves_in_order(pulled: tuple[Camera, Centre]) -> None:
    camera, centre = pulled
    await centre.wait_for("key", lambda seen: seen.live)
    await centre.close()
    assert not centre.streams["key"].live
    await eventually(lambda: camera.sessions == 0)


@pytest.fixture
async def kept(clips_folder: Path, tmp_path: Path, make_camera: MakeCamera) -> Callable[[], Simulator]:
    """Simulators that begin where the one before has ended."""
    config = SimulatorConfig(
        cameras=[make_camera(**LOGIN)], centres=[CentreConfig.model_validate({"id": "centre", "pulling": QUICK})]
    )
    return lambda: Simulator(config, cache_folder=clips_folder, pulling_folder=tmp_path / "pulling")


@pytest.mark.server
async def test_login_and_addresses_survive_a_restart(kept: Callable[[], Simulator], tmp_path: Path) -> None:
    async with kept() as sim:
        port = sim.cameras["cam"].port
        await sim.centres["centre"].puller.set_login("ioc", SECRET)
        await sim.centres["centre"].puller.set_addresses({"key": sim.cameras["cam"].url()})
        await sim.centres["centre"].wait_for("key", lambda seen: seen.live)
    files = sorted((tmp_path / "pulling").iterdir())
    assert [(file.name, file.stat().st_mode & 0o777) for file in files] == [
        ("centre.json", 0o600),
        ("centre.password", 0o600),
    ]
    assert SECRET not in files[0].read_text("utf-8")
    async with kept() as sim:
        # Another port than before: the address is the one that was typed in, as at any centre.
        assert sim.centres["centre"].puller.config.username == "ioc"
        assert str(pull_of(sim.centres["centre"]).url).endswith(f":{port}/live")
        await sim.centres["centre"].puller.set_addresses({"key": sim.cameras["cam"].url()})
        await sim.centres["centre"].wait_for("key", lambda seen: seen.live)


@pytest.mark.server
@pytest.mark.parametrize("damaged", ["", "{", json.dumps({"username": 1, "addresses": []})])
async def test_what_is_kept_and_damaged_is_nothing(kept: Callable[[], Simulator], tmp_path: Path, damaged: str) -> None:
    folder = tmp_path / "pulling"
    folder.mkdir()
    (folder / "centre.json").write_text(damaged)
    (folder / "centre.password").write_text(SECRET)
    async with kept() as sim:
        assert sim.centres["centre"].puller.pulls == {}


@pytest.fixture
async def api(simulate: Simulate, make_camera: MakeCamera) -> AsyncIterator[httpx.AsyncClient]:
    sim = await simulate(
        cameras=[make_camera(**LOGIN)], centres=[CentreConfig.model_validate({"id": "centre", "pulling": QUICK})]
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app_for(sim)), base_url="http://simulator"
    ) as client:
        yield client


async def test_the_api_sets_login_and_addresses_and_shows_no_password(api: httpx.AsyncClient) -> None:
    (camera,) = (await api.get("/v1/cameras")).json()["items"]
    texts = [(await api.put("/v1/centres/centre/pulling/login", json={"username": "ioc", "password": SECRET})).text]
    set_to = await api.put("/v1/centres/centre/pulling/addresses", json={"addresses": {"key": camera["url"]}})
    texts.append(set_to.text)

    async def plays() -> bool:
        answer = await api.get("/v1/centres/centre/pulling")
        texts.append(answer.text)
        shown = answer.json()
        return bool(shown["username"] == "ioc" and shown["items"][0]["state"] == "playing")

    await eventually(plays)
    assert not any(SECRET in text for text in texts)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://127.0.0.1/x", "must be rtsp:// or rtsps://"),
        (f"rtsp://ioc:{SECRET}@127.0.0.1/x", "the login goes into username and password"),
    ],
)
async def test_a_wrong_address_is_explained_without_a_login(api: httpx.AsyncClient, address: str, message: str) -> None:
    answer = await api.put("/v1/centres/centre/pulling/addresses", json={"addresses": {"key": address}})
    assert answer.status_code == 422
    assert message in answer.json()["errors"][0]["message"]
    assert SECRET not in answer.text
