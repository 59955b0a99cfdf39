"""The table of duties, in full: every act, every role, alone and together, with and without a scope."""

from itertools import chain, combinations
from uuid import uuid4

import pytest

from vonggac.auth import AccessScope, Principal, Role
from vonggac.auth.policy import POLICY
from vonggac.auth.policy.duties import MATRIX, WORDS, Part, part_of, refuse_act
from vonggac.auth.rights import NEED_SCOPE, Right
from vonggac.events.inventory import Act

LEAD, DECIDER, OPERATOR = Role.PROVINCE_LEAD, Role.DECIDER, Role.OPERATOR
AGENCY, FACILITY = Role.MANAGING_AGENCY, Role.FACILITY
HERE = AccessScope(facilities=frozenset({uuid4()}))

ASKED = {Act.SETTLEMENT, Act.DEADLINE, Act.EXCEPTION, Act.MAINTENANCE, Act.CLOSING, Act.SWITCHING_OFF, Act.PURGE}
"""By hand: what somebody who owes a duty may ask for. All else is asked by handing in what is judged, or by nobody."""


def by_hand(act: Act, role: Role) -> Part | None:
    if role in {LEAD, DECIDER}:
        return Part.DECIDES
    return Part.ASKS if role in {OPERATOR, AGENCY, FACILITY} and act in ASKED else None


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("role", list(Role))
def test_duty_table_is_what_the_mandate_says(act: Act, role: Role) -> None:
    assert MATRIX[act].get(role) is by_hand(act, role)
    for scope in (None, HERE):
        expected = None if role in NEED_SCOPE and scope is None else by_hand(act, role)
        caller = Principal("a", frozenset({role}), scope)
        assert part_of(act, caller) is expected
        assert (refuse_act(act, caller) is None) is (expected is Part.DECIDES)


def test_duty_is_never_decided_by_a_token_that_owes_too() -> None:
    groups = chain.from_iterable(combinations(Role, size) for size in range(len(Role) + 1))
    for roles in map(frozenset, groups):
        decides = bool(roles & {LEAD, DECIDER}) and not roles & {OPERATOR, AGENCY, FACILITY}
        for scope in (None, HERE):
            caller = Principal("a", roles, scope)
            assert caller.may(Right.DECIDE) is decides, sorted(roles)
            for act in Act:
                assert (refuse_act(act, caller) is None) is decides, (act, sorted(roles))


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("role", [role for role in Role if role not in {LEAD, DECIDER}])
def test_duty_refusal_says_which_act_who_holds_it_and_what_is_right(act: Act, role: Role) -> None:
    refusal = refuse_act(act, Principal("viettel-qt", frozenset({role}), HERE))
    assert refusal is not None
    assert WORDS[act].english in refusal.detail
    assert WORDS[act].vietnamese in refusal.detail_vi
    for said in (refusal.detail, refusal.detail_vi):
        assert "'province_lead'" in said
        assert "'decider'" in said
        assert f"'{role}'" in said
        assert ("/v1/decision-requests" in said) is (by_hand(act, role) is Part.ASKS)


def test_duty_refusal_says_that_a_role_spoils_another_only_where_both_are() -> None:
    for roles, spoils in (({OPERATOR}, False), ({OPERATOR, AGENCY}, False), ({OPERATOR, LEAD}, True)):
        refusal = refuse_act(Act.SETTLEMENT, Principal("a", frozenset(roles), HERE))
        assert refusal is not None
        assert ("decides none" in refusal.detail, "cả vai trò" in refusal.detail_vi) == (spoils, spoils)


def test_duty_is_not_settled_by_the_agency_that_owes_it() -> None:
    owner, other = uuid4(), uuid4()
    for role in (LEAD, DECIDER):
        owing = refuse_act(Act.SETTLEMENT, Principal("a", frozenset({role}), agency=owner), owed_by=owner)
        assert owing is not None
        assert owing.code == "owes_the_duty"
        assert "'decider'" in owing.detail
        assert refuse_act(Act.SETTLEMENT, Principal("a", frozenset({role}), agency=other), owed_by=owner) is None
    # A token that names no agency speaks for the one that its role is of.
    lead, decider = Principal("a", frozenset({LEAD})), Principal("a", frozenset({DECIDER}))
    assert refuse_act(Act.DEADLINE, lead, owed_by=owner, by_lead=True) is not None
    assert refuse_act(Act.DEADLINE, lead, owed_by=owner) is None
    assert refuse_act(Act.DEADLINE, decider, owed_by=owner, by_lead=True) is None


def test_every_route_of_an_act_needs_the_right_to_decide() -> None:
    entries = [entry for each in POLICY.values() for entry in each]
    assert {entry.act for entry in entries if entry.act is not None} == {
        Act.SETTLEMENT,
        Act.DEADLINE,
        Act.DIRECTIVE,
        Act.OBLIGATION,
        Act.EXCEPTION,
        Act.APPROVAL,
        Act.FREEZING,
        Act.ASSIGNMENT,
        Act.APPROVAL_RULE,
        Act.URGING,
        Act.TARGET,
        Act.ISSUE,
        Act.ASSESSMENT,
    }
    assert all(Right.DECIDE in entry.rights for entry in entries if entry.act is not None)
