"""Which acts of the table of duties a write is (`vonggac.auth.policy.duties`): whoever owes a duty does none of them.

A write is judged by what it changes, and not by its route: files, bulk changes and undone imports are no way around.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from inventory.domain.mandate.planning.plan import ACCEPTANCE
from inventory.domain.paper import PAPER
from vonggac.events.inventory import Act, FacilityStatus, PlanStatus, ProposalStatus, SurveyStatus

_ALWAYS: Mapping[str, Act] = {
    "directive": Act.DIRECTIVE,
    "plan_exception": Act.EXCEPTION,
    "operator_assignment": Act.ASSIGNMENT,
    "approval_rule": Act.APPROVAL_RULE,
    "coverage": Act.ASSESSMENT,
    "inspection": Act.ASSESSMENT,
}
"""Nouns of which every write is a decision."""
_SETTLED = frozenset({"status", "completed_at", "settled_by", "settled_reason"})
_DEADLINES = frozenset({"deadlines", "due_before"})
_OUT_OF_DUTY = frozenset({FacilityStatus.SUSPENDED, FacilityStatus.CLOSED})
_PERIOD = frozenset({"valid_from", "valid_to"})
_FOUNDED = frozenset({"decision_date"})
_PLACED = frozenset({"type", "unit_id", "managing_agency_id"})
"""By these an obligation finds its facilities."""
_COUNTED_AT = frozenset({"facility_id", "camera_id", "destination_id"})
"""What a camera or a delivery is counted for."""
_PROVEN = frozenset({"code", "role", "required_proof", "read_back_url_template"})
_DECISION = frozenset({"decision_number", "decision_date", "funding_source"})
_JUDGED: Mapping[str, frozenset[Any]] = {
    "survey": frozenset({SurveyStatus.APPROVED, SurveyStatus.RETURNED}),
    "connection_plan": frozenset({PlanStatus.AGREED}),
    "installation_proposal": frozenset({ProposalStatus.APPROVED, ProposalStatus.RETURNED, ProposalStatus.FUNDED}),
}
"""States that somebody else than the writer gives."""
_TAKEN: frozenset[Any] = frozenset(
    {
        SurveyStatus.SUBMITTED,
        SurveyStatus.APPROVED,
        PlanStatus.PROPOSED,
        PlanStatus.AGREED,
        PlanStatus.SUPERSEDED,
        ProposalStatus.SUBMITTED,
        ProposalStatus.APPROVED,
        ProposalStatus.FUNDED,
        ProposalStatus.INSTALLED,
        ProposalStatus.CONNECTED,
    }
)
"""States in which a step is taken: what its paper says is no longer its writer's to change."""


def find_acts(noun: str, before: Any | None, after: Any | None) -> frozenset[Act]:
    """Find the acts of a write. `before`, `after`: anything with the fields of the noun; None: it is new, or goes."""
    if noun in _ALWAYS:
        return frozenset({_ALWAYS[noun]})
    return frozenset(_FINDERS[noun](before, after)) if noun in _FINDERS else frozenset()


def _of_obligation(before: Any | None, after: Any | None) -> Iterator[Act]:
    if before is None or after is None:
        yield Act.OBLIGATION
        return
    changed = {name for name in _OBLIGATION if getattr(before, name) != getattr(after, name)}
    if changed & _SETTLED:
        yield Act.SETTLEMENT
    if changed & _DEADLINES:
        yield Act.DEADLINE
    if changed - _SETTLED - _DEADLINES:
        yield Act.OBLIGATION


_OBLIGATION = (
    *_SETTLED, *_DEADLINES, *_PERIOD, "code", "name", "kind", "directive_id", "responsible_agency_id",
    "facility_types", "managing_agency_id", "unit_id", "with_cameras", "facility_ids", "every_days", "due_after_days",
    "note",
)  # fmt: skip


def _of_facility(before: Any | None, after: Any | None) -> Iterator[Act]:
    """One that goes out of duty, comes back, or was founded on another day; its first registration takes nobody's duty
    away."""
    if before is None:
        return
    if after is not None and before.status is not FacilityStatus.PLANNED and _differ(before, after, _PLACED):
        yield Act.PLACEMENT
    moved = after is not None and before.status != after.status and {before.status, after.status} & _OUT_OF_DUTY
    founded_anew = before.decision_date is not None and after is not None and _differ(before, after, _FOUNDED)
    if after is None or moved or founded_anew or _differ(before, after, _PERIOD):
        yield Act.CLOSING


def _of_counted(before: Any | None, after: Any | None) -> Iterator[Act]:
    """Find a camera, delivery or centre that is counted no longer, or elsewhere: its down time would leave the
    percentages."""
    if before is None:
        return
    if after is None or _differ(before, after, _PERIOD) or (before.enabled and _is_counted_elsewhere(before, after)):
        yield Act.SWITCHING_OFF


def _is_counted_elsewhere(before: Any, after: Any) -> bool:
    """Whether what was counted is off, or counted for something else."""
    return not after.enabled or any(getattr(before, name, None) != getattr(after, name, None) for name in _COUNTED_AT)


def _of_centre(before: Any | None, after: Any | None) -> Iterator[Act]:
    """Find the acts on a centre: what it demands, and where it is read back, decides what counts as connected. Plans
    name it by its code."""
    yield from _of_counted(before, after)
    if before is not None and after is not None and _differ(before, after, _PROVEN):
        yield Act.PROOF


def _of_plan(before: Any | None, after: Any | None) -> Iterator[Act]:
    """Find the acts on a plan: who judges what was proposed refuses it; who wrote a draft takes it back."""
    yield from _of_judged("connection_plan")(before, after)
    if after is not None and _acceptance(before) != (accepted := _acceptance(after)) and any(accepted):
        yield Act.APPROVAL
    if before is None or after is None or after.status is not PlanStatus.REJECTED:
        return
    if before.status is PlanStatus.PROPOSED:
        yield Act.APPROVAL


def _acceptance(plan: Any | None) -> tuple[Any, ...]:
    return () if plan is None else tuple(getattr(plan, name) for name in sorted(ACCEPTANCE))


def _of_proposal(before: Any | None, after: Any | None) -> Iterator[Act]:
    """Find the acts on a proposal: who decides enters the decision and its money."""
    yield from _of_judged("installation_proposal")(before, after)
    if after is not None and any(
        getattr(after, name) is not None and (before is None or getattr(before, name) != getattr(after, name))
        for name in _DECISION
    ):
        yield Act.APPROVAL


def _of_judged(noun: str) -> "Finder":
    def find(before: Any | None, after: Any | None) -> Iterator[Act]:
        if after is None:
            return
        moved = before is None or before.status != after.status
        if (moved and after.status in _JUDGED[noun]) or _is_dated_anew(before, after):
            yield Act.APPROVAL

    return find


def _is_dated_anew(before: Any | None, after: Any) -> bool:
    """Whether the document of a step changes after the step was taken: its day decides what was in time."""
    return before is not None and before.status in _TAKEN and _differ(before, after, PAPER)


def _differ(before: Any, after: Any, names: frozenset[str]) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in names)


type Finder = Callable[[Any | None, Any | None], Iterator[Act]]
_FINDERS: Mapping[str, Finder] = {
    "obligation": _of_obligation,
    "facility": _of_facility,
    "camera": _of_counted,
    "delivery": _of_counted,
    "destination": _of_centre,
    "survey": _of_judged("survey"),
    "connection_plan": _of_plan,
    "installation_proposal": _of_proposal,
}
