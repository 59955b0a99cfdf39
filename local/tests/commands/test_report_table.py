"""The table at the terminal: every destination by its name, and no line longer than the terminal."""

from typing import Any

import pytest

from local.commands.report_table import render

type Json = dict[str, Any]


def delivery(code: str, role: str, state: str, cause: str | None = None, proof: str = "verified") -> Json:
    destination = {"id": f"id-{code}", "code": code, "name": f"Trung tâm giám sát {code}", "role": role}
    return {"destination": destination, "state": state, "cause": cause, "required_proof": proof}


def camera(code: str, *deliveries: Json, state: str = "up", cause: str | None = None) -> Json:
    return {
        "code": code,
        "facility": {"code": "QT-02", "name": "Trường Phổ thông Dân tộc nội trú Đakrông"},
        "state": state,
        "cause": cause,
        "compliant": state == "up",
        "deliveries": list(deliveries),
    }


def document(*cameras: Json) -> Json:
    names = ("up", "down", "unknown", "national_connected", "provincial_connected", "both", "neither", "compliant")
    counts = dict.fromkeys(names, 0) | {"total": len(cameras)}
    return {"cameras": list(cameras), "totals": {"cameras": counts, "facilities": {"total": 12, "with_cameras": 1}}}


NATIONAL = delivery("D1", "national", "verified")
TWO = (
    camera("CAM-1", NATIONAL, delivery("D2", "provincial", "acknowledged", proof="acknowledged")),
    camera(
        "CAM-2",
        delivery("D1", "national", "waiting_for_camera"),
        delivery("D2", "provincial", "backing_off", "already_publishing", "acknowledged"),
        state="down",
        cause="auth_failed",
    ),
)
OTHER = camera("CAM-3", NATIONAL, delivery("D9", "national", "refused", "auth_failed"))


def test_each_destination_has_a_column_and_its_name_below() -> None:
    lines = render(document(*TWO), width=100).splitlines()
    assert lines[0].split() == ["camera", "facility", "state", "D1", "D2", "compliant"]
    assert next(line for line in lines if line.startswith("CAM-1")).split()[-4:] == [
        "up", "verified", "acknowledged", "yes",
    ]  # fmt: skip
    assert "D1  Trung tâm giám sát D1 (national); connected = verified: the picture was played back" in "\n".join(lines)
    assert any("connected = acknowledged or verified" in line for line in lines)
    assert lines[-2].startswith("2 cameras in 1 of 12 facilities: ")
    assert lines[-1].startswith("connected: national 0, provincial 0, both 0, neither 0; compliant 0")


def test_two_destinations_of_one_role_are_two() -> None:
    text = render(document(*TWO, OTHER), width=160)
    heading = text.splitlines()[0].split()
    assert heading == ["camera", "facility", "state", "D1", "D9", "D2", "compliant"]
    row = next(line for line in text.splitlines() if line.startswith("CAM-3"))
    assert row.split()[-5:] == ["verified", "refused:", "auth_failed", "-", "yes"]
    assert "D9  Trung tâm giám sát D9 (national)" in text
    assert "national (D1 and D9) 0" in text


def test_more_destinations_than_columns_stand_below_each_other() -> None:
    text = render(document(*TWO, OTHER), width=100)
    assert text.splitlines()[0].split() == ["camera", "facility", "state", "deliveries", "compliant"]
    assert "D9: refused: auth_failed" in text


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("cameras", [TWO, (*TWO, OTHER)])
def test_no_line_is_longer_than_the_terminal_and_no_state_is_cut(cameras: tuple[Json, ...], width: int) -> None:
    text = render(document(*cameras), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in "".join(line[40:] for line in text.splitlines())
    for word in ("waiting_for_camera", "already_publishing", "auth_failed", "CAM-2"):
        assert word in text


def test_nothing_to_show_is_a_table_without_rows() -> None:
    assert "0 cameras in 1 of 12 facilities" in render(document(), width=80)
