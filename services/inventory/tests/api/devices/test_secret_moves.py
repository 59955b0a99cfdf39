"""A stored login never goes to another scheme, host or port: the register wants it again, and seals its address."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from vonggac.auth import SecretMovedError, Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE
from vonggac.database import Database

CSV = {"content-type": "text/csv"}
ELSEWHERE = [
    "rtsp://10.9.9.9:554/1",
    "rtsp://10.1.1.1:8554/1",
    "rtsps://10.1.1.1:554/1",
    "rtmp://10.1.1.1:554/app/1",
    "rtsp://10.9.9.9/{username}/{password}",
]


async def sealed(url: str, column: str, table: str) -> str:
    """What the register keeps of the only row."""
    database = Database(url)
    try:
        async with database.transaction() as session:
            statement = text(f"select {column} from {table}")  # noqa: S608 - our own names
            return str((await session.execute(statement)).scalar_one())
    finally:
        await database.close()


def refused(answer: Any, field: str) -> bool:
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert "give the credentials again" in error["message"]
    return True


@pytest.mark.parametrize("url", ELSEWHERE)
async def test_secret_moves_to_no_other_url_of_a_camera(province: Any, url: str) -> None:
    camera = await province.camera(url="rtsp://u:p@10.1.1.1/1")
    one = f"/v1/cameras/{camera['id']}"
    assert refused(await province.change(one, json={"url": url}), "url")
    assert (await province.client.get(one)).json()["url"] == "rtsp://10.1.1.1/1"


async def test_secret_moves_with_a_camera_when_it_is_given_again(
    province: Any, inventory_url: str, keys_folder: Path
) -> None:
    camera = await province.camera(url="rtsp://u:p@10.1.1.1/1")
    one = f"/v1/cameras/{camera['id']}"
    assert (await province.change(one, json={"url": "rtsp://u:q@10.9.9.9/1"})).status_code == 200
    unsealer, box = (
        Unsealer.from_file(keys_folder / WORKERS_PRIVATE),
        await sealed(inventory_url, "sealed_secret", "cameras"),
    )
    assert unsealer.unseal(box, "rtsp://10.9.9.9/2").password == "q"
    with pytest.raises(SecretMovedError):
        unsealer.unseal(box, "rtsp://10.1.1.1/1")


@pytest.mark.parametrize("url", ["rtsp://10.1.1.1/2", "rtsp://10.1.1.1:554/2", "RTSP://10.1.1.1/{username}/{password}"])
async def test_another_path_of_the_same_address_needs_no_credentials(province: Any, url: str) -> None:
    camera = await province.camera(url="rtsp://u:p@10.1.1.1/1")
    assert (await province.change(f"/v1/cameras/{camera['id']}", json={"url": url})).status_code == 200


async def test_a_camera_moves_once_its_credentials_are_removed(province: Any) -> None:
    camera = await province.camera(url="rtsp://u:p@10.1.1.1/1")
    one = f"/v1/cameras/{camera['id']}"
    assert (await province.remove(f"{one}/secret")).status_code == 204
    assert (await province.change(one, json={"url": ELSEWHERE[0]})).status_code == 200


async def test_secret_moves_to_no_other_url_by_csv(province: Any) -> None:
    camera = await province.camera(url="rtsp://u:p@10.1.1.1/1")
    facility = (await province.client.get("/v1/facilities")).json()["items"][0]["code"]
    header, row = "code,name,facility_code,url,username,password\n", f"{camera['code']},n,{facility},rtsp://10.9.9.9/1"
    answer = await province.client.post("/v1/imports/cameras", content=f"{header}{row},,\n", headers=CSV)
    assert answer.status_code == 422, answer.text
    assert "give the credentials again" in answer.text
    assert (await province.client.get(f"/v1/cameras/{camera['id']}")).json()["url"] == "rtsp://10.1.1.1/1"
    given = await province.client.post("/v1/imports/cameras", content=f"{header}{row},u,q\n", headers=CSV)
    assert given.status_code == 200, given.text


@pytest.mark.parametrize("field", ["url_template", "read_back_url_template"])
async def test_secret_moves_to_no_other_template_of_a_destination(province: Any, field: str) -> None:
    destination = await province.destination(
        url_template="rtsp://u:p@10.2.2.2/{camera_code}", read_back_url_template="rtsp://v:w@10.2.2.2/{camera_code}"
    )
    one = f"/v1/destinations/{destination['id']}"
    moved = {field: "rtsp://10.9.9.9/{camera_code}/{username}/{password}"}
    assert refused(await province.change(one, json=moved), field)
    assert (await province.change(one, json={field: "rtsp://10.2.2.2/x/{camera_code}"})).status_code == 200
    again = {field: "rtsp://u:p@10.9.9.9/{camera_code}"}
    assert (await province.change(one, json=again)).status_code == 200


async def test_secret_moves_not_by_way_of_no_template_at_all(province: Any) -> None:
    destination = await province.destination(
        url_template="rtsp://u:p@10.2.2.2/{camera_code}", read_back_url_template="rtsp://v:w@10.2.2.2/{camera_code}"
    )
    one, field = f"/v1/destinations/{destination['id']}", "read_back_url_template"
    assert (await province.change(one, json={field: None})).status_code == 200
    assert refused(await province.change(one, json={field: "rtsp://10.9.9.9/{camera_code}"}), field)


async def test_a_login_for_reading_back_needs_an_address_to_belong_to(province: Any) -> None:
    destination = await province.destination(url_template="rtsp://10.2.2.2/{camera_code}")
    answer = await province.put(
        f"/v1/destinations/{destination['id']}/read-back-secret", json={"username": "u", "password": "p"}
    )
    assert answer.status_code == 422, answer.text


async def test_each_login_of_a_destination_belongs_to_its_own_address(
    province: Any, inventory_url: str, keys_folder: Path
) -> None:
    await province.destination(
        url_template="rtmp://u:p@10.2.2.2/app/{camera_code}", read_back_url_template="rtsp://v:w@10.2.2.3/{camera_code}"
    )
    unsealer = Unsealer.from_file(keys_folder / WORKERS_PRIVATE)
    publish = await sealed(inventory_url, "sealed_secret", "destinations")
    read_back = await sealed(inventory_url, "sealed_read_back_secret", "destinations")
    assert unsealer.unseal(publish, "rtmp://10.2.2.2/app/C1").username == "u"
    assert unsealer.unseal(read_back, "rtsp://10.2.2.3/C1").username == "v"
    for box, url in ((publish, "rtsp://10.2.2.3/C1"), (read_back, "rtmp://10.2.2.2/app/C1")):
        with pytest.raises(SecretMovedError):
            unsealer.unseal(box, url)


async def test_a_login_belongs_to_the_device_service_that_the_survey_noted(
    province: Any, inventory_url: str, keys_folder: Path
) -> None:
    await province.camera(url="rtsp://u:p@10.1.1.1/1", expected={"onvif_address": "10.1.1.1:8000"})
    unsealer, box = (
        Unsealer.from_file(keys_folder / WORKERS_PRIVATE),
        await sealed(inventory_url, "sealed_secret", "cameras"),
    )
    assert unsealer.unseal(box, "http://10.1.1.1:8000").username == "u"
    with pytest.raises(SecretMovedError):
        unsealer.unseal(box, "http://10.9.9.9:8000")


@pytest.mark.parametrize("url", ["rtsp://{password}.example.org/1", "rtsp://10.1.1.1:{password}/1"])
async def test_a_placeholder_in_host_or_port_is_refused(province: Any, url: str) -> None:
    camera = await province.camera()
    answer = await province.change(f"/v1/cameras/{camera['id']}", json={"url": url})
    assert answer.status_code == 422
    template = url.replace("/1", "/{camera_code}")
    destination = await province.destination()
    answer = await province.change(f"/v1/destinations/{destination['id']}", json={"url_template": template})
    assert answer.status_code == 422
