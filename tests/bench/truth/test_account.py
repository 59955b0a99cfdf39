"""How the bench reads reporting's account: from sums of ever shorter periods."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from bench.truth.account import Account, Cell, cell, stretches
from bench.truth.comparison import Stretch
from bench.truth.record import Gap

CAMERA, NATIONAL = ("cam-000", "camera"), ("cam-000", "national")


def document(camera: dict[str, float], delivery: dict[str, float]) -> dict[str, Any]:
    none = dict.fromkeys(("up", "down", "maintenance", "unknown", "out_of_scope", "compliant"), 0.0)
    seconds = dict.fromkeys(("connected", "not_connected", "maintenance", "unknown", "out_of_scope"), 0.0)
    deliveries = [{"destination": {"role": "national"}, "seconds": seconds | delivery}]
    return {"cameras": [{"code": "cam-000", "seconds": none | camera, "deliveries": deliveries}]}


def test_a_report_says_how_long_a_line_was_what() -> None:
    found = cell(0, 1000, document({"up": 0.4, "down": 0.6}, {"connected": 1.0}))
    assert found.lines == {CAMERA: {"good": 400, "bad": 600}, NATIONAL: {"good": 1000}}
    assert not found.is_pure
    assert cell(0, 1000, document({"unknown": 1.0}, {"not_connected": 1.0})).is_pure


def test_maintenance_and_out_of_scope_are_no_verdict() -> None:
    found = cell(0, 1000, document({"maintenance": 0.5, "out_of_scope": 0.5}, {"unknown": 1.0}))
    assert found.lines == {CAMERA: {"unknown": 1000}, NATIONAL: {"unknown": 1000}}


def test_one_change_within_a_second_is_dated_to_the_millisecond() -> None:
    cells = [
        Cell(0, 1000, {CAMERA: {"good": 1000}}),
        Cell(1000, 2000, {CAMERA: {"bad": 300, "good": 700}}),
        Cell(2000, 4000, {CAMERA: {"bad": 2000}}),
        Cell(4000, 5000, {CAMERA: {"good": 600, "bad": 400}}),
        Cell(5000, 6000, {CAMERA: {"good": 1000}}),
    ]
    assert stretches(cells, CAMERA) == [Stretch(0, 1.7, "good"), Stretch(1.7, 4.4, "bad"), Stretch(4.4, 6, "good")]


def test_of_three_verdicts_in_a_second_the_neighbours_come_first_and_last() -> None:
    cells = [
        Cell(0, 1000, {CAMERA: {"good": 1000}}),
        Cell(1000, 2000, {CAMERA: {"bad": 500, "unknown": 200, "good": 300}}),
        Cell(2000, 3000, {CAMERA: {"bad": 1000}}),
    ]
    assert [one.verdict for one in stretches(cells, CAMERA)] == ["good", "unknown", "bad"]


@pytest.mark.parametrize("changes_ms", [(3_217, 9_404), (1, 15_999), (7_000, 7_250)])
async def test_an_account_is_found_from_sums_alone(changes_ms: tuple[int, int]) -> None:
    """A line that is bad between two moments, as a service would report each period of it."""
    down, up = changes_ms

    def answer(request: httpx.Request) -> httpx.Response:
        start_ms, end_ms = (_ms(request.url.params[name]) for name in ("from", "to"))
        bad_ms = max(0, min(end_ms, up) - max(start_ms, down))
        good_s, bad_s = (end_ms - start_ms - bad_ms) / 1000, bad_ms / 1000
        return httpx.Response(200, json=document({"up": good_s, "down": bad_s}, {"connected": good_s + bad_s}))

    async with Account("http://reporting", "", transport=httpx.MockTransport(answer)) as account:
        lines = await account.lines(Gap(0, 16))
    assert lines[NATIONAL] == [Stretch(0, 16, "good")]
    if up - down > 1000:
        assert lines[CAMERA] == [
            Stretch(0, down / 1000, "good"),
            Stretch(down / 1000, up / 1000, "bad"),
            Stretch(up / 1000, 16, "good"),
        ]
    assert sum(one.end - one.start for one in lines[CAMERA] if one.verdict == "bad") == pytest.approx(
        (up - down) / 1000
    )


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
