"""Whether a file is a report that was frozen here: asked over HTTP, by those who may read it and by others."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from fastapi import Request
from services.reporting.tests.stage.freezing import frozen

from reporting.api.reports import files, receiving
from reporting.documents.render import FORMS, rendered
from reporting.documents.verifying.child import Answer
from reporting.documents.verifying.verify import verify
from reporting.reports.snapshot import handed_out
from reporting.reports.snapshot.report import Report, parsed, table_parts
from vonggac.auth import Role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province
    from starlette.types import Message

pytestmark = pytest.mark.usefixtures("feeding")


async def test_a_file_of_another_register_is_not_that_report(client: Client, fed: Province) -> None:
    report = await frozen(client)
    content = (await client.get(f"/v1/reports/{report['id']}.csv")).content
    assert verify(content).unaltered
    other = content.replace(report["id"].encode(), report["id"][::-1].encode())
    said = (await client.post("/v1/reports/verify", content=other)).json()
    assert not said["unaltered"]
    assert said["differences"]
    assert (await client.post("/v1/reports/verify", content=b"\x00")).json()["form"] is None


async def test_a_file_that_an_earlier_release_handed_out_stays_that_report(
    client: Client, fed: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/v1/reports/{(await frozen(client))['id']}.csv"
    with monkeypatch.context() as earlier:
        earlier.setattr(files, "rendered", lambda *of: rendered(*of).replace(b"\r\n", b"\n"))
        content = (await client.get(address)).content
    assert (await client.get(address)).content != content
    assert (await client.post("/v1/reports/verify", content=content)).json()["unaltered"]
    assert not (await client.post("/v1/reports/verify", content=content[:-1])).json()["unaltered"]


async def test_a_file_just_as_it_was_handed_out_is_not_opened(
    client: Client, fed: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = await frozen(client)
    content = (await client.get(f"/v1/reports/{report['id']}.csv")).content
    opened = []

    async def open_file(*of: object, **by: object) -> Answer:
        opened.append(of)
        return Answer("csv", False, [])

    monkeypatch.setattr(files, "verify_in_child", open_file)
    said = (await client.post("/v1/reports/verify", content=content)).json()
    assert (said["unaltered"], said["form"], said["version"]) == (True, "csv", 1)
    assert (said["report_id"], said["sha256"]) == (report["id"], report["sha256"])
    assert not opened
    assert not (await client.post("/v1/reports/verify", content=content[:-1])).json()["unaltered"]
    assert opened


async def test_a_file_that_nobody_noted_is_compared_with_the_report_that_it_carries(
    client: Client, fed: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = await frozen(client)
    content = (await client.get(f"/v1/reports/{report['id']}.json")).content

    async def find_nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(handed_out, "find_file", find_nothing)
    said = (await client.post("/v1/reports/verify", content=content)).json()
    assert (said["unaltered"], said["form"], said["report_id"]) == (True, "json", report["id"])


async def test_a_body_of_a_few_bytes_at_a_time_is_held_in_large_pieces() -> None:
    parts = iter([{"type": "http.request", "body": b"ab", "more_body": True}] * 1000)

    async def receive() -> Message:
        return next(parts, {"type": "http.request", "body": b"c", "more_body": False})

    async with receiving.Receiving().body(Request({"type": "http", "method": "POST"}, receive)) as pieces:
        assert [len(piece) for piece in pieces] == [2001]


async def test_a_report_of_hundreds_of_cameras_is_taken_whole_and_what_is_too_large_or_too_slow_is_not(
    client: Client, fed: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = await asyncio.to_thread((Path(__file__).parents[5] / "docs/examples/bao-cao.docx").read_bytes)
    assert len(example) > 2**20
    said = await client.post("/v1/reports/verify", content=example)
    assert said.status_code == 200, said.text
    assert said.json()["form"] == "docx"
    assert "was frozen here" in said.json()["differences"][0]
    refused = await client.post("/v1/reports/verify", content=bytes(files.MAX_FILE_BYTES + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")

    async def trickle() -> AsyncIterator[bytes]:
        yield example[:1000]
        await asyncio.Event().wait()

    monkeypatch.setattr(receiving, "READ_WITHIN_S", 0.05)
    refused = await client.post("/v1/reports/verify", content=trickle())
    assert (refused.status_code, refused.json()["code"]) == (408, "too_slow")


async def test_senders_who_are_slow_keep_nobody_waiting(client: Client, fed: Province) -> None:
    content = (await client.get(f"/v1/reports/{(await frozen(client))['id']}.csv")).content
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        yield content[:1000]
        begun.release()
        await go_on.wait()
        yield content[1000:]

    slow = [asyncio.create_task(client.post("/v1/reports/verify", content=trickle())) for _ in range(5)]
    for _ in slow:
        await begun.acquire()
    assert (await client.post("/v1/reports/verify", content=content)).json()["unaltered"]
    go_on.set()
    assert [(await one).json()["unaltered"] for one in slow] == [True] * 5


async def test_files_wait_for_room_and_what_finds_none_is_answered_with_when_to_come_again(
    client: Client, fed: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (await client.get(f"/v1/reports/{(await frozen(client))['id']}.csv")).content
    begun, go_on = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(receiving, "ADMITTED_BYTES", 1000)
    monkeypatch.setattr(receiving, "MOST_BYTES", len(content))

    async def slow() -> AsyncIterator[bytes]:
        yield content[:1000]
        begun.set()
        await go_on.wait()
        yield content[1000:]

    first = asyncio.create_task(client.post("/v1/reports/verify", content=slow()))
    await begun.wait()
    second = asyncio.create_task(client.post("/v1/reports/verify", content=content))
    go_on.set()
    assert [(await one).json()["unaltered"] for one in (first, second)] == [True, True]
    refused = await client.post("/v1/reports/verify", content=content + b"x")
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "busy", "60")
    assert (await client.post("/v1/reports/verify", content=content)).json()["unaltered"]


async def test_who_may_not_read_reports_learns_no_row_of_one_by_a_file_of_his_own(
    client: Client, fed: Province, start: Start
) -> None:
    report = await frozen(client)
    content = (await client.get(f"/v1/reports/{report['id']}.json")).content
    known = parsed(content)
    rows = [{**row, "camera_code": "GUESS"} for row in known.tables["cameras"]]
    tables = {**known.tables, "cameras": rows}
    forged = Report(known.header.model_copy(update={"tables": table_parts(tables)}), tables).compact()
    said = (await client.post("/v1/reports/verify", content=forged)).json()
    assert "table cameras, row 1: camera_code" in said["differences"]
    for role, scope in ((Role.READER, ()), (Role.AUTHORITY, (f"facility:{uuid4()}",))):
        async with start(role=role, scope=scope) as other:
            shown = (await other.post("/v1/reports/verify", content=forged)).json()
            assert shown["differences"] == said["differences"][:1]
            assert (await other.post("/v1/reports/verify", content=content)).json()["unaltered"]


async def test_a_report_gives_the_form_that_the_accept_header_asks_for(client: Client, fed: Province) -> None:
    address = f"/v1/reports/{(await frozen(client))['id']}"
    for form in ("csv", "xlsx", "docx", "pdf"):
        file = await client.get(f"{address}.{form}")
        asked = await client.get(address, headers={"Accept": f"{FORMS[form].media_type}, application/json;q=0.5"})
        assert asked.content == file.content
        assert "Accept" in asked.headers["vary"].replace("Accept-Encoding", "")
    for accept in ("*/*", "application/json", "text/html, */*;q=0.8"):
        assert (await client.get(address, headers={"Accept": accept})).json()["version"] == 1
    refused = await client.get(address, headers={"Accept": "image/png"})
    assert (refused.status_code, refused.json()["code"]) == (406, "not_acceptable")
    assert (await client.get(address, headers={"Accept": "image/png"}, params={"format": "pdf"})).status_code == 200
