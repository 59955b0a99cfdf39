"""/v1/imports and /v1/exports: all or nothing, every mistake with its line, out and in again without change."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from vonggac.testing.certificates import Authority

CSV = {"content-type": "text/csv"}
FACILITIES = (
    "code,name,type,unit_code,managing_agency_code,focal_point_name,focal_point_position,focal_point_phone\r\n"
    "KCL-01,Trường Tiểu học Cam An,school,468,SYT,Trần Văn Mẫu,Hiệu trưởng,0233 3852 123\r\n"
    "KCL-02,Khách sạn Lao Bảo,hotel,465,SYT,,,\r\n"
)
CAMERAS = (
    "code,name,facility_code,url,username,password,area,destinations,probe_interval_s\r\n"
    "CAM-01,Hành lang,KCL-01,rtsp://10.1.1.1/ch1,admin,p@ss;word,corridor,,20\r\n"
    "CAM-02,Cổng,KCL-01,rtsp://u:w@10.1.1.2/ch1,,,gate,TT-QG,\r\n"
    "CAM-03,Sân,KCL-02,rtsp://10.1.1.3/ch1,,,,none,\r\n"
)


@pytest_asyncio.fixture
async def ready(province: Any) -> Any:
    await province.unit(code="468")
    await province.unit(code="465")
    await province.agency(code="SYT")
    await province.destination(code="TT-QG")
    await province.destination(code="IOC", role="provincial")
    return province


async def send(province: Any, kind: str, text: str, **query: Any) -> Any:
    return await province.client.post(f"/v1/imports/{kind}", content=text.encode(), headers=CSV, params=query)


@pytest_asyncio.fixture
async def loaded(ready: Any) -> Any:
    for kind, text in (("facilities", FACILITIES), ("cameras", CAMERAS)):
        answer = await send(ready, kind, text)
        assert answer.status_code == 200, answer.text
    return ready


async def test_import_creates_then_finds_nothing_to_change(ready: Any) -> None:
    first = (await send(ready, "facilities", FACILITIES)).json()
    again = (await send(ready, "facilities", FACILITIES)).json()
    assert (first["created"], first["updated"], first["unchanged"]) == (2, 0, 0)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 2)


async def test_a_mistake_names_its_column_as_the_file_does(ready: Any) -> None:
    text = "STT,code,NAME,type,Mã đơn vị hành chính,managing_agency_code\n1,KCL-01,,school,468,SYT\n"
    (error,) = (await send(ready, "facilities", text)).json()["errors"]
    assert (error["field"], error["heading"]) == ("name", "NAME")
    (error,) = (await send(ready, "facilities", text.replace("NAME,", "").replace("01,,", "01,"))).json()["errors"]
    assert (error["field"], error["heading"]) == ("name", "Tên cơ sở")


async def test_empty_destinations_means_all_enabled_and_none_means_none(loaded: Any) -> None:
    cameras = (await loaded.client.get("/v1/cameras")).json()["items"]
    counts = {}
    for camera in cameras:
        whole = (await loaded.client.get(f"/v1/cameras/{camera['id']}")).json()
        counts[camera["code"]] = len(whole["deliveries"])
    assert counts == {"CAM-01": 2, "CAM-02": 1, "CAM-03": 0}


@pytest.mark.parametrize("shape", ["rfc4180", "excel-vi"])
@pytest.mark.parametrize("kind", ["facilities", "cameras"])
async def test_an_export_comes_back_without_change(loaded: Any, kind: str, shape: str) -> None:
    exported = await loaded.client.get(f"/v1/exports/{kind}.csv", params={"format": shape})
    answer = await send(loaded, kind, exported.text)
    assert answer.status_code == 200, answer.text
    assert answer.json()["unchanged"] == answer.json()["rows"] > 0


async def test_every_mistake_of_a_file_is_listed_and_nothing_is_kept(ready: Any) -> None:
    await send(ready, "facilities", FACILITIES)
    text = (
        "code;name;facility_code;url;username;password;area;destinations;probe_interval_s\r\n"
        "CAM-1;Tốt;KCL-01;rtsp://10.1.1.1/1;;;gate;;20\r\n"
        "CAM 2;;KCL-01;rtsp://10.1.1.1/1;;;gate;;20\r\n"
        "CAM-3;n;KCL-01;http://10.1.1.1/1;;;toilet;;2\r\n"
        "CAM-1;n;KCL-01;rtsp://10.1.1.1/1;;p;;;\r\n"
        "CAM-1;n;KCL-01;rtsp://10.1.1.1/1;;;;;\r\n"
    )
    answer = await send(ready, "cameras", text)
    assert (answer.status_code, answer.json()["code"]) == (422, "import_refused")
    found = {(error["row"], error["field"]) for error in answer.json()["errors"]}
    assert found == {
        (3, "code"), (3, "name"), (4, "url"), (4, "area"), (4, "probe_interval_s"),
        (5, "username"), (5, "code"), (6, "code"),
    }  # fmt: skip
    assert all(len(error["message"]) > 10 for error in answer.json()["errors"])
    assert (await ready.client.get("/v1/cameras")).json()["items"] == []


async def test_codes_that_are_not_on_record_are_mistakes_of_their_rows(ready: Any) -> None:
    facilities = FACILITIES.replace(",468,", ",999,").replace("465,SYT", "465,XXX")
    answer = (await send(ready, "facilities", facilities)).json()
    assert [(error["row"], error["field"]) for error in answer["errors"]] == [
        (2, "unit_code"),
        (3, "managing_agency_code"),
    ]
    await send(ready, "facilities", FACILITIES)
    cameras = CAMERAS.replace("KCL-02", "KCL-09").replace("TT-QG", "TT-XX")
    answer = (await send(ready, "cameras", cameras)).json()
    assert [(error["row"], error["field"]) for error in answer["errors"]] == [(3, "destinations"), (4, "facility_code")]
    assert "IOC, TT-QG" in answer["errors"][0]["message"]


async def test_a_dry_run_checks_everything_and_keeps_nothing(ready: Any) -> None:
    answer = await send(ready, "facilities", FACILITIES, dry_run=True)
    assert (answer.json()["dry_run"], answer.json()["created"]) == (True, 2)
    assert (await ready.client.get("/v1/facilities")).json()["items"] == []
    refused = await send(ready, "facilities", FACILITIES.replace(",468,", ",999,"), dry_run=True)
    assert refused.status_code == 422
    assert (await ready.client.get("/v1/changes", params={"noun": "facility"})).json()["items"] == []
    assert (await ready.client.get("/v1/imports")).json()["items"] == []
    await ready.facility(code="KCL-01")


async def test_a_column_that_is_not_there_leaves_what_is_on_record(loaded: Any) -> None:
    short = "code,name,facility_code,url\nCAM-01,Tên mới,KCL-01,rtsp://10.1.1.1/ch1\n"
    assert (await send(loaded, "cameras", short)).json()["updated"] == 1
    (camera,) = (await loaded.client.get("/v1/cameras", params={"code": "CAM-01"})).json()["items"]
    assert (camera["name"], camera["area"], camera["probe_interval_s"]) == ("Tên mới", "corridor", 20)
    assert (camera["has_secret"], camera["revision"]) == (True, 2)


async def test_an_empty_cell_goes_back_to_the_default(loaded: Any) -> None:
    text = "code,name,facility_code,url,area,probe_interval_s\nCAM-01,Hành lang,KCL-01,rtsp://10.1.1.1/ch1,,\n"
    assert (await send(loaded, "cameras", text)).json()["updated"] == 1
    (camera,) = (await loaded.client.get("/v1/cameras", params={"code": "CAM-01"})).json()["items"]
    assert (camera["area"], camera["probe_interval_s"]) == (None, 30)


async def test_an_import_connects_and_disconnects(loaded: Any) -> None:
    text = "code,name,facility_code,url,destinations\nCAM-01,Hành lang,KCL-01,rtsp://10.1.1.1/ch1,IOC\n"
    text += "CAM-03,Sân,KCL-02,rtsp://10.1.1.3/ch1,TT-QG;IOC\n".replace(";", "|")
    assert (await send(loaded, "cameras", text, reason="trung tâm đổi")).json()["updated"] == 2
    deliveries = (await loaded.client.get("/v1/deliveries")).json()["items"]
    codes = {camera["id"]: camera["code"] for camera in (await loaded.client.get("/v1/cameras")).json()["items"]}
    assert sorted(codes[delivery["camera_id"]] for delivery in deliveries) == ["CAM-01", "CAM-02", "CAM-03", "CAM-03"]


async def test_addresses_that_meet_are_a_mistake_of_their_row(ready: Any) -> None:
    await send(ready, "facilities", FACILITIES + "A,n,school,468,SYT,,,\nA-B,n,school,468,SYT,,,\n")
    await ready.destination(code="X", url_template="rtsp://10.9.9.9/{facility_code}-{camera_code}")
    text = "code,name,facility_code,url\nB-C,n,A,rtsp://10.1.1.1/1\nC,n,A-B,rtsp://10.1.1.2/1\n"
    answer = (await send(ready, "cameras", text)).json()
    assert [(error["row"], error["field"]) for error in answer["errors"]] == [(3, "code")]


async def test_another_focal_point_succeeds_the_one_before_who_stays_on_record(ready: Any) -> None:
    await send(ready, "facilities", FACILITIES)
    assert (await send(ready, "facilities", FACILITIES.replace("Trần Văn Mẫu", "Lê Thị Mẫu"))).json()["updated"] == 1
    people = (await ready.client.get("/v1/focal-points")).json()["items"]
    assert {person["full_name"]: person["valid_to"] is None for person in people} == {
        "Trần Văn Mẫu": False,
        "Lê Thị Mẫu": True,
    }
    exported = (await ready.client.get("/v1/exports/facilities.csv")).text
    assert "Lê Thị Mẫu" in exported
    assert "Trần Văn Mẫu" not in exported


async def test_a_focal_point_without_a_phone_is_a_mistake(ready: Any) -> None:
    answer = (await send(ready, "facilities", FACILITIES.replace("0233 3852 123", ""))).json()
    assert [(error["row"], error["field"]) for error in answer["errors"]] == [(2, "focal_point_phone")]


async def test_a_form_with_a_file_is_taken_too(ready: Any) -> None:
    files = {"file": ("facilities.csv", FACILITIES.encode("utf-8-sig"), "text/csv")}
    answer = await ready.client.post("/v1/imports/facilities", files=files)
    assert (answer.status_code, answer.json()["created"]) == (200, 2)
    wrong = await ready.client.post("/v1/imports/facilities", files={"other": ("f.csv", b"x", "text/csv")})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "file")


async def test_what_is_no_csv_is_refused(ready: Any) -> None:
    answer = await ready.client.post("/v1/imports/facilities", json={})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_a_file_beyond_the_limit_is_refused(ready: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(34):
            yield b"x" * 1024 * 1024

    answer = await ready.client.post("/v1/imports/facilities", content=pieces(), headers=CSV)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_no_exported_cell_is_a_formula(loaded: Any) -> None:
    facility = await loaded.facility(name="=1+1", address="@x", latitude=16.8, longitude=-107.1)
    text = (await loaded.client.get("/v1/exports/facilities.csv")).text
    (line,) = [line for line in text.splitlines() if line.startswith(facility["code"])]
    assert "'=1+1" in line
    assert "'@x" in line
    assert (await send(loaded, "facilities", text)).json()["unchanged"] == 3


async def test_a_hundred_and_more_rows_go_in_and_come_out_again(loaded: Any) -> None:
    header = "code,name,facility_code,url,username,password\n"
    rows = [f"Z-{number:04d},Tầng {number},KCL-01,rtsp://10.2.0.1/{number},u,p\n" for number in range(700)]
    assert (await send(loaded, "cameras", header + "".join(rows))).json()["created"] == 700
    moved = [row.replace("10.2.0.1/", "10.2.0.1/moved/").replace(",u,p", ",,") for row in rows]
    assert (await send(loaded, "cameras", header + "".join(moved))).json()["updated"] == 700
    text = (await loaded.client.get("/v1/exports/cameras.csv")).text
    answer = (await send(loaded, "cameras", text)).json()
    assert {name: answer[name] for name in ("kind", "dry_run", "rows", "created", "updated", "unchanged")} == {
        "kind": "cameras", "dry_run": False, "rows": 703, "created": 0, "updated": 0, "unchanged": 703,
    }  # fmt: skip
    (camera,) = (await loaded.client.get("/v1/cameras", params={"code": "Z-0699"})).json()["items"]
    assert (camera["revision"], camera["has_secret"], camera["url"]) == (2, True, "rtsp://10.2.0.1/moved/699")


async def test_imports_are_counted(loaded: Any) -> None:
    await send(loaded, "cameras", "nonsense")
    text = (await loaded.client.get("/metrics")).text
    assert 'vonggac_inventory_imports_total{kind="cameras",result="done"} 1.0' in text
    assert 'vonggac_inventory_imports_total{kind="cameras",result="refused"} 1.0' in text
    assert 'vonggac_inventory_import_rows_total{kind="cameras",result="created"} 3.0' in text


async def test_transport_codec_and_trust_go_in_and_come_out_again(loaded: Any) -> None:
    authority = Authority().pem
    text = (
        "code,name,facility_code,url,username,password,transport,codec,tls_fingerprint_sha256,tls_ca_pem\n"
        f"CAM-01,n,KCL-01,rtsps://10.1.1.1/1,u,p,UDP,H265,{'AB' * 32},\n"
        f'NEW,n,KCL-01,https://10.1.1.2/1.m3u8,,,,,,"{authority}"\n'
    )
    assert (await send(loaded, "cameras", text)).json()["created"] == 1
    cameras = {one["code"]: one for one in (await loaded.client.get("/v1/cameras")).json()["items"]}
    old, new = cameras["CAM-01"], cameras["NEW"]
    assert (old["transport"], old["expected"]["codec"], old["tls"]["fingerprint_sha256"]) == ("udp", "h265", "ab" * 32)
    assert (new["transport"], new["expected"], new["tls"]["ca_pem"]) == ("tcp", None, authority.strip())
    exported = (await loaded.client.get("/v1/exports/cameras.csv")).text
    assert (await send(loaded, "cameras", exported)).json()["unchanged"] == 4
    renamed = "code,name,facility_code,url,tls_fingerprint_sha256\nNEW,Mới,KCL-01,https://10.1.1.2/1.m3u8,\n"
    assert (await send(loaded, "cameras", renamed)).json()["updated"] == 1
    (kept,) = (await loaded.client.get("/v1/cameras", params={"code": "NEW"})).json()["items"]
    assert (kept["name"], kept["tls"]) == ("Mới", new["tls"])


async def test_what_a_survey_notes_goes_in_and_comes_out_again(loaded: Any) -> None:
    header = "code,name,facility_code,url,username,password,codec,width,height,fps,serial,mac,onvif_address\n"
    noted = 'H264,1920,1080,"12,5",=S1,0A-1B-2C-3D-4E-5F,10.1.1.9:8080\n'
    assert (await send(loaded, "cameras", f"{header}NEW,n,KCL-01,rtsp://10.1.1.9/1,,,{noted}")).json()["created"] == 1
    expected = {
        "codec": "h264", "width": 1920, "height": 1080, "fps": 12.5,
        "serial": "=S1", "mac": "0a:1b:2c:3d:4e:5f", "onvif_address": "10.1.1.9:8080",
    }  # fmt: skip

    async def on_record() -> Any:
        (camera,) = (await loaded.client.get("/v1/cameras", params={"code": "NEW"})).json()["items"]
        return camera["expected"]

    assert await on_record() == expected
    for style in ("rfc4180", "excel-vi"):
        exported = (await loaded.client.get("/v1/exports/cameras.csv", params={"format": style})).text
        assert (await send(loaded, "cameras", exported)).json()["unchanged"] == 4
    # A column that a file has and leaves empty is struck out, one that it lacks stays.
    corrected = "code,name,facility_code,url,serial,fps\nNEW,n,KCL-01,rtsp://10.1.1.9/1,S2,\n"
    assert (await send(loaded, "cameras", corrected)).json()["updated"] == 1
    assert await on_record() == expected | {"serial": "S2", "fps": None}


async def test_a_wrong_mark_of_a_survey_is_a_mistake_of_its_column(loaded: Any) -> None:
    text = (
        "code,name,facility_code,url,width,fps,mac,onvif_address\n"
        "A,n,KCL-01,rtsp://10.1.1.1/1,wide,0,0a:1b,http://10.1.1.1/onvif\n"
    )
    answer = (await send(loaded, "cameras", text)).json()
    assert {error["field"] for error in answer["errors"]} == {"width", "fps", "mac", "onvif_address"}


async def test_what_a_row_s_camera_cannot_be_is_a_mistake_of_its_column(loaded: Any) -> None:
    await loaded.destination(code="RTMP", url_template="rtmp://10.9.9.9/live/{camera_code}", enabled=False)
    text = (
        "code,name,facility_code,url,transport,codec,tls_fingerprint_sha256,tls_ca_pem\n"
        "A,n,KCL-01,rtsps://10.1.1.1/1,multicast,mjpeg,ab:cd,nonsense\n"
    )
    answer = (await send(loaded, "cameras", text)).json()
    assert {(error["row"], error["field"]) for error in answer["errors"]} == {
        (2, "transport"), (2, "codec"), (2, "tls_fingerprint_sha256"), (2, "tls_ca_pem"),
    }  # fmt: skip
    text = (
        "code,name,facility_code,url,codec,tls_fingerprint_sha256,destinations\n"
        f"A,n,KCL-01,rtsp://10.1.1.1/1,,{'ab' * 32},none\nB,n,KCL-01,rtsp://10.1.1.1/1,h265,,RTMP\n"
        "CAM-01,n,KCL-01,rtsp://10.1.1.1/1,h265,,RTMP\n"
    )
    enabled = (await loaded.client.get("/v1/destinations", params={"q": "RTMP"})).json()["items"][0]
    await loaded.change(f"/v1/destinations/{enabled['id']}", json={"enabled": True})
    answer = (await send(loaded, "cameras", text)).json()
    assert [(error["row"], error["field"]) for error in answer["errors"]] == [
        (2, "tls_fingerprint_sha256"), (3, "destinations"), (4, "destinations"),
    ]  # fmt: skip
    assert "enhanced_rtmp" in answer["errors"][1]["message"]


async def test_a_facility_closed_by_import_republishes_its_cameras(loaded: Any) -> None:
    before = {item["code"]: item for item in (await loaded.client.get("/v1/cameras")).json()["items"]}
    exported = (await loaded.client.get("/v1/exports/facilities.csv")).text
    assert exported.count(",active,") == 2
    answer = await send(loaded, "facilities", exported.replace(",active,", ",closed,", 1), reason="hết dịch")
    assert (answer.status_code, answer.json()["updated"]) == (200, 1)
    [closed] = (await loaded.client.get("/v1/facilities", params={"status": "closed"})).json()["items"]
    after = (await loaded.client.get("/v1/cameras")).json()["items"]
    for camera in after:
        raised = camera["revision"] - before[camera["code"]]["revision"]
        assert raised == (camera["facility_id"] == closed["id"]), camera
    assert any(camera["facility_id"] == closed["id"] for camera in after)


@pytest.mark.parametrize("dry_run", [True, False])
async def test_one_device_under_two_cameras_is_refused_before_anything_is_stored(loaded: Any, dry_run: bool) -> None:
    text = (
        "code,name,facility_code,url,mac\r\n"
        "NEW-1,n,KCL-01,RTSP://10.1.1.2:554/ch1,\r\n"
        "NEW-2,n,KCL-01,rtsp://10.1.1.8/ch1,0a:1b:2c:3d:4e:5f\r\n"
        "NEW-3,n,KCL-01,rtsp://10.1.1.9/ch1,0a:1b:2c:3d:4e:5f\r\n"
    )
    answer = await send(loaded, "cameras", text, dry_run=dry_run)
    assert answer.status_code == 422
    assert [(error["row"], error["field"]) for error in answer.json()["errors"]] == [(2, "url"), (4, "mac")]
    assert "CAM-02" in answer.json()["errors"][0]["message"]


async def test_two_cameras_may_exchange_their_addresses_in_one_file(loaded: Any) -> None:
    text = (
        "code,name,facility_code,url,username,password\r\n"
        "CAM-01,n,KCL-01,rtsp://10.1.1.2/ch1,a,b\r\nCAM-02,n,KCL-01,rtsp://10.1.1.1/ch1,a,b\r\n"
    )
    assert (await send(loaded, "cameras", text)).json()["updated"] == 2


async def test_with_a_reason_one_device_may_be_two_cameras(loaded: Any) -> None:
    text = (
        "code,name,facility_code,url,shared_device_reason\r\n"
        "NEW-1,n,KCL-01,rtsp://10.1.1.2/ch1,hai cơ sở dùng chung cổng\r\n"
    )
    assert (await send(loaded, "cameras", text)).json()["created"] == 1


async def test_imports_are_paged_as_every_list(ready: Any) -> None:
    for number in range(5):
        await send(ready, "agencies", f"code,name,role\r\nAG-{number},Sở,managing\r\n")
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2, "total": "true"}
    while True:
        answer = await ready.client.get("/v1/imports", params=query)
        page = answer.json()
        assert page["total"] == 5
        found += [item["began_at"] for item in page["items"]]
        if page["next"] is None:
            break
        assert "next" in answer.headers["link"]
        query["cursor"] = page["next"]
    assert (len(found), found) == (5, sorted(found, reverse=True))
    refused = await ready.client.get("/v1/imports", params={"before": found[0]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "before")


async def test_a_camera_renamed_by_a_file_is_found_by_its_new_name_and_the_one_beside_it_by_its_old(
    loaded: Any,
) -> None:
    text = CAMERAS.replace("CAM-01,Hành lang", "CAM-01,Nhà xe").replace("gate,TT-QG,", "gate,TT-QG,60")
    assert (await send(loaded, "cameras", text)).json()["updated"] == 2
    for words, code in (("nha xe", "CAM-01"), ("cong", "CAM-02")):
        (found,) = (await loaded.client.get("/v1/cameras", params={"q": words})).json()["items"]
        assert found["code"] == code
    assert (await loaded.client.get("/v1/cameras", params={"q": "hanh lang"})).json()["items"] == []


async def test_a_file_of_a_few_cameras_is_compared_with_all_that_are_on_record(loaded: Any) -> None:
    text = "code,name,facility_code,url\r\nCAM-04,Kho,KCL-02,rtsp://10.1.1.1/ch1\r\ncam-02,Kho,KCL-02,rtsp://10.1.1.9/ch1\r\n"
    errors = (await send(loaded, "cameras", text)).json()["errors"]
    assert [(error["row"], error["field"]) for error in errors] == [(2, "url"), (3, "code")]
    assert "CAM-01" in errors[0]["message"]
    assert "CAM-02" in errors[1]["message"]
