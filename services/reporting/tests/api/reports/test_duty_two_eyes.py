"""Who wrote a report does not approve it; each use of a province's exception is named in every form of the report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from services.reporting.tests.stage.freezing import DAY, approve, frozen

from reporting.documents.letter.blocks import Text
from reporting.documents.letter.content import paper
from reporting.documents.render import FORMS
from reporting.documents.verifying.verify import verify
from reporting.reports.snapshot.report import Report, parsed
from vonggac.auth import Role
from vonggac.events.inventory import ApprovalRuleV1, SelfApprovalV1

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

pytestmark = pytest.mark.usefixtures("feeding")

LEAD = "test-province_lead"


def rule(fed: Province, **given: Any) -> Any:
    """The province's rule: who wrote may approve."""
    at = DAY - timedelta(days=3)
    body: dict[str, Any] = {
        "id": uuid4(),
        "revision": 1,
        "changed_at": at,
        "created_at": at,
        "changed_by": "chanh.van.phong",
        "unit_id": fed.unit,
        "two_persons": False,
        "valid_from": date(2026, 11, 1),
        "why": "Phòng chỉ có một người",
    }
    return fed.stated("approval_rule", ApprovalRuleV1(**(body | given)))


def use(fed: Province, at: datetime, **given: Any) -> Any:
    """A survey that its writer approved."""
    body: dict[str, Any] = {
        "id": uuid4(),
        "revision": 1,
        "changed_at": at,
        "created_at": at,
        "changed_by": "nguyen.van.an",
        "about_noun": "survey",
        "about_id": uuid4(),
        "label": "KS-01",
        "facility_id": fed.facility,
        "approved_by": "nguyen.van.an",
        "approved_at": at,
        "rule_id": uuid4(),
        "why": "Phòng chỉ có một người",
    }
    return fed.stated("self_approval", SelfApprovalV1(**(body | given)))


async def read(client: Client, report_id: str) -> Report:
    return parsed((await client.get(f"/v1/reports/{report_id}.json")).content)


async def test_duty_who_wrote_a_report_does_not_approve_it(
    client: Client, fed: Province, second: dict[str, str], token_for: Callable[..., str]
) -> None:
    report = await frozen(client)
    other_token = {"Authorization": f"Bearer {token_for(Role.DECIDER, subject=LEAD)}"}
    for headers in ({}, other_token):
        refused = await approve(client, report["id"], headers=headers)
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (403, "wrote_it"), refused.text
        for said in (problem["detail"], problem["detail_vi"]):
            assert LEAD in said
            assert "'decider'" in said
    assert (await approve(client, report["id"], headers=second)).status_code == 200


async def test_duty_who_wrote_an_earlier_version_does_not_approve_the_further_one(
    client: Client, fed: Province, ingest: Ingest, second: dict[str, str], token_for: Callable[..., str]
) -> None:
    first = await frozen(client)
    late = fed.probes(fed.facts, DAY + timedelta(hours=21), DAY + timedelta(hours=22), every_s=300)  # type: ignore[attr-defined]
    await fed.feed(ingest, *late)
    path = f"/v1/reports/{first['id']}/versions"
    made = await client.post(path, params={"version": 1}, json={"reason": "số liệu đến muộn"}, headers=second)
    assert (made.status_code, made.json()["version"]) == (201, 2), made.text
    for headers in ({}, second):
        refused = await approve(client, first["id"], version=2, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "wrote_it")
        assert "test-decider, test-province_lead" in refused.json()["detail_vi"]
    third = {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD, subject='tran.thi.binh')}"}
    assert (await approve(client, first["id"], version=2, headers=third)).status_code == 200
    assert (await approve(client, first["id"], version=1, headers=second)).status_code == 200


async def test_duty_a_rule_of_the_province_lets_the_writer_approve_and_the_paper_says_so(
    client: Client, fed: Province, ingest: Ingest
) -> None:
    report = await frozen(client)
    yesterday = datetime.now(UTC).date() - timedelta(days=2)
    await fed.feed(ingest, rule(fed, valid_to=yesterday))
    assert (await approve(client, report["id"])).status_code == 403
    await fed.feed(ingest, rule(fed, unit_id=uuid4()))
    assert (await approve(client, report["id"])).status_code == 403
    await fed.feed(ingest, rule(fed, valid_from=yesterday + timedelta(days=1)))
    approved = await approve(client, report["id"])
    assert (approved.status_code, approved.json()["approved_by"]) == (200, LEAD)
    assert "người lập tự duyệt" in paper(await read(client, report["id"])).status


async def test_duty_each_use_of_the_exception_stands_in_every_form_of_the_report(
    client: Client, fed: Province, ingest: Ingest
) -> None:
    at = DAY + timedelta(hours=2)
    of_province = {"about_noun": "decision_request", "label": "exception", "facility_id": None}
    elsewhere = {"facility_id": uuid4(), "label": "KS-99"}
    await fed.feed(
        ingest,
        use(fed, at, approver_name="Nguyễn Văn An", approver_post="Phó Giám đốc"),
        use(fed, at + timedelta(hours=1), **of_province),
        use(fed, at, **elsewhere),
        use(fed, DAY - timedelta(days=1), label="KS-00"),
    )
    made = await frozen(client)
    report = await read(client, made["id"])
    count, first, second = report.tables["notes"]
    assert (count["note_kind"], count["facts"]) == ("self_approvals", 2)
    assert "2 lần người lập tự duyệt" in str(count["text_vi"])
    assert first["text_vi"] == (
        "Phiếu khảo sát KS-01 do Nguyễn Văn An, Phó Giám đốc (nguyen.van.an) vừa lập vừa duyệt lúc 02:00 ngày "
        "21/11/2026; lý do cho phép: Phòng chỉ có một người."
    )
    assert "the request exception was written and approved by nguyen.van.an at" in str(second["text_en"]).lower()
    printed = [one.text for one in paper(report).body if isinstance(one, Text)]
    for note in (count, first, second):
        assert any(str(note["text_vi"]) in one for one in printed)
    csv = (await client.get(f"/v1/reports/{made['id']}.csv")).text
    assert "nguyen.van.an" in csv
    for form in FORMS:
        assert verify((await client.get(f"/v1/reports/{made['id']}.{form}")).content).unaltered
