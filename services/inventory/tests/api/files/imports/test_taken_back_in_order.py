"""What an import brought goes in an order in which it may; what may not leaves no line in the log and no message."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

CSV = {"content-type": "text/csv"}
TODAY = datetime.now(UTC).date()


async def send(province: Any, noun: str, content: str) -> str:
    answer = await province.client.post(
        f"/v1/imports/{noun}", content=content.encode(), headers=CSV, params={"reason": "nhập danh sách"}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def take_back(province: Any, import_id: str) -> Any:
    answer = await province.client.post(f"/v1/imports/{import_id}/revert")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def log_of(province: Any, path: str, thing: str) -> list[Any]:
    lines: list[Any] = (await province.client.get(f"/v1/{path}/{thing}/history")).json()["items"]
    return lines


async def test_what_stays_has_no_line_and_no_message_of_its_removal(province: Any, superuser: Engine) -> None:
    facility = await province.facility()
    begins = datetime.now(UTC) + timedelta(days=1)
    content = f"facility_code,starts_at,ends_at,purpose\n{facility['code']},{begins.isoformat()},"
    done = await send(
        province, "maintenance-windows", f"{content}{(begins + timedelta(hours=1)).isoformat()},Thay nguồn\n"
    )
    (window,) = (await province.client.get("/v1/maintenance-windows")).json()["items"]
    back = await take_back(province, done)
    assert [left["id"] for left in back["left"]] == [window["id"]]
    assert [line["action"] for line in await log_of(province, "maintenance-windows", window["id"])] == ["created"]
    with superuser.connect() as connection:
        query = text("select convert_from(body, 'UTF8') from outbox where subject like :subject")
        bodies = connection.scalars(query, {"subject": f"%{window['id']}"}).all()
    assert [("removed" in body) for body in bodies] == [False]


async def test_a_change_that_is_not_taken_back_is_in_no_log(province: Any) -> None:
    facility = await province.facility(code="KCL-01")
    camera = await province.camera(code="CAM-1", facility_id=facility["id"], url="rtsp://10.1.1.1/1")
    row = f"CAM-1,{camera['name']},KCL-01,rtsp://10.1.1.9/9\n"
    done = await send(province, "cameras", f"code,name,facility_code,url\n{row}")
    await province.camera(code="CAM-2", facility_id=facility["id"], url="rtsp://10.1.1.1/1")
    before = (await province.client.get(f"/v1/cameras/{camera['id']}")).json()
    back = await take_back(province, done)
    assert [left["key"] for left in back["left"]] == ["CAM-1"]
    assert (await province.client.get(f"/v1/cameras/{camera['id']}")).json() == before
    (newest, *_) = await log_of(province, "cameras", camera["id"])
    assert newest["after"]["url"] == "rtsp://10.1.1.9/9"


async def test_units_of_one_file_go_with_those_that_they_belong_to(province: Any) -> None:
    content = "level,code,name,parent_code\nprovince,45,Tỉnh,\ndistrict,468,Huyện,45\ncommune,19366,Xã,468\n"
    done = await send(province, "units", content)
    assert await take_back(province, done) == {"removed": 3, "restored": 0, "left": []}
    assert (await province.client.get("/v1/units")).json()["items"] == []


async def test_an_agency_comes_back_under_none_before_the_one_above_it_goes(province: Any) -> None:
    await province.agency(code="SYT", name="Sở Y tế", role="managing")
    content = "code,name,role,parent_code\nUBND,UBND tỉnh,peoples_committee,\nSYT,Sở Y tế,managing,UBND\n"
    done = await send(province, "agencies", content)
    assert await take_back(province, done) == {"removed": 1, "restored": 1, "left": []}
    (agency,) = (await province.client.get("/v1/agencies")).json()["items"]
    assert (agency["code"], agency["parent_id"]) == ("SYT", None)


async def test_the_officer_before_is_in_office_again(province: Any) -> None:
    facility = await province.facility(code="KCL-01", name="Trường")
    person = {"facility_id": facility["id"], "full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng"}
    first = await province.post("/v1/focal-points", person | {"phone": "0912345678", "valid_from": "2021-05-01"})
    unit = (await province.client.get("/v1/units")).json()["items"][0]["code"]
    agency = (await province.client.get("/v1/agencies")).json()["items"][0]["code"]
    headings = "code,name,type,unit_code,managing_agency_code,focal_point_name,focal_point_position,focal_point_phone"
    row = f"KCL-01,Trường,school,{unit},{agency},Lê Thị An,Hiệu phó,0912345679"
    done = await send(province, "facilities", f"{headings}\n{row}\n")
    assert len((await province.client.get("/v1/focal-points")).json()["items"]) == 2
    assert await take_back(province, done) == {"removed": 1, "restored": 1, "left": []}
    (officer,) = (await province.client.get("/v1/focal-points")).json()["items"]
    assert (officer["id"], officer["valid_to"]) == (first["id"], None)
