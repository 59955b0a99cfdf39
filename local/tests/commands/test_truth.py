"""Reading the truth out of a compliance document."""

from typing import Any

import pytest

from local.commands.truth import Expectation, finding, settled
from local.demo.content import EXPECTATION

type Json = dict[str, Any]


def delivery(role: str, state: str, cause: str | None = None, *, enabled: bool = True) -> Json:
    code = {"national": "D1", "provincial": "D2"}[role]
    return {
        "destination": {"id": code, "code": code, "name": f"Trung tâm {code}", "role": role},
        "state": state,
        "cause": cause,
        "enabled": enabled,
        "required_proof": "verified",
    }


def camera(
    code: str, state: str = "up", cause: str | None = None, *, first: str = "verified", second: str = ""
) -> Json:
    states = (first, second or first)
    return {
        "code": code,
        "facility": {"code": "QT-01", "name": "Trường Tiểu học Cam An"},
        "unit": {"code": "468", "name": "Huyện Cam Lộ"},
        "state": state,
        "cause": cause,
        "compliant": state == "up" and set(states) == {"verified"},
        "deliveries": [delivery("national", states[0]), delivery("provincial", states[1])],
    }


def document(*cameras: Json) -> Json:
    counts = dict.fromkeys(
        (
            "total",
            "up",
            "down",
            "unknown",
            "national_connected",
            "provincial_connected",
            "both",
            "neither",
            "compliant",
        ),
        0,
    )
    return {
        "cameras": list(cameras),
        "totals": {"cameras": counts | {"total": len(cameras)}, "facilities": {"total": 12, "with_cameras": 1}},
    }


GOOD = [camera(f"C{number}") for number in range(6)]
WRONG_PASSWORD = camera("C6", "down", "auth_failed", first="waiting_for_camera")
DEAD = camera("C7", "down", "timeout", first="waiting_for_camera")


def test_the_demos_truth_holds() -> None:
    found = finding(document(*GOOD, WRONG_PASSWORD, DEAD))
    assert found.shortfall(EXPECTATION) == []
    assert found.faults == {"auth_failed": 1, "timeout": 1}
    assert (found.cameras, found.delivered_both) == (8, 6)


def test_the_dead_address_may_refuse() -> None:
    dead = camera("C7", "down", "refused", first="waiting_for_camera")
    assert finding(document(*GOOD, WRONG_PASSWORD, dead)).shortfall(EXPECTATION) == []


@pytest.mark.parametrize(
    "state", ["acknowledged", "mismatch", "sending", "connecting", "stalled", "backing_off", "refused", "unknown"]
)
def test_what_was_not_read_back_is_not_delivered(state: str) -> None:
    good = [*GOOD[:5], camera("C5", first="verified", second=state)]
    found = finding(document(*good, WRONG_PASSWORD, DEAD))
    assert found.delivered_both == 5
    assert "cameras delivered to both: 5, expected 6" in found.shortfall(EXPECTATION)


def test_two_deliveries_to_one_centre_are_not_both() -> None:
    twice = camera("C5")
    twice["deliveries"] = [delivery("national", "verified"), delivery("national", "verified")]
    assert finding(document(*GOOD[:5], twice, WRONG_PASSWORD, DEAD)).delivered_both == 5


def test_a_wrong_cause_is_named() -> None:
    wrong = camera("C6", "down", "not_found", first="waiting_for_camera")
    assert finding(document(*GOOD, wrong, DEAD)).shortfall(EXPECTATION) == [
        "no camera is down because of auth_failed",
        "a camera is down because of not_found, which is not expected",
    ]


def test_a_missing_camera_is_named() -> None:
    lines = finding(document(*GOOD[:5], WRONG_PASSWORD, DEAD)).shortfall(EXPECTATION)
    assert lines[0] == "cameras: 7, expected 8"


def test_equal_faults_are_counted_each() -> None:
    expected = Expectation(cameras=2, delivered_both=0, faults=(frozenset({"timeout"}), frozenset({"timeout"})))
    one = finding(document(DEAD, camera("C8", first="sending")))
    assert "no camera is down because of timeout" in one.shortfall(expected)
    assert finding(document(DEAD, {**DEAD, "code": "C8"})).shortfall(expected) == []


def test_settled_waits_for_every_camera_and_every_delivery_of_those_that_are_up() -> None:
    codes = {"C0", "C6"}
    assert settled(document(GOOD[0], WRONG_PASSWORD), codes)
    assert not settled(document(GOOD[0]), codes)
    assert not settled(document(camera("C0", "unknown"), WRONG_PASSWORD), codes)
    assert not settled(document(camera("C0", second="connecting"), WRONG_PASSWORD), codes)
    assert settled(document(camera("C0", second="backing_off"), WRONG_PASSWORD), codes)
    assert settled(document(camera("C0", second="mismatch"), WRONG_PASSWORD), codes)


def test_acknowledged_is_settled_only_where_no_more_is_demanded() -> None:
    seen = camera("C0", second="acknowledged")
    assert not settled(document(seen), {"C0"})
    seen["deliveries"][1]["required_proof"] = "acknowledged"
    assert settled(document(seen), {"C0"})
