"""What was issued comes back with number, day and signed file, and is kept."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from services.reporting.tests.api.mandate.test_progress import Story
from services.reporting.tests.api.reports.test_frozen_register import frozen, story

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client

__all__ = ("story",)
PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n" + b"x" * 2000 + b"\n%%EOF\n"
PAPERS = "/v1/issued-papers"


async def approved(client: Client, second: dict[str, str]) -> dict[str, Any]:
    body, _ = await frozen(client)
    answer = await client.post(f"/v1/reports/{body['id']}/approve", params={"version": 1}, headers=second)
    assert answer.status_code == 200, answer.text
    return body


def paper_of(body: dict[str, Any], **given: Any) -> dict[str, Any]:
    day = str(body["frozen_at"])[:10]
    known = {"report_id": body["id"], "version": 1, "number": "05/BC-STTTT", "issued_on": day}
    return known | {"signed_by": "Nguyễn Văn Mẫu, Giám đốc"} | given


async def test_letters_come_back_with_number_day_and_signed_file(
    client: Client, story: Story, second: dict[str, str]
) -> None:
    assert story.cameras
    body = await approved(client, second)
    made = await client.post(PAPERS, json=paper_of(body))
    assert made.status_code == 201, made.text
    one = made.headers["location"]
    assert (made.json()["number"], made.json()["file"]) == ("05/BC-STTTT", None)
    assert (await client.get(f"{one}/file")).status_code == 404
    put = await client.put(f"{one}/file", content=PDF, headers={"Content-Type": "application/pdf"})
    assert put.status_code == 200, put.text
    file = put.json()["file"]
    assert (file["sha256"], file["size_bytes"]) == (hashlib.sha256(PDF).hexdigest(), len(PDF))
    read = await client.get(f"{one}/file")
    assert (read.content, read.headers["x-content-type-options"]) == (PDF, "nosniff")
    assert read.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in read.headers["content-security-policy"]
    assert (await client.put(f"{one}/file", content=PDF)).status_code == 200, "the same once more"
    other = await client.put(f"{one}/file", content=PDF.replace(b"x", b"y"))
    assert (other.status_code, other.json()["code"]) == (409, "file_kept")
    listed = (await client.get(PAPERS, params={"report": body["id"]})).json()["items"]
    assert [each["id"] for each in listed] == [made.json()["id"]]


@pytest.mark.parametrize("content", [b"MZ\x90\x00 a program", PDF[:-20]])
async def test_letters_are_refused_that_are_no_whole_pdf(
    client: Client, story: Story, second: dict[str, str], content: bytes
) -> None:
    assert story.cameras
    made = await client.post(PAPERS, json=paper_of(await approved(client, second)))
    refused = await client.put(f"{made.headers['location']}/file", content=content)
    assert refused.status_code == 422


async def test_letters_have_no_day_to_come_and_none_before_their_draft(
    client: Client, story: Story, second: dict[str, str]
) -> None:
    assert story.cameras
    body = await approved(client, second)
    for day, vi in (("2999-01-02", "sau hôm nay"), ("2001-03-04", "trước ngày lập dự thảo")):
        refused = await client.post(PAPERS, json=paper_of(body, issued_on=day))
        assert refused.status_code == 422, refused.text
        assert vi in refused.json()["detail_vi"]
        assert {"2999-01-02": "02/01/2999", "2001-03-04": "04/3/2001"}[day] in refused.json()["detail"]


async def test_letters_are_not_issued_before_they_are_approved(
    client: Client, story: Story, second: dict[str, str]
) -> None:
    assert story.cameras
    body, _ = await frozen(client)
    refused = await client.post(PAPERS, json=paper_of(body))
    assert (refused.status_code, refused.json()["code"]) == (409, "not_approved")
    for given in ({"version": None}, {"urge_id": body["id"]}, {"report_id": None, "version": None}):
        assert (await client.post(PAPERS, json=paper_of(body, **given))).status_code == 422
