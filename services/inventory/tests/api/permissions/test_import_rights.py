"""A file is no way around the rights: each row needs what it does, and the refusal names row and right."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from vonggac.auth import Right, Role, rights

HEAD = "code,name,facility_code,area,url,destinations"


async def send(client: Any, noun: str, text: str, **params: Any) -> Any:
    headers = {"content-type": "text/csv"}
    return await client.post(f"/v1/imports/{noun}", content=text.encode(), headers=headers, params=params)


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the operator other rights."""
    usual = rights.RIGHTS

    def limit(*without: Right) -> None:
        given = {**usual, Role.OPERATOR: usual[Role.OPERATOR] - set(without)}
        monkeypatch.setattr(rights, "RIGHTS", given)

    return limit


async def test_an_operator_does_not_remove_deliveries_by_a_file(world: Any) -> None:
    await world.province.destination(code="TINH", role="provincial")
    camera = (await world.province.client.get("/v1/cameras", params={"code": "C-dau-open"})).json()["items"][0]
    rows = f"{HEAD}\nC-dau-open,{camera['name']},KCL-dau-open,,{camera['url']},none\n"
    with world.as_caller(Role.OPERATOR) as client:
        refused = await send(client, "cameras", rows, reason="thử")
        tried = await send(client, "cameras", rows, dry_run="true")
    for answer in (refused, tried):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), answer.text
        [error] = answer.json()["errors"]
        assert (error["row"], error["value"]) == (2, "C-dau-open")
        assert "'remove'" in error["message"]
        assert "quyền 'remove'" in error["message_vi"]
    left = (await world.province.client.get("/v1/deliveries", params={"camera_id": camera["id"]})).json()["items"]
    assert len(left) == 1
    done = await send(world.province.client, "cameras", rows, reason="lead")
    assert (done.status_code, done.json()["updated"]) == (200, 1), done.text


async def test_each_row_needs_the_right_of_what_it_does(world: Any, limited: Any) -> None:
    text = "code,name,role\nSYT-9,Cơ quan mới,managing\nVTQT,Tên khác,operator\nSTTTT,Sở TT&TT,lead\n"
    for right, row in ((Right.ADD, 2), (Right.CHANGE, 3)):
        limited(right)
        with world.as_caller(Role.OPERATOR) as client:
            answer = await send(client, "agencies", text)
        assert answer.status_code == 403
        assert [(error["row"], right.value in error["message"]) for error in answer.json()["errors"]] == [(row, True)]


async def test_a_person_in_a_facility_s_row_is_added_or_changed(world: Any, limited: Any) -> None:
    head = "code,name,type,unit_code,managing_agency_code,focal_point_name,focal_point_position,focal_point_phone"
    exported = (await world.province.client.get("/v1/exports/facilities.csv")).text
    line = next(one for one in exported.splitlines() if one.lstrip("\ufeff").startswith("KCL-dau-open"))
    names = exported.lstrip("\ufeff").splitlines()[0].split(",")
    known = dict(zip(names, line.split(","), strict=False))
    first = f"KCL-dau-open,Khu dau-open,school,{known['unit_code']},{known['managing_agency_code']}"
    other = f"{head}\n{first},Người khác,Trưởng khu,0911000001\n"
    phone = f"{head}\n{first},Cán bộ dau-open,Trưởng khu,0911000008\n"
    for right, text in ((Right.ADD, other), (Right.CHANGE, other), (Right.CHANGE, phone)):
        limited(right)
        with world.as_caller(Role.OPERATOR) as client:
            answer = await send(client, "facilities", text)
        assert answer.status_code == 403, answer.text
        assert all(right.value in error["message"] for error in answer.json()["errors"])


async def test_who_may_not_remove_takes_no_import_back_that_added_something(world: Any) -> None:
    text = f"{HEAD}\nI-1,Mới,KCL-dau-open,,rtsp://10.8.8.8/1,QG\n"
    with world.as_caller(Role.OPERATOR) as client:
        done = (await send(client, "cameras", text)).json()
        refused = await client.post(f"/v1/imports/{done['id']}/revert")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert "'remove'" in refused.text
        assert "I-1" in refused.text
        assert (await client.get("/v1/cameras", params={"code": "I-1"})).json()["items"]
    back = await world.province.client.post(f"/v1/imports/{done['id']}/revert")
    assert (back.status_code, back.json()["removed"]) == (200, 1), back.text


