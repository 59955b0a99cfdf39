"""Directives: the chain 1742 → 1407 → 597, folded numbers, no circles (R01)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.conftest import Letter


async def numbers(letter: Letter, short: str) -> list[str]:
    answer = await letter.client.get(f"/v1/directives/{letter.directives[short]['id']}/chain")
    return [one["number"] for one in answer.json()["items"]]


async def test_the_chain_of_the_letter_is_shown(letter: Letter) -> None:
    assert await numbers(letter, "1742") == ["1742/UBND-VX", "1407/BTTTT-CVT", "597/CĐ-BCĐ"]
    assert await numbers(letter, "597") == ["597/CĐ-BCĐ"]


async def test_a_number_that_is_printed_otherwise_is_the_same_document(letter: Letter) -> None:
    body = {"number": "597/CD-BCĐ", "issued_on": "2021-05-05", "subject": "?", "issuer_id": letter.lead["id"]}
    answer = await letter.client.post("/v1/directives", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "code")
    found = (await letter.client.get("/v1/directives", params={"q": "597/cd-bcd"})).json()["items"]
    assert [one["number"] for one in found] == ["597/CĐ-BCĐ"]


@pytest.mark.parametrize("field", ["implements_id", "supersedes_id"])
async def test_a_link_that_closes_a_circle_is_refused(letter: Letter, field: str) -> None:
    first, last = letter.directives["597"], letter.directives["1742"]
    if field == "supersedes_id":
        middle = letter.directives["1407"]
        await letter.province.change(f"/v1/directives/{last['id']}", json={field: middle["id"]})
        await letter.province.change(f"/v1/directives/{middle['id']}", json={field: first["id"]})
    for target in (last, first):
        answer = await letter.province.change(f"/v1/directives/{first['id']}", json={field: target["id"]})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, field)
    assert await numbers(letter, "1742") == ["1742/UBND-VX", "1407/BTTTT-CVT", "597/CĐ-BCĐ"]


async def test_a_directive_that_another_carries_out_is_not_removed(letter: Letter) -> None:
    answer = await letter.province.remove(f"/v1/directives/{letter.directives['597']['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "referred_to")
    assert "1407" in answer.json()["detail"]


async def test_the_chain_of_an_earlier_time_is_that_of_then(letter: Letter) -> None:
    before = letter.directives["1742"]["changed_at"]
    path = f"/v1/directives/{letter.directives['1742']['id']}"
    await letter.province.change(path, json={"implements_id": None})
    assert await numbers(letter, "1742") == ["1742/UBND-VX"]
    then = (await letter.client.get(f"{path}/chain", params={"as_of": before})).json()["items"]
    assert [one["number"] for one in then] == ["1742/UBND-VX", "1407/BTTTT-CVT", "597/CĐ-BCĐ"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"issuer_id": "00000000-0000-4000-8000-000000000000"}, "issuer_id"),
        ({"implements_id": "00000000-0000-4000-8000-000000000000"}, "implements_id"),
        ({"number": "Tr¹m y tÕ"}, "number"),
        ({"link": "ftp://quangtri.gov.vn"}, "link"),
    ],
)
async def test_a_directive_that_does_not_fit_is_refused_by_field(
    letter: Letter, given: dict[str, Any], field: str
) -> None:
    body = {"number": "1/UBND", "issued_on": "2021-05-08", "subject": "?", "issuer_id": letter.lead["id"]}
    answer = await letter.client.post("/v1/directives", json=body | given)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("link", ["https://user:pw@quangtri.gov.vn/x", "https://quangtri.gov.vn/x?token=abc"])
async def test_a_link_that_everybody_reads_brings_no_login(letter: Letter, link: str) -> None:
    body = {"number": "2/X", "issued_on": "2021-05-07", "subject": "?", "issuer_id": letter.lead["id"], "link": link}
    answer = await letter.client.post("/v1/directives", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "link")
    assert "pw" not in answer.text


LETTERHEAD: dict[str, Any] = {
    "addressees": ["Ủy ban nhân dân tỉnh", "Bộ Thông tin và Truyền thông"],
    "recipients": [
        {"group": "addressees"},
        {"group": "chairmen", "name": "Chủ tịch, các PCT UBND tỉnh", "copies": 4, "sees": "without_appendices"},
        {"group": "archive", "name": "VT, VX"},
    ],
    "place": "Quảng Trị",
    "drafting_unit": "BCVT",
    "signer_title": "PHÓ GIÁM ĐỐC",
    "signer_name": "Nguyễn Văn Mẫu",
}


async def test_letters_have_their_head_signer_and_recipients_as_data_of_the_directive(letter: Letter) -> None:
    path = f"/v1/directives/{letter.directives['1742']['id']}"
    changed = await letter.province.change(path, json={"letterhead": LETTERHEAD})
    assert changed.status_code == 200, changed.text
    shown = (await letter.client.get(path)).json()["letterhead"]
    assert shown["recipients"][1] == LETTERHEAD["recipients"][1]
    assert (shown["recipients"][2]["copies"], shown["signer_authority"]) == (1, None)


@pytest.mark.parametrize(
    ("given", "vietnamese"),
    [
        ({"recipients": [{"group": "ministry"}]}, "nhóm nơi nhận"),
        ({"recipients": [{"group": "archive", "name": "VT"}, {"group": "office", "name": "CVP"}]}, "dòng cuối"),
        ({"recipients": [{"group": "addressees"}, {"group": "addressees"}]}, "hơn một lần"),
        ({"signer_name": "Nguyễn Văn Mẫu"}, "chức vụ"),
    ],
)
async def test_letters_refuse_a_head_that_no_paper_can_have(
    letter: Letter, given: dict[str, Any], vietnamese: str
) -> None:
    path = f"/v1/directives/{letter.directives['1742']['id']}"
    refused = await letter.province.change(path, json={"letterhead": given})
    assert refused.status_code == 422
    assert vietnamese in refused.json()["errors"][0]["message_vi"]
