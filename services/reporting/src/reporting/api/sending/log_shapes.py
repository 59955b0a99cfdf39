"""Entries of the log as they are answered; by a facility's link what they say of that facility (decision 0162)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.api.sending.shapes import AnswerResponse, ItemResponse, SendingResponse, UrgeResponse
from reporting.domain.instants import moment
from reporting.storage.mandate import codes
from reporting.storage.sending import log as kept
from vonggac.auth import Principal

HIDDEN = "***"
BY_RULES = "rules"


@dataclass(frozen=True, slots=True)
class OwnView:
    """What a link sees of an entry: what is about its facility, and what the facility answered."""

    facility_id: UUID
    codes: frozenset[str]
    """All that the facility has, or had."""

    def items_of(self, row: Any) -> list[Any]:
        """Pick what of an entry is about the facility, as it is stored."""
        return [one for one in row.items if one.get("facility_code") in self.codes]

    def narrow(self, shape: UrgeResponse) -> UrgeResponse:
        """Narrow the entry to what is answered."""
        return shape.model_copy(
            update={
                "rule_ids": [],
                "decided_by": BY_RULES if shape.decided_by == BY_RULES else HIDDEN,
                "reason": None,
                "items": [one for one in shape.items if one.facility_code in self.codes],
                "sendings": [],
                "answers": [one for one in shape.answers if one.facility_id == self.facility_id],
            }
        )


async def own_view(session: AsyncSession, caller: Principal) -> OwnView | None:
    """Build the view of a caller by link; None of any other."""
    if caller.link is None or caller.scope is None:
        return None
    (facility_id,) = caller.scope.facilities
    return OwnView(facility_id, await codes.facility_codes(session, facility_id))


async def to_responses(session: Any, rows: Sequence[Any]) -> list[UrgeResponse]:
    ids = [row.id for row in rows]
    sendings, answers = await kept.sendings(session, ids), await kept.answers(session, ids)
    return [
        UrgeResponse(
            id=row.id,
            agency_id=row.agency_id,
            agency_code=row.agency_code,
            agency_name=row.agency_name,
            level=row.level,
            rule_ids=row.rule_ids,
            urged_at=row.urged_at,
            decided_by=row.decided_by,
            reason=row.reason,
            items=[to_item(one) for one in row.items],
            sendings=[_sending(one) for one in sendings.get(row.id, ())],
            answers=[to_answer(one) for one in answers.get(row.id, ())],
        )
        for row in rows
    ]


def to_item(one: Any) -> ItemResponse:
    known = {name: one.get(name) for name in ItemResponse.model_fields}
    return ItemResponse(**known | {"since": moment(one["since"])})


def _sending(row: Any) -> SendingResponse:
    known = {name: getattr(row, name) for name in SendingResponse.model_fields}
    return SendingResponse(**known | {"next_attempt_at": row.next_attempt_at if row.state == "pending" else None})


def to_answer(row: Any) -> AnswerResponse:
    stored = {
        name: getattr(row, name) for name in AnswerResponse.model_fields if name not in {"recorded", "recorded_vi"}
    }
    who = (None, None) if row.own_word else (f"recorded by {row.recorded_by}", f"ghi nhận bởi {row.recorded_by}")
    return AnswerResponse(**stored, recorded=who[0], recorded_vi=who[1])
