"""What a destination must be able to prove and carry, and whom to trust over TLS: agreed before anybody dials."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import pytest_asyncio

from inventory.settings import Settings
from vonggac.bus import Bus
from vonggac.events import decode, subjects
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually
from vonggac.testing.certificates import Authority

RTMP = "rtmp://10.9.0.2:1935/live/{camera_code}"
READ_BACK = "rtsp://10.9.0.1:8554/{facility_code}/{camera_code}"
FINGERPRINT = "AB:" * 31 + "cd"
PLAIN = "ab" * 31 + "cd"


def error_of(answer: Any) -> tuple[int, str, str]:
    """Status, field and message of the first error."""
    error = answer.json()["errors"][0]
    return answer.status_code, error["field"], error["message"]


async def published(bus: Bus, camera: dict[str, Any], ready: Callable[[CameraV1], bool]) -> CameraV1:
    """The camera's message on the bus, once it is as awaited."""

    async def published() -> CameraV1 | None:
        counted = (
            await bus.js.stream_info("INVENTORY", subjects_filter=subjects.inventory("camera", "*"))
        ).state.subjects
        if not counted:
            return None
        message = await bus.js.get_last_msg("INVENTORY", subjects.inventory("camera", camera["id"]))
        data = decode(message.data or b"").data
        return data if isinstance(data, CameraV1) and ready(data) else None

    found = await eventually(published)
    assert found is not None
    return found


async def test_a_plan_says_where_and_with_which_login_to_read_back(province: Any, bus: Bus) -> None:
    destination = await province.destination(read_back_url_template=READ_BACK, required_proof="verified")
    assert (destination["read_back_url_template"], destination["has_read_back_secret"]) == (READ_BACK, False)
    camera = await province.camera()
    planned = (await published(bus, camera, lambda _: True)).deliveries[0]
    facility = (await province.client.get("/v1/facilities")).json()["items"][0]
    assert planned.read_back_url == f"rtsp://10.9.0.1:8554/{facility['code']}/{camera['code']}"
    assert planned.read_back_secret is None
    one = f"/v1/destinations/{destination['id']}"
    login = {"username": "viewer", "password": "p"}
    assert (await province.put(f"{one}/read-back-secret", json=login)).status_code == 204
    shown = (await province.client.get(one)).json()
    assert (shown["has_read_back_secret"], shown["has_secret"]) == (True, False)
    assert shown["read_back_secret_changed_at"] is not None
    changed = await published(bus, camera, lambda said: said.deliveries[0].read_back_secret is not None)
    assert changed.deliveries[0].secret is None
    assert (await province.remove(f"{one}/read-back-secret")).status_code == 204
    await published(bus, camera, lambda said: said.deliveries[0].read_back_secret is None and said.revision == 3)


async def test_without_a_read_back_nothing_is_read_back(province: Any, bus: Bus) -> None:
    await province.destination()
    planned = (await published(bus, await province.camera(), lambda _: True)).deliveries[0]
    assert (planned.read_back_url, planned.enhanced_rtmp, planned.tls) == (None, False, None)


async def test_a_login_in_the_read_back_address_becomes_its_secret(province: Any) -> None:
    template = "rtsp://viewer:p@10.9.0.1/{camera_code}"
    destination = await province.destination(read_back_url_template=template)
    assert destination["read_back_url_template"] == "rtsp://10.9.0.1/{camera_code}"
    assert (destination["has_read_back_secret"], destination["has_secret"]) == (True, False)


async def test_verified_is_not_demanded_where_nobody_can_read_back(province: Any) -> None:
    body = {"code": "A", "name": "A", "role": "national", "url_template": READ_BACK, "required_proof": "verified"}
    status, field, message = error_of(await province.client.post("/v1/destinations", json=body))
    assert (status, field) == (422, "read_back_url_template")
    assert "acknowledged" in message
    made = await province.post("/v1/destinations", body | {"read_back_url_template": READ_BACK})
    one = f"/v1/destinations/{made['id']}"
    refused = error_of(await province.change(one, json={"read_back_url_template": None}))
    assert refused[:2] == (422, "read_back_url_template")
    both = {"read_back_url_template": None, "required_proof": "acknowledged"}
    assert (await province.change(one, json=both)).json()["read_back_url_template"] is None
    assert error_of(await province.change(one, json={"required_proof": "verified"}))[0] == 422


