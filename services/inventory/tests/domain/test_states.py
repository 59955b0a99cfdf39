"""State machines: what the table allows, what a refusal says, what a table must have."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from inventory.domain.states import REASON, StateMachine, render_markdown, render_mermaid


class Door(StrEnum):
    """A small machine with every kind of transition."""

    SHUT = "shut"
    OPEN = "open"
    WALLED_UP = "walled_up"


WORDS = {Door.SHUT: "đóng", Door.OPEN: "mở", Door.WALLED_UP: "xây kín"}
GUARDS = {"has_key": "somebody has the key"}
VIETNAMESE_GUARDS = {"has_key": "có người giữ chìa khóa"}
TRANSITIONS: dict[Door, dict[Door, tuple[str, ...]]] = {
    Door.SHUT: {Door.OPEN: ("has_key",), Door.WALLED_UP: ("has_key", REASON)},
    Door.OPEN: {Door.SHUT: ()},
    Door.WALLED_UP: {},
}


def machine(**changes: Any) -> StateMachine[Door]:
    table: Mapping[str, Any] = {
        "noun": "front_door",
        "states": Door,
        "initial": Door.SHUT,
        "transitions": TRANSITIONS,
        "vietnamese": WORDS,
        "guards": GUARDS,
        "vietnamese_guards": VIETNAMESE_GUARDS,
    }
    return StateMachine(**{**table, **changes})


def test_exactly_the_transitions_of_the_table_are_made() -> None:
    door = machine()
    made = {
        (current, target)
        for current, target in product(Door, Door)
        if door.check(current, target, met=("has_key", REASON)) is None
    }
    assert made == {(Door.SHUT, Door.OPEN), (Door.SHUT, Door.WALLED_UP), (Door.OPEN, Door.SHUT)}


def test_a_refusal_says_which_transitions_are_allowed() -> None:
    refusal = machine().check(Door.OPEN, Door.WALLED_UP)
    assert refusal is not None
    assert refusal.allowed == (Door.SHUT,)
    assert refusal.missing == ()
    assert refusal.detail == "a front door that is open cannot become walled_up; allowed: shut"


def test_a_state_does_not_become_itself() -> None:
    refusal = machine().check(Door.OPEN, Door.OPEN)
    assert refusal is not None
    assert refusal.allowed == (Door.SHUT,)


def test_a_final_state_says_so() -> None:
    refusal = machine().check(Door.WALLED_UP, Door.OPEN)
    assert refusal is not None
    assert refusal.detail.endswith("allowed: nothing, it is final")


def test_a_guard_that_nobody_decided_does_not_hold() -> None:
    refusal = machine().check(Door.SHUT, Door.OPEN)
    assert refusal is not None
    assert refusal.missing == ("has_key",)
    assert refusal.detail == "a front door that is shut cannot become open until somebody has the key"


def test_a_refusal_names_every_missing_guard_at_once() -> None:
    refusal = machine().check(Door.SHUT, Door.WALLED_UP)
    assert refusal is not None
    assert refusal.missing == ("has_key", REASON)
    assert refusal.detail.endswith("until somebody has the key, and a reason is given")


@pytest.mark.parametrize(
    ("current", "target", "sentence"),
    [
        (Door.OPEN, Door.WALLED_UP, "đang «mở», không chuyển thành «xây kín» được; chỉ chuyển được thành: «đóng»"),
        (Door.WALLED_UP, Door.OPEN, "đang «xây kín», không chuyển thành «mở» được; đây là trạng thái cuối cùng"),
        (
            Door.SHUT,
            Door.WALLED_UP,
            "đang «đóng», không chuyển thành «xây kín» được; cần: có người giữ chìa khóa; nêu lý do",
        ),
    ],
)
def test_a_refusal_says_the_same_in_vietnamese(current: Door, target: Door, sentence: str) -> None:
    refusal = machine().check(current, target)
    assert refusal is not None
    assert refusal.vietnamese == sentence


def test_the_final_states_are_those_that_nothing_leaves() -> None:
    assert machine().final == (Door.WALLED_UP,)


@pytest.mark.parametrize(
    ("changes", "hole"),
    [
        ({"transitions": {Door.SHUT: {Door.OPEN: ("has_key",)}, Door.OPEN: {}}}, "no transitions of walled_up"),
        ({"vietnamese": {Door.SHUT: "đóng", Door.OPEN: "mở"}}, "no Vietnamese word for walled_up"),
        ({"guards": {}}, "guard has_key is not described"),
        ({"vietnamese_guards": {}}, "no Vietnamese sentence for guard has_key"),
        ({"guards": GUARDS | {"has_hammer": "…"}}, "guard has_hammer is never used"),
        ({"transitions": TRANSITIONS | {Door.OPEN: {Door.OPEN: ()}}}, "open leads to itself"),
        ({"transitions": TRANSITIONS | {Door.SHUT: {Door.OPEN: ("has_key",)}}}, "walled_up cannot be reached"),
    ],
)
def test_a_table_with_a_hole_is_refused(changes: dict[str, Any], hole: str) -> None:
    with pytest.raises(ValueError, match=hole):
        machine(**changes)


def test_the_diagram_has_every_transition_with_its_guards() -> None:
    assert render_mermaid(machine()).splitlines() == [
        "stateDiagram-v2",
        "    [*] --> shut",
        "    shut --> open : has_key",
        "    shut --> walled_up : has_key, reason",
        "    open --> shut",
        "    walled_up --> [*]",
    ]


def test_the_table_of_the_documentation_has_every_state_with_its_word_and_conditions() -> None:
    assert render_markdown(machine()).splitlines() == [
        "| state | in Vietnamese | may become | needs |",
        "|---|---|---|---|",
        "| `shut` | đóng | `open` | somebody has the key |",
        "|  |  | `walled_up` | somebody has the key; a reason is given |",
        "| `open` | mở | `shut` |  |",
        "| `walled_up` | xây kín | nothing: it is final | |",
    ]
