"""Units as the register has them: which one lies in which, and follows which."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from vonggac.auth.succession import UnitLinks, has_ended


def links(state: Mapping[str, Any], on: date | None = None) -> UnitLinks:
    """Of a unit's record, as of today or of a day."""
    parent, last_day = state.get("parent_id"), state.get("valid_to")
    follows = tuple(UUID(each["unit_id"]) for each in state.get("succeeds") or ())
    ended = has_ended(None if last_day is None else date.fromisoformat(last_day), on)
    return UnitLinks(None if parent is None else UUID(parent), follows, ended)
