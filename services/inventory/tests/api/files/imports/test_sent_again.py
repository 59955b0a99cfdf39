"""A file that is sent again, for its answer was lost, is imported once."""

import asyncio
from typing import Any

ROWS = "code,name,role\nA-1,Sở Y tế,managing\nA-2,Sở Du lịch,managing\n"
OTHERS = "code,name,role\nA-3,Công an tỉnh,managing\n"


async def send(province: Any, body: str, *, key: str = '"nhap-1"', prefer: str | None = None, **query: Any) -> Any:
    headers = {"content-type": "text/csv", "idempotency-key": key} | ({"prefer": prefer} if prefer else {})
    return await province.client.post("/v1/imports/agencies", content=body.encode(), headers=headers, params=query)


async def imports(province: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await province.client.get("/v1/imports")).json()["items"]
    return found


async def test_a_file_that_comes_again_gets_the_first_answer(province: Any) -> None:
    first = await send(province, ROWS)
    again = await send(province, ROWS)
    assert (again.status_code, again.json()) == (200, first.json())
    assert first.json()["created"] == 2
    assert [each["id"] for each in await imports(province)] == [first.json()["id"]]


async def test_of_a_form_the_file_counts_and_not_its_boundary(province: Any) -> None:
    answers = [
        await province.client.post(
            "/v1/imports/agencies",
            files={"file": ("a.csv", ROWS.encode(), "text/csv")},
            headers={"idempotency-key": "nhap-2"},
        )
        for _ in range(2)
    ]
    assert answers[0].request.headers["content-type"] != answers[1].request.headers["content-type"]
    assert answers[0].json() == answers[1].json()
    assert len(await imports(province)) == 1


async def test_a_key_belongs_to_one_file_and_one_way_to_take_it(province: Any) -> None:
    assert (await send(province, ROWS)).status_code == 200
    for body, query in ((OTHERS, {}), (ROWS, {"reason": "sửa"})):
        refused = await send(province, body, **query)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await imports(province)) == 1


async def test_what_had_no_effect_leaves_its_key_free(province: Any) -> None:
    assert (await send(province, ROWS, dry_run=True)).json()["created"] == 2
    assert (await send(province, ROWS.replace("managing", "x"))).status_code == 422
    assert (await send(province, ROWS)).json()["created"] == 2


async def test_two_at_the_same_time_are_one_import(province: Any) -> None:
    answers = await asyncio.gather(*(send(province, ROWS) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["created"] == 2
    assert [each["state"] for each in await imports(province)].count("done") == 1


async def test_in_the_background_it_is_the_same_import(province: Any) -> None:
    first, again = [await send(province, ROWS, prefer="respond-async") for _ in range(2)]
    assert (again.status_code, again.headers["location"]) == (202, first.headers["location"])
    assert first.headers["location"] == f"/v1/imports/{first.json()['id']}"
    assert len(await imports(province)) == 1


async def test_an_import_is_taken_back_once_and_says_so_again(province: Any) -> None:
    done = (await send(province, ROWS)).json()
    path, headers = f"/v1/imports/{done['id']}/revert", {"idempotency-key": "lai"}
    first, again = [await province.client.post(path, headers=headers) for _ in range(2)]
    assert (again.status_code, again.json()) == (200, first.json())
    assert first.json()["removed"] == 2
    assert (await province.client.post(path)).status_code == 409
