"""The day on paper over HTTP: lateness counts it, entry after the fact is shown and counted, as_of knows no more."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from services.reporting.tests.stage.letter import Letter, may

from vonggac.events.inventory import PlanStatus, ProposalStatus, SurveyStatus

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

SIGNED, TYPED = date(2021, 5, 8), may(20, 9)
LATER = "2021-05-31T08:00:00+07:00"


async def read(client: Client, **asked: Any) -> dict[str, Any]:
    answer = await client.get("/v1/obligations", params={"as_of": LATER, **asked})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def feed(ingest: Ingest, province: Province, letter: Letter, things: dict[str, Any]) -> None:
    stated = [letter.stated(noun.partition(".")[0], thing) for noun, thing in things.items()]
    await province.feed(ingest, *letter.base(), *stated)


@pytest.mark.parametrize(
    ("signed", "state", "late"), [(date(2021, 5, 9), "done", True), (date(2021, 5, 10), "done_late", False)]
)
async def test_paper_day_of_survey_and_plan_counts_and_not_the_day_of_typing(
    client: Client, ingest: Ingest, province: Province, signed: date, state: str, late: bool
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    survey = letter.survey(facility, TYPED, signed_on=SIGNED, document_number="01/BB-KS")
    plan = letter.plan(facility, TYPED, cameras=["A-C01"], agreed_on=signed, document_number="02/PA")
    duty = letter.obligation("NV-1742-A", "survey_and_plan", with_cameras=True)
    things = {"facility": facility, "camera": letter.camera(facility, "A-C01"), "survey": survey}
    await feed(ingest, province, letter, things | {"connection_plan": plan, "obligation": duty})
    page = await read(client)
    (item,) = page["items"]
    assert (item["state"], item["done_at"][:10]) == (state, signed.isoformat())
    assert datetime.fromisoformat(item["recorded_at"]) == TYPED
    assert (item["recorded_late"], page["recorded_late"]) == (late, int(late))
    assert [(one["at"][:10], one["document"], one["kept"]) for one in item["evidence"]] == [
        ("2021-05-08", "01/BB-KS", None),
        (signed.isoformat(), "02/PA", None),
    ]
    (before,) = (await read(client, as_of="2021-05-15"))["items"]
    assert (before["state"], before["recorded_late"]) == ("overdue", False), "nobody knew it yet"


async def test_paper_day_of_a_proposal_is_its_own_or_its_decisions(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    own, decided, typed = (letter.facility(code) for code in "ABC")
    duties = letter.obligation("NV-1742-C", "proposal")
    things: dict[str, Any] = {"obligation": duties, "facility.a": own, "facility.b": decided, "facility.c": typed}
    things["installation_proposal.a"] = letter.proposal(
        own, TYPED, "submitted", signed_on=SIGNED, document_number="03/TTr"
    )
    things["installation_proposal.b"] = letter.proposal(
        decided, TYPED, "approved", decision_date=date(2021, 5, 9), decision_number="805/QĐ-UBND"
    )
    things["installation_proposal.c"] = letter.proposal(typed, TYPED, "submitted")
    await feed(ingest, province, letter, things)
    page = await read(client)
    shown = {
        one["facility"]["code"]: (one["state"], one["done_at"][:10], one["recorded_late"]) for one in page["items"]
    }
    assert shown == {
        "A": ("done", "2021-05-08", True),
        "B": ("done", "2021-05-09", True),
        "C": ("done_late", "2021-05-20", False),
    }
    assert page["recorded_late"] == 2


async def test_paper_day_dates_a_connection_that_is_observed_and_replaces_none(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    seen, unseen = letter.facility("A"), letter.facility("B")
    camera = letter.camera(seen, "A-C01")
    accepted: dict[str, Any] = {"connected_on": date(2021, 5, 9), "acceptance_number": "07/BBNT"}
    things: dict[str, Any] = {"facility.a": seen, "facility.b": unseen, "camera.a": camera}
    things["camera.b"] = letter.camera(unseen, "B-C01")
    things["connection_plan.a"] = letter.plan(seen, may(9), cameras=["A-C01"], **accepted)
    things["connection_plan.b"] = letter.plan(unseen, may(9), cameras=["B-C01"], **accepted)
    things["obligation"] = letter.obligation("NV-1742-B", "connection")
    stated = [letter.stated(noun.partition(".")[0], thing) for noun, thing in things.items()]
    await province.feed(ingest, *letter.base(), *stated, *letter.connected(camera, may(20), may(20, 6)))
    found = {one["facility"]["code"]: one for one in (await read(client))["items"]}
    assert (found["A"]["state"], found["A"]["done_at"][:10], found["A"]["recorded_late"]) == (
        "done",
        "2021-05-09",
        True,
    )
    assert datetime.fromisoformat(found["A"]["recorded_at"]) == may(20)
    assert found["A"]["evidence"][0]["document"] == "07/BBNT"
    assert (found["B"]["state"], found["B"]["recorded_at"]) == ("overdue", None)


async def test_paper_day_stands_in_the_table_of_obligations(client: Client, ingest: Ingest, province: Province) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    proposal = letter.proposal(facility, TYPED, "submitted", signed_on=SIGNED, document_number="03/TTr")
    things = {"facility": facility, "installation_proposal": proposal}
    await feed(ingest, province, letter, things | {"obligation": letter.obligation("NV-1742-C", "proposal")})
    answer = await client.get("/v1/obligations", params={"as_of": LATER, "format": "csv"})
    assert answer.status_code == 200, answer.text
    (row,) = csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
    assert row["recorded_late"] == "true"
    assert row["done_at"].startswith("2021-05-08")
    assert row["recorded_at"].startswith("2021-05-20")
    assert "03/TTr" in row["evidence"]


async def test_paper_day_of_a_step_that_was_returned_restored_or_corrected_is_kept(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    returned, restored, corrected = (letter.facility(code) for code in "ABC")
    things: dict[str, Any] = {"facility.a": returned, "facility.b": restored, "facility.c": corrected}
    things["obligation.p"] = letter.obligation("NV-1742-C", "proposal", facility_ids=(returned.id, restored.id))
    things["obligation.s"] = letter.obligation("NV-1742-A", "survey_and_plan", facility_ids=(corrected.id,))
    submitted = letter.proposal(returned, may(9), "submitted")
    again = letter.proposal(restored, may(9), "submitted")
    back = letter.later(again, may(12), status=ProposalStatus.RETURNED, status_since=may(12))
    things |= {"installation_proposal.1": submitted, "installation_proposal.3": again, "installation_proposal.4": back}
    things["installation_proposal.2"] = letter.later(
        submitted, may(12), status=ProposalStatus.RETURNED, status_since=may(12)
    )
    things["installation_proposal.5"] = letter.later(
        back, may(14), status=ProposalStatus.SUBMITTED, status_since=may(14)
    )
    survey = letter.survey(corrected, may(8, 9), signed_on=date(2021, 5, 7), document_number="01/BB-KS")
    things |= {"survey.1": survey, "survey.2": letter.later(survey, may(15), signed_on=SIGNED)}
    things["connection_plan"] = letter.plan(corrected, may(9), cameras=["C-C01"])
    await feed(ingest, province, letter, things)
    found = {one["facility"]["code"]: one for one in (await read(client))["items"]}
    assert {code: (one["state"], one["evidence"][0]["kept"]) for code, one in found.items()} == {
        "A": ("done", "returned"),
        "B": ("done", "restored"),
        "C": ("done", "corrected"),
    }
    assert found["C"]["evidence"][0]["at"][:10] == "2021-05-08"
    assert found["C"]["evidence"][0]["recorded_at"][:10] == "2021-05-08"


async def test_paper_day_of_what_was_taken_back_and_removed_does_not_count(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    survey = letter.survey(facility, may(8), "submitted")
    assert survey.status is SurveyStatus.SUBMITTED
    plan = letter.plan(facility, may(8), "proposed", cameras=["A-C01"], agreed_on=SIGNED)
    assert plan.status is PlanStatus.PROPOSED
    things = {"facility": facility, "survey": survey, "connection_plan": plan}
    await feed(ingest, province, letter, things | {"obligation": letter.obligation("NV-1742-A", "survey_and_plan")})
    (item,) = (await read(client))["items"]
    assert (item["state"], [one["at"] for one in item["evidence"]]) == ("overdue", [None, None])
