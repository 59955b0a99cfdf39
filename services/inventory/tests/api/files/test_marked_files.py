"""The file that comes back with its mistakes: the same lines in the same encoding, and no login wherever it stood."""

from typing import Any

import pytest

SECRET = "MatKhau#2021"
LOGIN = f"rtsp://admin:{SECRET}@10.1.1.9/1"
CAMERA = {
    "code": "C-1", "name": "Cổng", "facility_code": "KCL-1", "url": "rtsp://10.1.1.1/1", "mac": "x",
    "destinations": "none",
}  # fmt: skip


async def send(province: Any, noun: str, body: str | bytes, **query: Any) -> Any:
    content = body.encode() if isinstance(body, str) else body
    headers = {"content-type": "text/csv"}
    return await province.client.post(f"/v1/imports/{noun}", content=content, headers=headers, params=query)


def text_of(row: dict[str, str]) -> str:
    return ";".join(row) + "\n" + ";".join(row.values()) + "\n"


WITH_A_LOGIN = [
    *(text_of(CAMERA | {column: LOGIN}) for column in ("code", "name", "facility_code", "mac", "enabled", "revision")),
    *(text_of(CAMERA | {column: f"admin:{SECRET}"}) for column in ("code", "name", "model", "serial", "destinations")),
    *(text_of(CAMERA | {column: SECRET}) for column in ("mac", "facility_code", "destinations", "url")),
    *(text_of(CAMERA | {"url": url}) for url in (f"admin:{SECRET}@cam.local/1", f"rtsp:/admin:{SECRET}@10.1.1.9/1")),
    f"C-1;Cổng;KCL-1;{LOGIN};admin;{SECRET}\nC-2;Sân;KCL-1;{LOGIN};admin;{SECRET}\n",
    f"{LOGIN}\n{text_of(CAMERA)}",
    text_of(CAMERA | {LOGIN: "x"}),
]
OF_OTHER_NOUNS = {
    "agencies": f"code;name;role\n{LOGIN};A;managing\n{LOGIN};A;managing\n",
    "facilities": f"code;name;type;unit_code;managing_agency_code\nF;A;school;{LOGIN};{LOGIN}\n",
    "focal-points": "facility_code;full_name;position;phone;valid_from\n" + f"K;{LOGIN};A;0912345678;2021-05-01\n" * 2,
    "destinations": "code;name;role;url_template\nD;A;x;rtmp://10.1.1.1/live/Zk81MatKhau2021xq/{camera_id}\n",
}


async def test_a_login_in_any_cell_comes_back_neither_in_the_answer_nor_in_the_file(province: Any) -> None:
    for noun, body in [*(("cameras", body) for body in WITH_A_LOGIN), *OF_OTHER_NOUNS.items()]:
        for query in ({}, {"dry_run": True}, {"answer": "file"}):
            answer = await send(province, noun, body, **query)
            assert answer.status_code == 422, body
            assert "MatKhau" not in answer.text, body
    assert "MatKhau" not in (await province.client.get("/v1/imports")).text


async def test_a_hidden_login_is_not_taken_for_a_name(province: Any) -> None:
    await province.facility(code="KCL-1")
    back = await send(province, "cameras", text_of(CAMERA | {"name": LOGIN}), answer="file")
    again = await send(province, "cameras", back.content)
    assert {error["field"] for error in again.json()["errors"]} == {"name", "mac"}
    assert {error["value"] for error in again.json()["errors"]} == {"rtsp://***@10.1.1.9/1", "x"}


async def test_an_address_without_a_login_comes_back_as_it_was(province: Any) -> None:
    addresses = [
        "rtsp://10.1.1.1/cam/realmonitor?channel=1&subtype=0", "rtsp://10.1.1.2/chID=1&streamType=main",
        "rtsp://10.1.1.3/user={username}&password={password}&channel=1&stream=0.sdp", "10.1.1.4/Streaming/Channels/101",
    ]  # fmt: skip
    for address in addresses:
        back = await send(province, "cameras", text_of(CAMERA | {"url": address}), answer="file")
        assert f";{address};" in back.text


async def test_no_text_is_stored_with_a_login_in_it(province: Any) -> None:
    facility = await province.facility()
    bodies: dict[str, Any] = {
        "agencies": {"code": "A", "name": f"Sở {LOGIN}", "role": "managing"},
        "journal-entries": {"about_noun": "facility", "about_id": facility["id"], "text": f"Dòng 1\nxem {LOGIN}"},
    }
    for path, body in bodies.items():
        answer = await province.client.post(f"/v1/{path}", json=body)
        assert (answer.status_code, SECRET in answer.text) == (422, False)
        assert "login" in answer.json()["errors"][0]["message"]
    unsaid = await province.client.post("/v1/agencies", json={"code": "B", "name": "Sở", "role": "managing", LOGIN: 1})
    assert (unsaid.status_code, SECRET in unsaid.text) == (422, False)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
