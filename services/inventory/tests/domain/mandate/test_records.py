"""Requests for information, inspections, blocked reasons and journal entries."""

from datetime import UTC, date, datetime
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from inventory.domain.fields import Fields
from inventory.domain.mandate.information_request import (
    ALL_ANSWERED,
    MACHINE,
    Answer,
    GivenAnswers,
    InformationRequestFields,
    Question,
    merge_answers,
    missing,
)
from inventory.domain.mandate.inspection import Due, InspectionFields, next_inspection
from inventory.domain.mandate.notes import VIETNAMESE, BlockedReasonFields, JournalEntryFields
from vonggac.events.inventory import BlockedKind
from vonggac.events.inventory import InformationRequestStatus as Status

NOW, LATER = datetime(2021, 5, 8, tzinfo=UTC), datetime(2021, 5, 9, tzinfo=UTC)
LINE, NVR, NOTE = (
    Question(key="line", text="Đường truyền"),
    Question(key="nvr", text="Đầu ghi"),
    Question(key="note", text="Ghi chú", required=False),
)
QUESTIONS = (LINE, NVR, NOTE)


def test_a_required_question_without_an_answer_is_missing() -> None:
    first = merge_answers(QUESTIONS, (), GivenAnswers(answers={"line": "FTTH 100 Mbps"}), now=NOW, by="khu-cach-ly")
    assert missing(QUESTIONS, first) == ("nvr",)
    whole = merge_answers(QUESTIONS, first, GivenAnswers(answers={"nvr": "8 kênh"}), now=LATER, by="dau-moi")
    assert missing(QUESTIONS, whole) == ()
    assert [(one.key, one.answered_by) for one in whole] == [("line", "khu-cach-ly"), ("nvr", "dau-moi")]


def test_a_later_answer_replaces_an_earlier_one_and_the_same_changes_nothing() -> None:
    first = merge_answers(QUESTIONS, (), GivenAnswers(answers={"line": "FTTH"}), now=NOW, by="a")
    assert merge_answers(QUESTIONS, first, GivenAnswers(answers={"line": "FTTH"}), now=LATER, by="b") == first
    assert merge_answers(QUESTIONS, first, GivenAnswers(answers={"line": "4G"}), now=LATER, by="b") == (
        Answer(key="line", text="4G", answered_at=LATER, answered_by="b"),
    )


def test_an_answer_to_no_question_is_refused_with_the_keys_that_exist() -> None:
    with pytest.raises(ValueError, match="no question has the key ups; the keys are line, nvr, note"):
        merge_answers(QUESTIONS, (), GivenAnswers(answers={"ups": "30 phút"}), now=NOW, by="a")


def test_a_request_is_answered_and_accepted_only_when_nothing_is_missing() -> None:
    for current, target in ((Status.SENT, Status.ANSWERED), (Status.ANSWERED, Status.ACCEPTED)):
        assert MACHINE.check(current, target, ("reason",)) is not None
        assert MACHINE.check(current, target, (ALL_ANSWERED,)) is None


def test_exactly_these_transitions_of_a_request_are_made() -> None:
    every = (ALL_ANSWERED, "reason")
    assert {pair for pair in product(Status, Status) if MACHINE.check(*pair, every) is None} == {
        (Status.DRAFT, Status.SENT),
        (Status.DRAFT, Status.WITHDRAWN),
        (Status.SENT, Status.ANSWERED),
        (Status.SENT, Status.WITHDRAWN),
        (Status.ANSWERED, Status.ACCEPTED),
        (Status.ANSWERED, Status.SENT),
    }


@pytest.mark.parametrize(
    ("last", "on", "due"),
    [
        (None, date(2021, 5, 22), Due(date(2021, 5, 22), 0)),
        (None, date(2021, 5, 23), Due(date(2021, 5, 22), 1)),
        (date(2021, 5, 20), date(2021, 6, 4), Due(date(2021, 6, 4), 0)),
        (date(2021, 5, 20), date(2021, 6, 14), Due(date(2021, 6, 4), 10)),
        (date(2021, 5, 1), date(2021, 5, 22), Due(date(2021, 5, 22), 0)),
    ],
)
def test_a_facility_is_inspected_again_within_fifteen_days(last: date | None, on: date, due: Due) -> None:
    assert next_inspection(last, date(2021, 5, 7), on) == due


def test_every_blocked_reason_has_its_vietnamese_words() -> None:
    assert set(VIETNAMESE) == set(BlockedKind)


FACILITY = str(uuid4())
REQUEST = {"code": "CCTT-1", "name": "Hiện trạng", "facility_id": FACILITY, "questions": [{"key": "line", "text": "?"}]}
INSPECTION = {"facility_id": FACILITY, "inspected_on": "2021-05-20", "agency_id": FACILITY}
BLOCKED = {"facility_id": FACILITY, "kind": "security_lock", "valid_from": "2021-05-09"}
ENTRY = {"about_noun": "facility", "about_id": FACILITY, "text": "Đã gọi"}


@pytest.mark.parametrize(
    ("model", "body", "says"),
    [
        (InformationRequestFields, REQUEST | {"questions": []}, "questions"),
        (InformationRequestFields, REQUEST | {"questions": REQUEST["questions"] * 2}, "same key"),  # type: ignore[operator]
        (InspectionFields, INSPECTION | {"inspected_on": "20/5/2021"}, "inspected_on"),
        (InspectionFields, INSPECTION | {"findings": [{"text": ""}]}, "findings"),
        (BlockedReasonFields, BLOCKED | {"kind": "bad_luck"}, "kind"),
        (BlockedReasonFields, BLOCKED | {"kind": "other"}, "needs a text"),
        (BlockedReasonFields, BLOCKED | {"valid_to": "2021-05-08"}, "valid_from"),
        (JournalEntryFields, ENTRY | {"text": " \n "}, "text"),
        (JournalEntryFields, ENTRY | {"about_noun": "Facility!"}, "noun"),
    ],
)
def test_a_record_that_cannot_be_is_refused(model: type[Fields], body: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        model.model_validate(body)


def test_a_note_keeps_its_lines() -> None:
    entry = JournalEntryFields.model_validate(ENTRY | {"text": " Gọi lần 1:  không nghe\r\nGọi lần 2: hẹn 08/5 \n\n"})
    assert entry.text == "Gọi lần 1: không nghe\nGọi lần 2: hẹn 08/5"
