"""Days on paper through the API: the document's day, number and file; never later than now, never before its cause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from vonggac.auth import Role
from vonggac.events.inventory import ConnectionPlanV1, InstallationProposalV1, SurveyV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

SHA = "a" * 64
PAPER = {"signed_on": "2021-05-08", "document_number": "01/BB-KS", "document_file": "bb.pdf", "document_sha256": SHA}


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=2)).date().isoformat()


@pytest.fixture
async def founded(field: Any) -> Any:
    """A facility of 29/3/2020, and letter 1742 of 07/5/2021 that asks for its survey, proposal and connection."""
    await field.prepare(decision_number="805/QĐ-UBND", decision_date="2020-03-29")
    await field.province.destination(code="BTTTT")
    issuer = await field.province.agency(role="peoples_committee")
    body = {"number": "1742/UBND-VX", "issued_on": "2021-05-07", "issuer_id": issuer["id"], "subject": "Kết nối"}
    directive = await field.province.post("/v1/directives", body)
    for code, kind in (("A", "survey_and_plan"), ("B", "connection"), ("C", "proposal")):
        duty = {"code": code, "name": code, "kind": kind, "directive_id": directive["id"], "due_before": "2021-05-10"}
        await field.province.post(
            "/v1/obligations", duty | {"responsible_agency_id": field.agencies["operator"]["id"], "due_after_days": 15}
        )
    return field


async def draft(field: Any, noun: str, **given: Any) -> str:
    """A new thing of the noun; its address."""
    bodies: dict[str, dict[str, Any]] = {
        "surveys": {"code": "KS-01", "lead_name": "Nguyễn Văn Mẫu"},
        "connection-plans": field.plan_body(("QT-01-C01", "BTTTT")),
        "installation-proposals": {"code": "DX-01"},
    }
    body = bodies[noun] | {"facility_id": field.facility["id"]} | given
    made = await field.province.post(f"/v1/{noun}", body)
    return f"/v1/{noun}/{made['id']}"


@pytest.mark.parametrize("noun", ["surveys", "connection-plans", "installation-proposals"])
async def test_paper_day_number_and_file_are_kept_beside_the_day_of_entry(founded: Any, noun: str) -> None:
    path = await draft(founded, noun, **PAPER)
    shown = (await founded.client.get(path)).json()
    assert {name: shown[name] for name in PAPER} == PAPER
    assert shown["status_since"] > "2026", "the day of entry stays what it is"


@pytest.mark.parametrize("noun", ["surveys", "connection-plans", "installation-proposals"])
@pytest.mark.parametrize(
    ("day", "english", "vietnamese"),
    [
        ("2021-05-06", "before 2021-05-07, the day of the directive 1742/UBND-VX", "06/5/2021, trước ngày 07/5/2021"),
        ("2020-03-28", "before 2021-05-07, the day of the directive", "28/3/2020, trước ngày 07/5/2021"),
        (tomorrow(), "a day to come, and it is", "chưa tới, hôm nay là"),
    ],
)
async def test_paper_day_that_cannot_be_is_named_with_both_days(
    founded: Any, noun: str, day: str, english: str, vietnamese: str
) -> None:
    path = await draft(founded, noun)
    refused = await founded.try_change(path, {"signed_on": day, "document_number": "1"})
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["field"], error["value"]) == (422, "signed_on", day)
    assert day in error["message"]
    assert english in error["message"]
    assert vietnamese in error["message_vi"]


async def test_paper_day_is_not_before_the_founding_of_the_facility(founded: Any) -> None:
    late = await founded.province.facility(
        managing_agency_id=founded.agencies["managing"]["id"], decision_number="9", decision_date="2021-05-20"
    )
    path = await draft(founded, "surveys", code="KS-09", facility_id=late["id"])
    refused = await founded.try_change(path, {"signed_on": "2021-05-19", "document_number": "1"})
    (error,) = refused.json()["errors"]
    assert f"before 2021-05-20, the day on which the facility {late['code']} was founded" in error["message"]
    assert "19/5/2021, trước ngày 20/5/2021, ngày thành lập" in error["message_vi"]


async def test_paper_day_of_minutes_is_not_before_the_survey(founded: Any) -> None:
    path = await draft(founded, "surveys", surveyed_on="2021-05-09")
    refused = await founded.try_change(path, {"signed_on": "2021-05-08", "document_number": "1"})
    assert "2021-05-09, the day of the survey" in refused.json()["errors"][0]["message"]


async def test_paper_day_and_number_and_both_halves_of_a_file_go_together(founded: Any) -> None:
    path = await draft(founded, "surveys")
    for body, words in (
        ({"signed_on": "2021-05-08"}, "document_number go together"),
        ({"document_number": "1"}, "document_number go together"),
        ({"signed_on": "2021-05-08", "document_number": "1", "document_file": "a.pdf"}, "its name and its SHA-256"),
        ({"document_file": "a.pdf", "document_sha256": SHA}, "needs signed_on and its number"),
    ):
        refused = await founded.try_change(path, body)
        assert refused.status_code == 422, body
        assert words in refused.text
        assert "không hợp lệ: " not in refused.json()["errors"][0]["message_vi"], "nobody translated it"


async def test_paper_day_of_an_approved_survey_is_changed_by_who_decides_alone(
    founded: Any, as_role: Callable[[Any], httpx.AsyncClient], last_message: Any
) -> None:
    made = await founded.survey_approved()
    path = f"/v1/surveys/{made['id']}"
    async with as_role(Role.OPERATOR) as operator:
        headers = {"If-Match": await founded.province.etag(path)}
        refused = await operator.patch(path, json=PAPER, headers=headers)
        assert refused.status_code == 403, refused.text
    await founded.change(path, PAPER)

    async def published() -> bool:
        message = await last_message("survey", made["id"])
        assert isinstance(message, SurveyV1)
        assert message.approved_at is None or message.approved_at.year > 2021
        return (str(message.signed_on), message.document_number) == ("2021-05-08", "01/BB-KS")

    await eventually(published)
    closed = await founded.try_change(path, {"note": "khác"})
    assert closed.status_code == 409, "all else stays as it was approved"


async def test_paper_day_of_a_plan_is_that_of_its_document_or_of_documented_words(
    founded: Any, last_message: Any
) -> None:
    await founded.survey_approved()
    path = await draft(founded, "connection-plans")
    plan_id = path.rpartition("/")[2]
    await founded.move(path, "proposed")
    await founded.consents(path)
    await founded.move(path, "agreed")
    unsigned = await last_message("connection_plan", plan_id)
    assert isinstance(unsigned, ConnectionPlanV1)
    assert str(unsigned.agreed_on) == "2021-05-08", "the day of the last documented word"
    await founded.change(path, {"signed_on": "2021-05-09", "document_number": "12/PA"})
    await founded.change(path, {"connected_on": "2021-05-09", "acceptance_number": "13/BBNT"})

    async def published() -> bool:
        message = await last_message("connection_plan", plan_id)
        assert isinstance(message, ConnectionPlanV1)
        return (str(message.agreed_on), str(message.connected_on)) == ("2021-05-09", "2021-05-09")

    await eventually(published)
    assert (await founded.try_change(path, {"note": "khác"})).status_code == 409


async def test_paper_day_of_a_word_is_not_before_the_directive(founded: Any) -> None:
    await founded.survey_approved()
    path = await draft(founded, "connection-plans")
    await founded.move(path, "proposed")
    body = {"agency_id": founded.agencies["managing"]["id"], "kind": "consulted", "given_by": "Bà An"}
    headers = {"If-Match": await founded.province.etag(path)}
    word = body | {"given_on": "2021-05-06", "document": "5/CV", "document_file": "5-CV.pdf"}
    refused = await founded.client.post(f"{path}/consents", json=word, headers=headers)
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["field"] == "given_on"
    assert "2021-05-06, before 2021-05-07" in refused.json()["errors"][0]["message"]


async def test_paper_day_of_a_proposal_reaches_its_message(founded: Any, last_message: Any) -> None:
    path = await draft(founded, "installation-proposals", **PAPER)

    async def published() -> bool:
        message = await last_message("installation_proposal", path.rpartition("/")[2])
        return isinstance(message, InstallationProposalV1) and str(message.signed_on) == "2021-05-08"

    await eventually(published)


async def test_paper_day_of_answers_and_visits(founded: Any) -> None:
    asked = await founded.province.post(
        "/v1/information-requests",
        {
            "code": "TT-1",
            "name": "Hạ tầng",
            "facility_id": founded.facility["id"],
            "questions": [{"key": "line", "text": "Đường truyền?"}],
        },
    )
    path = f"/v1/information-requests/{asked['id']}"
    await founded.move(path, "sent")

    async def answer(**given: Any) -> httpx.Response:
        headers = {"If-Match": await founded.province.etag(path)}
        body = {"answers": {"line": "FTTH"}, "document_number": "7/CV", "document_file": "7-CV.pdf", **given}
        body |= {"document_sha256": "0" * 64}
        answered: httpx.Response = await founded.client.post(f"{path}/answers", json=body, headers=headers)
        return answered

    assert "before 2020-03-29" in (await answer(signed_on="2020-03-28")).text
    (given,) = (await answer(signed_on="2021-05-08")).json()["answers"]
    assert (given["signed_on"], given["document_number"], given["answered_at"][:4] > "2021") == (
        "2021-05-08",
        "7/CV",
        True,
    )
    team = await founded.province.post(
        "/v1/teams", {"code": "T1", "name": "Tổ 1", "agency_id": founded.agencies["operator"]["id"]}
    )
    visit = {"facility_id": founded.facility["id"], "team_id": team["id"], "purpose": "survey"}
    visit |= {"planned_from": "2021-05-08T08:00:00+07:00", "planned_to": "2021-05-08T11:00:00+07:00"}
    refused = await founded.client.post("/v1/visits", json=visit | {"signed_on": "2021-05-06", "document_number": "1"})
    assert "2021-05-06, before 2021-05-07" in refused.text
    made = await founded.province.post("/v1/visits", visit | PAPER)
    assert made["document_file"] == "bb.pdf"


async def test_paper_day_of_a_completion_is_a_bare_date_as_well(founded: Any) -> None:
    (duty,) = (await founded.client.get("/v1/obligations", params={"code": "A"})).json()["items"]
    assert duty["due_after_days"] == 15
    path = f"/v1/obligations/{duty['id']}"
    headers = {"If-Match": duty["etag"]}
    early = {"to": "done", "completed_at": "2021-05-06"}
    refused = await founded.client.post(f"{path}/transitions", json=early, headers=headers)
    assert "2021-05-06, before 2021-05-07, the day of the directive" in refused.text
    body = {"to": "done", "completed_at": "2021-05-08"}
    done = await founded.client.post(f"{path}/transitions", json=body, headers=headers)
    assert done.status_code == 200, done.text
    assert datetime.fromisoformat(done.json()["completed_at"]) == datetime(2021, 5, 7, 17, tzinfo=UTC)