async def test_the_lines_of_the_file_stay_where_they_are(province: Any, encoding: str) -> None:
    lines = [
        "sep=;", "DANH SÁCH CAMERA", "", "code;name;role", "", 'A-1;"Sở\nY tế";managing', ";;", "",
        "A-2;Sở Công an;sai", "", "",
    ]  # fmt: skip
    body = "\r\n".join([*lines, ""]).encode(encoding)
    answer = await send(province, "agencies", body, answer="file")
    assert answer.status_code == 422
    back = answer.content.decode("utf-16" if encoding == "utf-16" else "utf-8-sig").split("\r\n")
    assert back[0] == "sep=;"
    assert [number for number, line in enumerate(back) if not line] == [2, 4, 6, 7, 9, 10, 11]
    assert back[8].startswith("A-2;Sở Công an;sai;")
    mistakes = (await send(province, "agencies", answer.content)).json()["errors"]
    assert [(error["row"], error["field"]) for error in mistakes] == [(10, "role")]


HEADINGS = "code;name;facility_code;url;username;password;area;enabled;channel;verified_on;mac;firmware"
PLAIN = "MatKhau2021"
"""No sign in it says that it is a password."""


def camera(**given: str) -> str:
    known = {"code": "C-1", "name": "Cổng", "facility_code": "KCL-1", "url": "rtsp://10.1.1.1/1"}
    return ";".join({**dict.fromkeys(HEADINGS.split(";"), ""), **known, **given}.values())


IN_A_WRONG_CELL = [
    *([camera(username="admin", password="x", **{column: PLAIN})] for column in ("area", "enabled", "channel")),
    *([camera(**{column: PLAIN})] for column in ("verified_on", "mac", "url")),
    *([camera(username="admin", password=PLAIN, **{column: PLAIN})] for column in ("facility_code", "code", "mac")),
    *([camera(url=f"rtsp://admin:{PLAIN}@10.1.1.1/1", mac="x", **{column: PLAIN})] for column in ("firmware", "code")),
    [camera(username="admin", password=PLAIN, mac="x", name=f"Cổng ({PLAIN})")],
    [camera(username=PLAIN, password="y", facility_code=PLAIN)],
    [camera(username="admin", password=PLAIN), camera(code="C-2", url="rtsp://10.1.1.2/1", facility_code=PLAIN)],
    [camera(username="admin", password=PLAIN), camera(code=PLAIN, url="rtsp://10.1.1.2/1", username=PLAIN)],
]


@pytest.mark.parametrize("rows", IN_A_WRONG_CELL, ids=str)
async def test_a_password_in_a_wrong_cell_is_not_repeated(province: Any, rows: list[str]) -> None:
    body = "\n".join([HEADINGS, *rows, ""])
    for query in ({}, {"dry_run": True}, {"answer": "file"}):
        answer = await send(province, "cameras", body, **query)
        assert answer.status_code == 422, answer.text
        assert PLAIN not in answer.text
    assert PLAIN not in (await province.client.get("/v1/imports")).text


async def test_what_is_no_password_is_shown_where_it_is_wrong(province: Any) -> None:
    await province.facility(code="KCL-1")
    wrong = {
        "area": "sân sau 2", "enabled": "chưa", "channel": "kênh 3", "verified_on": "32/05/2021", "mac": "0a1b2c3d4e5",
        "recorder_code": "NVR2021",
    }  # fmt: skip
    body = f"{HEADINGS};recorder_code\n{camera(username='admin', password=PLAIN, **wrong)}\n"
    errors = (await send(province, "cameras", body)).json()["errors"]
    assert {error["field"]: error["value"] for error in errors} == wrong
    back = await send(province, "cameras", body, answer="file")
    assert all(f";{value}" in back.text for value in wrong.values())


async def test_a_code_on_record_is_no_password_wherever_it_stands(province: Any) -> None:
    """A row whose cells have moved by one column has it in that of the passwords."""
    await province.facility(code="KCL-2021A")
    rows = [
        camera(facility_code="x", username="y", password="KCL-2021A"),
        camera(code="C-2", recorder_code="KCL-2021A"),
    ]
    errors = (await send(province, "cameras", f"{HEADINGS};recorder_code\n{rows[0]};\n{rows[1]}\n")).json()["errors"]
    assert ("recorder_code", "KCL-2021A") in {(error["field"], error["value"]) for error in errors}


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename*=UTF-8''t%E1%BB%87p%20m%E1%BB%9Bi-loi.csv", "tệp mới-loi.csv"),
        ("attachment; filename=\"a.csv\"; filename*=utf-8'vi'b%2Fc.csv", "c.csv"),
        ('attachment; filename="a b.csv"', "a b.csv"),
    ],
)
async def test_a_file_that_went_back_comes_again_under_its_name(province: Any, disposition: str, name: str) -> None:
    headers = {"content-type": "text/csv", "content-disposition": disposition}
    body = b"code,name,role\nA-1,A,managing\n"
    assert (await province.client.post("/v1/imports/agencies", content=body, headers=headers)).status_code == 200
    assert (await province.client.get("/v1/imports")).json()["items"][0]["file_name"] == name
