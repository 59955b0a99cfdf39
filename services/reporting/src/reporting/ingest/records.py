"""The register of the mandate as reporting keeps it: a row per revision, whatever the order of arrival.

Of people it keeps that a facility has a focal point and on which days, and no name, phone or e-mail address.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.mandate.tables import register_record
from vonggac.events import Payload
from vonggac.events.inventory import (
    AgencyV1,
    ApprovalRuleV1,
    BlockedReasonV1,
    CameraV1,
    ConnectionPlanV1,
    CoverageV1,
    DirectiveV1,
    FocalPointV1,
    InspectionV1,
    InstallationProposalV1,
    ObligationV1,
    PlanExceptionV1,
    RemovedV1,
    SelfApprovalV1,
    State,
    SurveyV1,
    UnitV1,
)

NOUNS: Mapping[type[Payload], str] = MappingProxyType(
    {
        AgencyV1: "agency",
        ApprovalRuleV1: "approval_rule",
        BlockedReasonV1: "blocked_reason",
        CameraV1: "camera",
        ConnectionPlanV1: "connection_plan",
        CoverageV1: "coverage",
        DirectiveV1: "directive",
        FocalPointV1: "focal_point",
        InspectionV1: "inspection",
        InstallationProposalV1: "installation_proposal",
        ObligationV1: "obligation",
        PlanExceptionV1: "plan_exception",
        SelfApprovalV1: "self_approval",
        SurveyV1: "survey",
        UnitV1: "unit",
    }
)
SELF_DATED = ("agency", "connection_plan", "directive", "focal_point", "inspection", "obligation", "survey", "unit")
"""A state of these says itself since when it is so. The first revision that came here, if it is not the first one,
holds from the thing's creation; of the others it holds from its own change: what never came here is not made up."""

_PEOPLE = frozenset({"full_name", "position", "phone", "email"})
_OF_CAMERA = frozenset(
    {"code", "facility_id", "enabled", "area", "transport", "expected", "vendor", "model", "security"}
)
_OF_STATE = frozenset({"id", "revision", "changed_at", "created_at", "changed_by", "reason"})

# One writer at a time: rows are chained with what others may just be adding.
_LOCK = text("select pg_advisory_xact_lock(17420513)")
_CHAIN = text(
    """
    with chained as (
        select noun, id, revision,
               case when lag(revision) over chain is null and (revision = 1 or noun = any(:self_dated))
                    then least(changed_at, created_at) else changed_at end as valid_from,
               lead(changed_at) over chain as valid_to
        from register_record where id = any(:ids)
        window chain as (partition by noun, id order by revision)
    )
    update register_record as version set valid_from = chained.valid_from, valid_to = chained.valid_to
    from chained
    where version.noun = chained.noun and version.id = chained.id and version.revision = chained.revision
      and (version.valid_from, version.valid_to) is distinct from (chained.valid_from, chained.valid_to)
    """
)


type Key = tuple[str, UUID, int]
"""Noun, id and revision of a row."""


async def keep(session: AsyncSession, states: Iterable[Payload]) -> list[Key]:
    """Keep these states and removals, each at its revision; twice or in any order makes no difference. Returns those
    that were not known."""
    rows: dict[Key, dict[str, Any]] = {}
    for state in states:
        row = _row(state)
        if row is not None:
            rows[row["noun"], row["id"], row["revision"]] = row
    if not rows:
        return []
    await session.execute(_LOCK)
    ordered = [rows[key] for key in sorted(rows, key=lambda key: (key[0], str(key[1]), key[2]))]
    table = register_record.c
    added = insert(register_record).values(ordered).on_conflict_do_nothing()
    returned = await session.execute(added.returning(table.noun, table.id, table.revision))
    new = [(row.noun, row.id, row.revision) for row in returned]
    ids = sorted({row["id"] for row in ordered})
    await session.execute(_CHAIN, {"ids": ids, "self_dated": list(SELF_DATED)})
    return new


def _row(state: Payload) -> dict[str, Any] | None:
    """None for what reporting has no use for."""
    if isinstance(state, RemovedV1):
        return _removed(state) if state.noun in NOUNS.values() else None
    if not isinstance(state, State) or (noun := NOUNS.get(type(state))) is None:
        return None
    return {
        "noun": noun,
        "id": state.id,
        "revision": state.revision,
        "facility_id": getattr(state, "facility_id", None),
        "state": _content(state),
        "removed": False,
        "created_at": state.created_at,
        "changed_at": state.changed_at,
        "changed_by": state.changed_by,
        "reason": state.reason,
        "valid_from": state.changed_at,
    }


def _removed(state: RemovedV1) -> dict[str, Any]:
    return {
        "noun": state.noun,
        "id": state.id,
        "revision": state.revision,
        "facility_id": None,
        "state": None,
        "removed": True,
        "created_at": None,
        "changed_at": state.removed_at,
        "changed_by": state.removed_by,
        "reason": state.reason,
        "valid_from": state.removed_at,
    }


def _content(state: State) -> dict[str, Any]:
    if isinstance(state, CameraV1):
        content = state.model_dump(mode="json", include=set(_OF_CAMERA))
        return {**content, "scheme": urlsplit(state.url).scheme}
    return state.model_dump(mode="json", exclude={*_OF_STATE, *_PEOPLE})
