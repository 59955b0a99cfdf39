"""The rights that the rows of a file need, each as what it does: a file is no way around them."""

from collections.abc import Iterator
from http import HTTPStatus

from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.texts import phrase
from inventory.importing.overrides import DESTINATIONS
from inventory.importing.planning.plan import Action, Plan, Planned
from inventory.nouns.people import PERSON
from vonggac.auth import Principal, Right
from vonggac.auth.policy.inventory import OF_A_FACILITY
from vonggac.http import ProblemError

MOST = 1000
"""Rows that a refusal names."""

type Need = tuple[Right, str, str]
"""A right, the column that shows what needs it, and the sentence about it."""


def check_rights(plan: Plan, caller: Principal) -> None:
    """Raise ProblemError 403 that names every row which needs a right that the caller has not."""
    _check_scope(plan, caller)
    refused = Mistakes(plan.table.sheet or None)
    rights: set[Right] = set()
    for row in plan.rows:
        for right, column, key in needs_of(plan.noun.name, row):
            if not caller.may(right):
                rights.add(right)
                refused.add(row.line, column, phrase(key, right=right.value, key=row.label), value=row.label)
    if not refused.count:
        return
    missing = ", ".join(f"'{right}'" for right in sorted(rights))
    rows = len({mistake.line for mistake in refused.found})
    msg = (
        f"{rows} rows need rights that the token's roles do not carry: {missing}. Nothing was imported. "
        f"({rows} dòng cần quyền mà tài khoản không có: {missing}. Chưa nhập dòng nào.)"
    )
    errors = [mistake.as_error(None) for mistake in refused.found[:MOST]]
    raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", msg, errors)


def needs_of(noun: str, row: Planned) -> Iterator[Need]:
    """List what a row does, as rights."""
    if row.action is Action.CREATED:
        yield Right.ADD, "row", "needs_add"
        return
    if row.action is Action.UNCHANGED:
        return
    if noun == "camera":
        yield from _of_counted(row)
    beside = {DESTINATIONS, *PERSON.values()}
    if noun not in {"camera", "facility"} or row.changes.keys() - beside or row.patch:
        yield Right.CHANGE, "row", "needs_change"
    if row.extra.get("disconnect"):
        yield Right.REMOVE, DESTINATIONS, "needs_remove_delivery"
    if row.extra.get("connect"):
        yield Right.ADD, DESTINATIONS, "needs_add_delivery"
    if person := row.changes.keys() & set(PERSON.values()):
        yield from _of_person(row, person)


def _of_counted(row: Planned) -> Iterator[Need]:
    """Find a camera that is counted no longer; what other nouns decide is refused by their rules."""
    if row.patch.get("enabled") is False or {"valid_from", "valid_to"} & row.patch.keys():
        yield Right.DECIDE, "enabled" if "enabled" in row.patch else "valid_to", "needs_decide"


def _of_person(row: Planned, columns: set[str]) -> Iterator[Need]:
    """Another name is another person: the first is added, and the term of who was there is changed."""
    name = PERSON["full_name"]
    before = row.changes[name][0] if name in columns else None
    if name in columns:
        yield Right.ADD, name, "needs_add_person"
    if name not in columns or before is not None:
        yield Right.CHANGE, min(columns), "needs_change_person"


def _check_scope(plan: Plan, caller: Principal) -> None:
    """Refuse to change what belongs to the province for a token that is for a part of it."""
    if caller.scope is None or plan.noun.path in OF_A_FACILITY:
        return
    lines = [row.line for row in plan.rows if row.action is not Action.UNCHANGED]
    if lines:
        msg = (
            f"row {lines[0]} changes {plan.noun.path.replace('-', ' ')}, which belong to the province as a whole, "
            "and the token is for a part of it (docs/reference/permissions.md)"
        )
        raise ProblemError(HTTPStatus.FORBIDDEN, "scope_too_narrow", msg)
