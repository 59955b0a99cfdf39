"""What a probe of a device gives."""

from typing import Any

import pytest

from prober.probes.onvif import OnvifCause, Remark, probe_device
from vonggac.auth import Credentials
from vonggac.bus import ServerClock
from vonggac.embedded import free_port
from vonggac.net.allowed_networks import AllowedNetworks


async def test_a_virtual_camera_states_who_it_is_and_what_it_streams(probe: Any, virtual_camera: str) -> None:
    found = await probe(virtual_camera, Credentials("admin", "bi-mat-1"))
    assert (found.onvif, found.cause, found.remarks) == (True, None, ())
    assert (found.device.manufacturer, found.device.model) == ("PythonCam", "VirtualCam-1")
    assert found.device.serial_number == "PY-000001"
    assert abs(found.clock.drift_s) < 2
    main, sub = found.profiles
    assert (main.codec, main.width, main.height, main.fps, main.bitrate_kbps) == ("h264", 1920, 1080, 30, 8000)
    assert (main.stream_url, sub.stream_url) == (
        "rtsp://127.0.0.1:8554/video_main",
        "rtsp://127.0.0.1:8554/video_sub",
    )
    assert found.unanswered == ("GetNetworkInterfaces",)


async def test_a_virtual_camera_that_refuses_the_login_is_still_a_camera(probe: Any, virtual_camera: str) -> None:
    found = await probe(virtual_camera, Credentials("admin", "wrong"))
    assert (found.onvif, found.cause, found.profiles, found.asks_login) == (True, OnvifCause.AUTH_FAILED, (), True)


async def test_an_open_device_gives_everything(probe: Any, device: Any) -> None:
    camera = await device()
    found = await probe(camera)
    assert (found.address, found.port, found.cause) == ("127.0.0.1", camera.port, None)
    assert found.device.mac == "0a:1b:2c:3d:4e:5f"
    assert found.profiles[0].snapshot_url == f"http://127.0.0.1:{camera.port}/snapshot.jpg"
    assert found.clock.time_zone == "ICT-7"
    assert found.asks_login is False


async def test_the_time_is_asked_first_and_without_a_login(probe: Any, device: Any, login: Credentials) -> None:
    camera = await device(login="token")
    found = await probe(camera, login)
    assert found.asks_login is True
    assert camera.asked[0].operation == "GetSystemDateAndTime"
    assert not camera.asked[0].has_login


async def test_a_snapshot_is_not_fetched(probe: Any, device: Any) -> None:
    camera = await device()
    await probe(camera)
    assert {asked.path for asked in camera.asked} == {"/onvif/device_service", "/onvif/media"}


async def test_a_device_without_get_services_is_on_demand_its_capabilities(
    probe: Any, device: Any, answers: Any
) -> None:
    camera = await device()
    camera.answers["GetServices"] = "<tds:GetServicesResponse/>"
    camera.answers["GetCapabilities"] = (
        "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>"
        f"http://{camera.address}/onvif/media</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>"
    )
    assert len((await probe(camera)).profiles) == 1


async def test_a_device_without_a_media_service_is_remarked(probe: Any, device: Any) -> None:
    camera = await device(answers={"GetServices": "<tds:GetServicesResponse/>"})
    found = await probe(camera)
    assert (found.cause, found.remarks) == (None, (Remark.NO_MEDIA_SERVICE,))
    assert found.unanswered == ("GetCapabilities",)


async def test_an_operation_that_a_device_lacks_leaves_the_rest(probe: Any, device: Any, answers: Any) -> None:
    camera = await device(answers={"GetNetworkInterfaces": "<s:Fault/>"})
    found = await probe(camera)
    assert (found.cause, found.unanswered, found.device.mac) == (None, ("GetNetworkInterfaces",), None)
    assert len(found.profiles) == 1


async def test_at_most_64_profiles_are_on_demand(probe: Any, device: Any, answers: Any) -> None:
    many = [(f"p{number}", f"vs{number}", "H264", 640, 360) for number in range(65)]
    found = await probe(await device(answers={"GetProfiles": answers.profiles(*many)}))
    assert len(found.profiles) == 64
    assert found.remarks == (Remark.PROFILES_LEFT_OUT,)


async def test_nobody_listening_is_refused(probe: Any) -> None:
    found = await probe(f"127.0.0.1:{free_port()}")
    assert (found.onvif, found.cause) == (False, OnvifCause.REFUSED)


async def test_an_address_outside_the_allowed_networks_is_not_connected_to(device: Any) -> None:
    camera = await device()
    networks = AllowedNetworks.parse(["10.0.0.0/8"])
    found = await probe_device(camera.address, None, deadline_s=5, allowed_networks=networks, clock=ServerClock())
    assert (found.cause, camera.connections) == (OnvifCause.ADDRESS_NOT_ALLOWED, 0)


@pytest.mark.parametrize("address", ["", "http://10.1.2.3", "10.1.2.3:0", "10.1.2.3:99999", "a b", "[10.1.2.3]:80"])
async def test_what_is_no_address_says_what_would_be_right(probe: Any, address: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        await probe(address)