async def test_a_file_of_a_scope_reaches_nothing_beyond_it(world: Any) -> None:
    scope = f"facility:{world.sites['open'].facility['id']}"
    good = f"{HEAD}\nI-2,Mới,KCL-dau-open,,rtsp://10.8.8.8/2,QG\n"
    with world.as_caller(Role.OPERATOR, scope) as client:
        assert (await send(client, "cameras", good)).status_code == 200
        elsewhere = await send(client, "cameras", f"{HEAD}\nI-3,Mới,KCL-dau-other,,rtsp://10.8.8.8/3,QG\n")
        taken = await send(client, "cameras", f"{HEAD}\nC-dau-other,Cướp,KCL-dau-open,,rtsp://10.8.8.8/4,QG\n")
        person = "facility_code,full_name,position,phone,valid_from\nKCL-dau-secret,A,B,0911000007,2021-05-01\n"
        secret = await send(client, "focal-points", person)
        agencies = await send(client, "agencies", "code,name,role\nX,X,managing\n")
    assert elsewhere.status_code == 422
    assert "KCL-dau-open" in elsewhere.text
    assert "KCL-dau-secret" not in elsewhere.text
    # Its code is taken, and so is the address at which it would be published: nothing more is said.
    assert taken.status_code in {409, 422}
    assert world.sites["other"].facility["id"] not in taken.text
    assert secret.status_code == 422
    assert agencies.status_code == 403
    there = (await world.province.client.get("/v1/cameras", params={"code": "C-dau-other"})).json()["items"]
    assert [one["facility_id"] for one in there] == [world.sites["other"].facility["id"]]


async def test_an_import_of_a_wider_token_is_not_taken_back_by_a_narrower_one(world: Any) -> None:
    text = f"{HEAD}\nI-7,Mới,KCL-dau-open,,rtsp://10.8.8.8/7,QG\nI-8,Mới,KCL-dau-other,,rtsp://10.8.8.8/8,QG\n"
    with world.as_caller(Role.PROVINCE_LEAD) as client:
        done = (await send(client, "cameras", text)).json()["id"]
    with world.as_caller(Role.PROVINCE_LEAD, f"facility:{world.sites['open'].facility['id']}") as client:
        refused = await client.post(f"/v1/imports/{done}/revert")
    assert (refused.status_code, refused.json()["code"]) == (403, "outside_scope")
    assert "I-8" not in refused.text


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the past of things, of each the last state."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "distinct on" in statement.lower():
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_what_a_scope_sees_of_an_import_is_not_asked_row_by_row(world: Any) -> None:
    """Each such question reads all facilities, and of a delivery all cameras too."""
    asked: list[int] = []
    for number, count in enumerate((1, 9)):
        rows = [f"I-{number}-{row},Mới,KCL-dau-open,,rtsp://10.8.{number}.{row + 1}/1,QG" for row in range(count)]
        with world.as_caller(Role.PROVINCE_LEAD, f"facility:{world.sites['open'].facility['id']}") as client:
            done = (await send(client, "cameras", "\n".join([HEAD, *rows, ""]))).json()["id"]
            with statements() as found:
                back = await client.post(f"/v1/imports/{done}/revert")
        assert (back.status_code, back.json()["removed"]) == (200, count), back.text
        asked.append(len(found))
    assert asked[0] == asked[1] > 0


async def test_imports_of_others_are_of_the_log(world: Any) -> None:
    with world.as_caller(Role.OPERATOR) as client:
        mine = (await send(client, "cameras", f"{HEAD}\nI-5,Mới,KCL-dau-open,,rtsp://10.8.8.8/5,QG\n")).json()["id"]
        assert [one["id"] for one in (await client.get("/v1/imports")).json()["items"]] == [mine]
    for role, sees in ((Role.READER, False), (Role.AUTHORITY, True), (Role.PROVINCE_LEAD, True)):
        with world.as_caller(role) as client:
            listed = (await client.get("/v1/imports")).json()["items"]
            assert [one["id"] for one in listed] == ([mine] if sees else [])
            assert (await client.get(f"/v1/imports/{mine}")).status_code == (200 if sees else 404)
    with world.as_caller(Role.AUTHORITY, f"facility:{world.sites['open'].facility['id']}") as client:
        assert (await client.get("/v1/imports")).json()["items"] == []
