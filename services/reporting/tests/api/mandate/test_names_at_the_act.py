"""Who froze and who approved a report are read by name and post, as these were then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import openpyxl
import pytest
from services.reporting.tests.stage.freezing import DAY, approve, frozen, once_more

from reporting.documents.letter.content import paper
from reporting.documents.verifying.verify import verify
from reporting.reports.snapshot.canonical import canonical
from reporting.reports.snapshot.report import Report, parsed
from vonggac.auth import Role

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

pytestmark = pytest.mark.usefixtures("feeding")


LEAD = {"subject": "ttmt", "name": "Trần Thị Minh"}


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_report_names_its_author_and_who_approved_it_by_name_and_post(
    client: Client, fed: Province, token_for: Callable[..., str]
) -> None:
    client.headers.update(headers(token_for(Role.PROVINCE_LEAD, **LEAD, post="Trưởng phòng")))
    made = await frozen(client)
    assert [made[name] for name in ("author", "author_name", "author_post")] == [
        "ttmt",
        "Trần Thị Minh",
        "Trưởng phòng",
    ]
    decider = headers(token_for(Role.DECIDER, subject="lvh", name="Lê Văn Hà"))
    approved = (await approve(client, made["id"], headers=decider)).json()
    who = ("lvh", "Lê Văn Hà", None)
    assert tuple(approved[name] for name in ("approved_by", "approver_name", "approver_post")) == who
    [listed] = (await client.get("/v1/reports", params={"q": "minh"})).json()["items"]
    assert (listed["author_name"], listed["approver_name"]) == ("Trần Thị Minh", "Lê Văn Hà")

    files = {form: (await client.get(f"/v1/reports/{made['id']}.{form}")).content for form in ("json", "csv", "xlsx")}
    for form, content in files.items():
        assert (await client.post("/v1/reports/verify", content=content)).json()["unaltered"], form
        assert verify(content).unaltered, form
    facts = openpyxl.load_workbook(BytesIO(files["xlsx"]))["Thông tin"]
    said = {row[0].value: row[1].value for row in facts.iter_rows()}
    assert said["Người lập"] == "Trần Thị Minh, Trưởng phòng (ttmt)"
    report = parsed(files["json"])
    assert paper(report).status.startswith("Số liệu đã được Lê Văn Hà phê duyệt lúc ")


async def test_a_later_name_changes_nothing_that_was_frozen(
    client: Client, fed: Province, ingest: Ingest, token_for: Callable[..., str]
) -> None:
    client.headers.update(headers(token_for(Role.PROVINCE_LEAD, **LEAD, post="Chuyên viên")))
    first = await frozen(client)
    late = fed.probes(fed.facts, DAY + timedelta(hours=21), DAY + timedelta(hours=22), every_s=300)  # type: ignore[attr-defined]
    await fed.feed(ingest, *late)
    client.headers.update(headers(token_for(Role.PROVINCE_LEAD, **LEAD, post="Trưởng phòng")))
    assert (await once_more(client, first["id"], "số liệu đến muộn")).json()["author_post"] == "Trưởng phòng"
    before = (await client.get(f"/v1/reports/{first['id']}", params={"version": 1})).json()
    assert (before["author_post"], before["sha256"]) == ("Chuyên viên", first["sha256"])


async def test_without_a_name_the_login_stands_and_the_digest_is_of_the_fields_that_older_reports_have(
    client: Client, fed: Province
) -> None:
    made = await frozen(client)
    assert (made["author_name"], made["author_post"]) == (None, None)
    report: Report = parsed((await client.get(f"/v1/reports/{made['id']}.json")).content)
    assert b"author_name" not in canonical(report.header.model_dump(mode="json"))
    assert report.header.author_in_words == "test-province_lead"