async def test_a_foreign_centre_that_takes_rtmp_is_proven_by_its_rtsp_address_alone(province: Any) -> None:
    body = {"code": "A", "name": "A", "role": "national", "url_template": RTMP, "required_proof": "verified"}
    answer = await province.client.post("/v1/destinations", json=body | {"read_back_url_template": RTMP})
    status, field, message = error_of(answer)
    assert (status, field) == (422, "read_back_url_template")
    assert "only rtsp and rtsps can be read back" in message
    made = await province.post("/v1/destinations", body | {"read_back_url_template": READ_BACK})
    refused = error_of(await province.change(f"/v1/destinations/{made['id']}", json={"read_back_url_template": RTMP}))
    assert refused[:2] == (422, "read_back_url_template")
    one_part = await province.client.post("/v1/destinations", json=body | {"url_template": "rtmp://c/{camera_code}"})
    assert error_of(one_part)[:2] == (422, "url_template")


async def test_a_read_back_address_names_the_camera_too(province: Any) -> None:
    body = {"code": "A", "name": "A", "role": "national", "url_template": READ_BACK}
    answer = await province.client.post("/v1/destinations", json=body | {"read_back_url_template": "rtsp://10.9.9.9/x"})
    assert error_of(answer)[:2] == (422, "read_back_url_template")


async def test_trust_reaches_the_workers_in_its_plain_form(province: Any, bus: Bus) -> None:
    authority = Authority()
    template = "rtsps://10.9.0.1/{camera_code}"
    made = await province.destination(url_template=template, tls={"ca_pem": authority.pem + "\r\n"})
    assert made["tls"] == {"ca_pem": authority.pem.strip(), "fingerprint_sha256": None}
    camera = await province.camera(url="rtsps://10.1.1.1/1", tls={"fingerprint_sha256": FINGERPRINT}, transport="auto")
    assert (camera["tls"]["fingerprint_sha256"], camera["transport"]) == (PLAIN, "auto")
    said = await published(bus, camera, lambda _: True)
    assert (said.tls and said.tls.fingerprint_sha256, said.transport) == (PLAIN, "auto")
    trust = said.deliveries[0].tls
    assert trust is not None
    assert (trust.ca_pem, trust.fingerprint_sha256) == (authority.pem.strip(), None)
    one = f"/v1/cameras/{camera['id']}"
    assert (await province.change(one, json={"tls": None})).json()["tls"] is None


