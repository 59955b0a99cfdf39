"""What people type finds what they mean: without tones, without the spaces that others write, whatever the case."""

from typing import Any

import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def named(province: Any) -> Any:
    unit = await province.unit(code="467", name="Huyện Đa Krông")
    facility = await province.facility(code="QT-KCL-01", name="Trường DTNT Đakrông", unit_id=unit["id"])
    elsewhere = await province.unit(code="461", name="Thành phố Đông Hà")
    await province.facility(code="KCL-9", name="Nhà căn hộ 2", unit_id=elsewhere["id"])
    person = {"facility_id": facility["id"], "full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng"}
    await province.post("/v1/focal-points", person | {"phone": "0912.345 678", "valid_from": "2021-05-01"})
    return province


async def found(province: Any, path: str, q: str) -> set[str]:
    answer = await province.client.get(f"/v1/{path}", params={"q": q, "total": True})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert answer.json()["total"] == len(items)
    return {each.get("code") or each["full_name"] for each in items}


@pytest.mark.parametrize(
    "q", ["dakrong", "DAKRONG", "đakrông", "Đa Krông", "da krong", "Đăk Rông", "huyendakrong", "huyen dakrong", "krong"]
)
async def test_every_spelling_of_a_name_finds_the_unit(named: Any, q: str) -> None:
    assert await found(named, "units", q) == {"467"}
    facilities = {"QT-KCL-01"}
    assert await found(named, "facilities", q) == facilities, "by the name of its unit"


async def test_parts_are_joined_from_the_beginning_of_a_word_and_not_for_a_few_letters(named: Any) -> None:
    assert await found(named, "facilities", "donghà canho") == {"KCL-9"}
    assert await found(named, "facilities", "qtkcl01") == {"QT-KCL-01"}
    for amid in ("hacan", "anho2", "acanho", "hac", "1%", "____", "[a-z]{4}", "kcl.9.", "2" * 150):
        assert await found(named, "facilities", amid) == set(), amid


async def test_a_phone_is_found_however_its_groups_are_written(named: Any) -> None:
    assert await found(named, "focal-points", "0912345678") == {"Trần Văn Mẫu"}
    assert await found(named, "focal-points", "0912345679") == set()
    assert await found(named, "focal-points", "12345678") == set()
