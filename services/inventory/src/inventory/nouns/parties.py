"""What parties ask and say: requests as they are stored, and who gives the word of a facility.

Its own token does, or that of its managing agency; else a document stands for it.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from inventory.domain.mandate.decision_request import RequestFields, RequestStatus
from inventory.domain.people.own_word import Word, find_said, has_document
from inventory.nouns.writer import Write
from inventory.storage.tables import DecisionRequest, Facility
from vonggac.auth import Principal, Role
from vonggac.auth.rights import NEED_SCOPE
from vonggac.http import ProblemError

_OTHERS = frozenset({Role.PROVINCE_LEAD, Role.DECIDER, Role.OPERATOR})
"""Who speaks for itself: with one of these roles a token is no facility's."""


def new_request(
    writing: Write, asked: RequestFields, *, facility_id: UUID | None, window_id: UUID | None = None
) -> DecisionRequest:
    """Build a waiting request of the caller. `facility_id`: of the thing that it is about."""
    caller = writing.caller
    return DecisionRequest(
        act=asked.act,
        facility_id=facility_id,
        window_id=window_id,
        asked=asked,
        reason=asked.reason,
        asked_by=caller.subject,
        asked_roles=sorted(role.value for role in caller.roles),
        asked_agency_id=caller.agency,
        status=RequestStatus.WAITING,
    )


async def find_recorders(
    writing: Write, words: tuple[Word, ...], facility_id: UUID, before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, str | None]:
    """Find the `recorded_by` of each word that the write says anew, or takes back.

    Raises ProblemError 403 for the word of a facility by somebody else without its document.
    """
    recorders: dict[str, str | None] = {}
    for word in words:
        if after.get(word.fields[0]) is None:
            recorders[word.recorded_by] = None
        elif find_said(word, before, after):
            recorders[word.recorded_by] = await find_recorder(
                writing, facility_id, word, is_documented=has_document(word, after)
            )
    return recorders


async def find_recorder(writing: Write, facility_id: UUID, word: Word, *, is_documented: bool) -> str | None:
    """Who records a word; None: it is the facility's own. Raises ProblemError 403 for another's without document."""
    facility = await writing.transaction.session.get(Facility, facility_id)
    if facility is None or is_own_word(writing.caller, facility):
        return None
    if not is_documented:
        raise _refuse_word(word, facility)
    return writing.caller.subject


def is_own_word(caller: Principal, facility: Facility) -> bool:
    """Whether the token speaks for the facility: it is the facility's, or of the agency that manages it."""
    if not caller.roles & NEED_SCOPE or caller.roles & _OTHERS:
        return False
    if caller.scope is not None and facility.id in caller.scope.facilities:
        return True
    own = {caller.agency} | (caller.scope.agencies if caller.scope is not None else set())
    return Role.MANAGING_AGENCY in caller.roles and facility.managing_agency_id in own


def _refuse_word(word: Word, facility: Facility) -> ProblemError:
    if not word.document:
        msg = (
            f"{word.english} is confirmed by the facility {facility.code} itself, or by the agency that manages it, "
            "with a token of its own; what a team finds it notes itself"
        )
        vietnamese = (
            f"{word.vietnamese} do chính cơ sở {facility.code} hoặc cơ quan quản lý cơ sở thực hiện bằng tài khoản của "
            "mình; kết quả khảo sát do đoàn khảo sát ghi"
        )
        return ProblemError(HTTPStatus.FORBIDDEN, "not_your_word", msg, detail_vi=vietnamese)
    number, day, file = word.document
    msg = (
        f"{word.english} is confirmed by the facility {facility.code} itself, or by the agency that manages it, with a "
        f"token of its own; whoever records it for them gives its document: {number} (the number), {day} and {file}"
    )
    vietnamese = (
        f"{word.vietnamese} do chính cơ sở {facility.code} hoặc cơ quan quản lý cơ sở xác nhận bằng tài khoản của "
        f"mình; ghi nhận thay thì phải kèm văn bản: số ({number}), ngày ({day}) và tệp ({file})"
    )
    return ProblemError(HTTPStatus.FORBIDDEN, "not_your_word", msg, detail_vi=vietnamese)
