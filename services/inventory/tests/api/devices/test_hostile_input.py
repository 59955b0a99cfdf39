"""What was an error of ours once, and what stood in clear: each is refused by name, and nothing of it is kept."""

import time
from typing import Any

import httpx
import pytest
from services.inventory.tests.conftest import Province

KEY = "a8f3-k2j9-x0p1-q7w2"


def destination(url: str) -> dict[str, Any]:
    return {"code": "TT-01", "name": "Trung tâm", "role": "national", "url_template": url}


async def test_a_stream_key_in_an_rtmp_address_is_confirmed_by_its_own_word_and_no_other(
    client: httpx.AsyncClient,
) -> None:
    body = destination(f"rtmp://10.9.0.1/live/{KEY}/{{camera_code}}")
    for parameters in ({}, {"reason": "mã kênh, không phải mật khẩu"}):
        refused = await client.post("/v1/destinations", params=parameters, json=body)
        assert refused.status_code == 422
        [error] = refused.json()["errors"]
        assert error["field"] == "url_template"
        assert "write {password}" in error["message"]
        assert "path_is_no_secret: true" in error["message"]
        assert KEY not in refused.text
    made = await client.post("/v1/destinations", json=body | {"path_is_no_secret": True})
    assert made.status_code == 201, made.text
    assert "path_is_no_secret" not in made.json()


async def test_a_change_of_an_rtmp_address_is_confirmed_anew(province: Province) -> None:
    made = await province.client.post("/v1/destinations", json=destination("rtmp://10.9.0.1/live/{camera_code}"))
    path = f"/v1/destinations/{made.json()['id']}"
    with_key = {"url_template": f"rtmp://10.9.0.1/live/{KEY}/{{camera_code}}"}
    assert (await province.change(path, json=with_key)).status_code == 422
    assert (await province.change(path, json=with_key | {"path_is_no_secret": True})).status_code == 200
    assert (await province.change(path, json={"name": "Trung tâm tỉnh"})).status_code == 200


async def test_a_name_in_an_rtmp_address_asks_for_nothing(client: httpx.AsyncClient) -> None:
    body = destination("rtmp://10.9.0.1/quangtri-ioc-2026/{camera_code}")
    assert (await client.post("/v1/destinations", json=body)).status_code == 201


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/cameras?q=%00", "q"), ("/v1/cameras?code=%00", "code"), ("/v1/changes?changed_by=%00", "changed_by"),
        ("/v1/imports?kind=%00", "kind"), ("/v1/imports?before=0.5", "before"), ("/v1/cameras?valid_on=0", "valid_on"),
        ("/v1/changes?until=0.5", "until"), ("/v1/cameras?as_of=0001-01-01T00:00:00%2B14:00", "as_of"),
        ("/v1/changes?since=9999-12-31T23:59:59-14:00", "since"), ("/v1/cameras?cursor=%00", "cursor"),
    ],
)  # fmt: skip
async def test_a_parameter_that_nothing_can_mean_is_a_422(client: httpx.AsyncClient, path: str, field: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"enabled": 0}, "enabled"), ({"tls": {"ca_pem": "chứng thư"}}, "tls.ca_pem"),
        ({"valid_from": 0}, "valid_from"),
        ({"name": "\u200b\u200d"}, "name"), ({"name": "Trung\u202etâm"}, "name"), ({"name": "a\U000e0041"}, "name"),
        ({"name": "a\x00b"}, "name"), ({"code": "a\x00b"}, "code"), ({"valid_to": "9999-12-31"}, "valid_to"),
    ],
)  # fmt: skip
async def test_a_field_that_says_something_else_is_a_422(
    client: httpx.AsyncClient, province: Province, change: dict[str, Any], field: str
) -> None:
    made = await client.post("/v1/destinations", json=destination("rtsp://10.9.0.1/{camera_code}"))
    for answer in (
        await client.post("/v1/destinations", json=destination("rtsp://10.9.0.2/{camera_code}") | change),
        await province.change(f"/v1/destinations/{made.json()['id']}", json=change),
    ):
        assert answer.status_code == 422, answer.text
        assert field in {error["field"] for error in answer.json()["errors"]}


async def test_a_file_of_names_without_end_is_refused_at_once(client: httpx.AsyncClient) -> None:
    body = ("code," + ",".join(f"cột {number}" for number in range(12_000))).encode() + b"\r\nA,b\r\n"
    began = time.process_time()
    answer = await client.post("/v1/imports/cameras", content=body, headers={"content-type": "text/csv"})
    assert time.process_time() - began < 1.5
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 1)