@pytest.mark.parametrize(
    ("tls", "field"),
    [
        ({}, "tls"),
        ({"fingerprint_sha256": "ab:cd"}, "tls.fingerprint_sha256"),
        ({"ca_pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "tls.ca_pem"),
        ({"ca_pem": "nonsense"}, "tls.ca_pem"),
        ({"pinned": "x"}, "tls.pinned"),
    ],
)
async def test_trust_that_nobody_could_use_is_refused_naming_the_field(
    province: Any, tls: dict[str, str], field: str
) -> None:
    facility = await province.facility()
    body = {"code": "A", "name": "A", "facility_id": facility["id"], "url": "rtsps://10.1.1.1/1", "tls": tls}
    assert error_of(await province.client.post("/v1/cameras", json=body))[:2] == (422, field)


async def test_trust_without_tls_is_refused_so_that_nobody_believes_it_is_checked(province: Any) -> None:
    camera = await province.camera(url="rtsps://10.1.1.1/1", tls={"fingerprint_sha256": PLAIN})
    one = f"/v1/cameras/{camera['id']}"
    assert error_of(await province.change(one, json={"url": "rtsp://10.1.1.1/1"}))[:2] == (422, "tls")
    both = {"url": "rtsp://10.1.1.1/1", "tls": None}
    assert (await province.change(one, json=both)).status_code == 200
    tls = {"fingerprint_sha256": PLAIN}
    body = {"code": "A", "name": "A", "role": "national", "url_template": READ_BACK, "tls": tls}
    assert error_of(await province.client.post("/v1/destinations", json=body))[:2] == (422, "tls")
    secure = body | {"read_back_url_template": "rtsps://10.9.0.1/{camera_code}"}
    assert (await province.client.post("/v1/destinations", json=secure)).status_code == 201


class TestH265ToClassicRtmp:
    """A codec the centre cannot take is refused when the plan is agreed, whichever side is stated last."""

    @staticmethod
    def _names(answer: Any, *names: str) -> None:
        status, field, message = error_of(answer)
        assert (status, field, answer.json()["code"]) == (422, "expected.codec", "codec_not_taken")
        assert all(name in message for name in (*names, "enhanced_rtmp", "H.264"))

    async def test_when_the_delivery_is_made(self, province: Any) -> None:
        camera = await province.camera(expected={"codec": "h265"})
        destination = await province.destination(url_template=RTMP)
        body = {"camera_id": camera["id"], "destination_id": destination["id"]}
        self._names(await province.client.post("/v1/deliveries", json=body), camera["code"], destination["code"])
        assert (await province.client.get("/v1/deliveries")).json()["items"] == []

    async def test_when_the_camera_is_added_or_changed(self, province: Any) -> None:
        destination = await province.destination(url_template=RTMP)
        camera = await province.camera()
        answer = await province.change(f"/v1/cameras/{camera['id']}", json={"expected": {"codec": "h265"}})
        self._names(answer, camera["code"], destination["code"])
        body = {"code": "NEW", "name": "n", "facility_id": camera["facility_id"], "url": "rtsp://10.1.1.1/1"}
        new = body | {"expected": {"codec": "h265"}}
        self._names(await province.client.post("/v1/cameras", json=new), "NEW", destination["code"])
        assert (await province.client.post("/v1/cameras", json=new | {"destination_ids": []})).status_code == 201

    async def test_when_the_destination_changes_or_takes_all_cameras(self, province: Any) -> None:
        destination = await province.destination()
        camera = await province.camera(expected={"codec": "h265"})
        one = f"/v1/destinations/{destination['id']}"
        self._names(await province.change(one, json={"url_template": RTMP}), camera["code"], destination["code"])
        both = {"url_template": RTMP, "enhanced_rtmp": True}
        assert (await province.change(one, json=both)).json()["enhanced_rtmp"] is True
        self._names(await province.change(one, json={"enhanced_rtmp": False}), camera["code"])
        new = {"code": "ALL", "name": "n", "role": "provincial", "connect_all_cameras": True}
        answer = await province.client.post("/v1/destinations", json=new | {"url_template": RTMP + "/all"})
        self._names(answer, camera["code"], "ALL")

    async def test_a_disabled_delivery_is_checked_when_it_is_enabled(self, province: Any) -> None:
        destination = await province.destination(url_template=RTMP)
        camera = await province.camera()
        delivery = f"/v1/deliveries/{camera['deliveries'][0]['id']}"
        await province.change(delivery, json={"enabled": False})
        changed = await province.change(f"/v1/cameras/{camera['id']}", json={"expected": {"codec": "h265"}})
        assert changed.status_code == 200
        answer = await province.change(delivery, json={"enabled": True})
        self._names(answer, camera["code"], destination["code"])


@pytest_asyncio.fixture
async def fenced(settings: Settings, start_province: Callable[[Settings], AbstractAsyncContextManager[Any]]) -> Any:
    """A province whose addresses must lie in 10.0.0.0/8."""
    async with start_province(settings.model_copy(update={"allowed_networks": ("10.0.0.0/8",)})) as province:
        yield province


async def test_an_address_outside_the_allowed_networks_is_refused(fenced: Any) -> None:
    camera = await fenced.camera()
    destination = await fenced.destination()
    tries = (
        (f"/v1/cameras/{camera['id']}", "url", "rtsp://127.0.0.1/1"),
        (f"/v1/destinations/{destination['id']}", "url_template", "rtsp://192.168.1.1/{camera_code}"),
        (f"/v1/destinations/{destination['id']}", "read_back_url_template", "rtsp://192.168.1.1/{camera_code}"),
    )
    for path, name, url in tries:
        status, field, message = error_of(await fenced.change(path, json={name: url}))
        assert (status, field) == (422, name)
        assert "10.0.0.0/8" in message
    facility = (await fenced.client.get("/v1/facilities")).json()["items"][0]["code"]
    csv = f"code,name,facility_code,url\nX,n,{facility},rtsp://10.1.1.1/1\nY,n,{facility},rtsp://8.8.8.8/1\n"
    answer = await fenced.client.post("/v1/imports/cameras", content=csv, headers={"content-type": "text/csv"})
    assert [(error["row"], error["field"]) for error in answer.json()["errors"]] == [(3, "url")]
