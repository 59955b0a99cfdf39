"""Requests for information: a checklist sent to a facility's focal point, answered question by question (R18)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from inventory.domain.fields import PERIOD_HEADINGS, Code, Dated, Fields, Line, Name, Note
from inventory.domain.mandate.deadline import DueBefore
from inventory.domain.paper import Paper
from inventory.domain.states import REASON, StateMachine
from vonggac.events.inventory import InformationRequestStatus as Status

HEADINGS: Mapping[str, str] = {
    "code": "Mã yêu cầu",
    "name": "Tên yêu cầu",
    "facility_id": "Mã cơ sở",
    "due_before": "Trả lời trước thời điểm",
    "questions": "Danh mục thông tin",
    **PERIOD_HEADINGS,
}
MAX_QUESTIONS = 50
ALL_ANSWERED = "all_answered"

MACHINE = StateMachine(
    noun="information_request",
    states=Status,
    initial=Status.DRAFT,
    transitions={
        Status.DRAFT: {Status.SENT: (), Status.WITHDRAWN: (REASON,)},
        Status.SENT: {Status.ANSWERED: (ALL_ANSWERED,), Status.WITHDRAWN: (REASON,)},
        Status.ANSWERED: {Status.ACCEPTED: (ALL_ANSWERED,), Status.SENT: (REASON,)},
        Status.ACCEPTED: {},
        Status.WITHDRAWN: {},
    },
    vietnamese={
        Status.DRAFT: "đang soạn",
        Status.SENT: "đã gửi",
        Status.ANSWERED: "đã trả lời",
        Status.ACCEPTED: "đã nhận đủ",
        Status.WITHDRAWN: "đã thu hồi",
    },
    guards={ALL_ANSWERED: "every required question has an answer"},
    vietnamese_guards={
        ALL_ANSWERED: "mọi câu hỏi bắt buộc đã có câu trả lời",
    },
)


class Question(Fields):
    """One line of the checklist."""

    key: Code = Field(description="Names the question within the request.")
    text: Line
    required: bool = True


class Answer(Fields):
    """An answer, when and by whom; a later one replaces an earlier one, the change log has both."""

    key: Code
    text: Note
    answered_at: AwareDatetime = Field(description="When it was entered.")
    answered_by: str
    recorded_by: str | None = Field(
        default=None, description="Who entered it for the facility, by its document; None: the facility's own word."
    )
    signed_on: date | None = Field(default=None, description="Day on the document that answers; None: there is none.")
    document_number: str | None = None
    document_file: str | None = None
    document_sha256: str | None = None


class InformationRequestFields(Dated):
    """A request. Once it was sent, its questions stay as they are."""

    code: Code
    name: Name
    facility_id: UUID
    due_before: DueBefore | None = None
    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=MAX_QUESTIONS)]

    @model_validator(mode="after")
    def _keys_differ(self) -> "InformationRequestFields":
        keys = [question.key for question in self.questions]
        if len(set(keys)) < len(keys):
            msg = "two questions have the same key"
            raise ValueError(msg)
        return self


class GivenAnswers(Paper):
    """Answers by the keys of their questions, and the document that holds them, where there is one."""

    answers: Annotated[dict[Code, Note], Field(min_length=1, max_length=MAX_QUESTIONS)]


def missing(questions: Sequence[Question], answers: Sequence[Answer]) -> tuple[str, ...]:
    """Keys of the required questions without an answer."""
    answered = {answer.key for answer in answers}
    return tuple(one.key for one in questions if one.required and one.key not in answered)


def merge_answers(
    questions: Sequence[Question],
    answers: Sequence[Answer],
    body: GivenAnswers,
    *,
    now: datetime,
    by: str,
    recorded_by: str | None = None,
) -> tuple[Answer, ...]:
    """`answers` with those of `body` over them, in the order of the questions.

    `recorded_by`: who enters them for the facility; None: they are its own word.

    Raises ValueError for a key of no question.
    """
    keys, given = [question.key for question in questions], body.answers
    if unknown := sorted(set(given) - set(keys)):
        msg = f"no question has the key {', '.join(unknown)}; the keys are {', '.join(keys)}"
        raise ValueError(msg)
    present = {answer.key: answer for answer in answers}
    for key, text in given.items():
        paper = body.model_dump(exclude={"answers"})
        answer = Answer(key=key, text=text, answered_at=now, answered_by=by, recorded_by=recorded_by, **paper)
        if key not in present or _content(present[key]) != _content(answer):
            present[key] = answer
    return tuple(present[key] for key in keys if key in present)


def _content(answer: Answer) -> dict[str, object]:
    """Return what the answer says, without who entered it and when."""
    return answer.model_dump(exclude={"answered_at", "answered_by"})
