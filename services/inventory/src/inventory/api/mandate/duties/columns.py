"""The columns of an obligation that is settled, or gets its next deadline."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.domain.mandate.deadline import Deadline
from inventory.nouns.writer import Write
from inventory.storage.tables import Obligation
from vonggac.events.inventory import ObligationStatus

_SETTLES = frozenset({ObligationStatus.DONE, ObligationStatus.DONE_LATE, ObligationStatus.WAIVED})


def settled_columns(
    writing: Write, to: ObligationStatus, completed_at: datetime | None, reason: str | None
) -> Mapping[str, Any]:
    """Of the state `to`; one that is opened again has nobody who settled it."""
    settled = to in _SETTLES
    return {
        "status": to,
        "completed_at": completed_at if settled else None,
        "settled_by": writing.transaction.actor.subject if settled else None,
        "settled_reason": reason if settled else None,
    }


def next_deadline(
    writing: Write, obligation: Obligation, due_before: datetime | None, reason: str, directive_id: UUID | None
) -> Mapping[str, Any]:
    """Add the next deadline behind those that there were."""
    transaction = writing.transaction
    entry = Deadline(
        due_before=due_before,
        set_at=transaction.now,
        set_by=transaction.actor.subject,
        reason=reason,
        directive_id=directive_id,
    )
    return {"due_before": due_before, "deadlines": (*obligation.deadlines, entry)}
