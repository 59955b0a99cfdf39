"""Charts are well-formed SVG without script, say in words what they show, and never rely on colour."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from reporting.documents.charts.availability import Parts, availability
from reporting.documents.charts.axes import nice_ceiling
from reporting.documents.charts.burn_up import Due, Point, burn_up
from reporting.documents.charts.canvas import STYLES
from reporting.documents.charts.causes import CauseSum, outages_by_cause
from reporting.documents.charts.duties import DutyLine, Steps, duties
from reporting.documents.charts.strips import Piece, Strip, Tick, strips

HOUR = 3_600_000
DAY = 24 * HOUR
SVG = "{http://www.w3.org/2000/svg}"
STEPS = [Parts("03/5", 20 * HOUR, 2 * HOUR, HOUR, HOUR, 0), Parts("04/5", 0, 0, 24 * HOUR, 0, 0)]
POINTS = [Point("03/5", DAY, 10, 4, 6, 3), Point("04/5", 2 * DAY, 12, 12, 9, 9)]
STRIP = Strip(
    "KCL-01-C01", [Piece(0, 2 * HOUR, "up"), Piece(2 * HOUR, 3 * HOUR, "down"), Piece(3 * HOUR, DAY, "unknown")]
)
CHARTS = {
    "availability": availability(STEPS, target_ppm=990_000),
    "causes": outages_by_cause([CauseSum("Không <trả> lời & im", 3, 5 * HOUR), CauseSum("Hình đen", 1, HOUR)]),
    "progress": burn_up(POINTS, [Due(DAY, "Thời hạn: trước 04/5")]),
    "obligations": duties(
        Steps(["03/5", "04/5"], [DAY, 2 * DAY]),
        [DutyLine("Khảo sát", 10, [4, 9]), DutyLine("Kết nối", 12, [0, 3])],
        [Due(DAY, "Thời hạn: trước 04/5"), Due(9 * DAY, "Thời hạn: trước 12/5")],
    ),
    "strips": strips([STRIP], start=0, end=DAY, ticks=[Tick(0, "00"), Tick(DAY, "24")], day="ngày 03/5/2021"),
    "no availability": availability([], target_ppm=990_000),
    "no causes": outages_by_cause([]),
    "no progress": burn_up([]),
    "no obligations": duties(Steps([], []), [], []),
    "no strips": strips([], start=0, end=0, ticks=[], day=""),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_svg_with_title_and_description_and_without_script(name: str) -> None:
    root = ET.fromstring(CHARTS[name])  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    ids = {one.get("id") for one in (root.find(f"{SVG}title"), root.find(f"{SVG}desc")) if one is not None}
    assert set(str(root.get("aria-labelledby")).split()) == ids
    title = root.find(f"{SVG}title")
    assert title is not None
    assert re.search(r"[ạảấầậắặếềệốộơờợứừựđ]", (title.text or "").lower())
    assert "script" not in CHARTS[name]
    assert not re.search(r"\son\w+=|href|url\(http", CHARTS[name])


@pytest.mark.parametrize("name", CHARTS)
def test_no_coordinate_has_more_than_two_places_or_is_none(name: str) -> None:
    assert not re.search(r"\d\.\d{3,}|\bnan\b|\binf\b|\de-\d", CHARTS[name])


def test_what_is_drawn_differs_by_pattern_and_not_by_colour_alone() -> None:
    patterns = [style.pattern for style in STYLES.values()]
    assert len(set(patterns)) == len(patterns)
    for name in ("availability", "strips"):
        assert "<pattern" in CHARTS[name]
        for word in ("Hoạt động", "Mất", "Không rõ", "Bảo trì", "Ngoài phạm vi"):
            assert f">{word}</text>" in CHARTS[name]


def test_unmeasured_time_is_drawn_as_such_and_has_no_percentage() -> None:
    chart = CHARTS["availability"]
    assert "04/5: không rõ" in chart
    assert "03/5: 90,9%" in chart
    assert "title>04/5: Không rõ 100,0%" in chart


def test_bars_of_causes_are_in_the_order_of_lost_time_and_their_words_are_escaped() -> None:
    chart = CHARTS["causes"]
    assert chart.index("Không &lt;trả&gt; lời &amp; im") < chart.index("Hình đen")
    assert "5,0 giờ (3 lượt)" in chart
    many = outages_by_cause([CauseSum(f"Nguyên nhân {n:02d}", 1, n * HOUR) for n in range(1, 15)])
    assert "Nguyên nhân khác" in many
    assert "10,0 giờ (4 lượt)" in many


def test_the_deadline_stands_between_what_was_in_time_and_what_was_not() -> None:
    root = ET.fromstring(CHARTS["progress"])  # noqa: S314
    lines = [one.get("d") for one in root.iter(f"{SVG}path") if one.get("stroke-dasharray") == "3 3"]
    assert len(lines) == 1
    assert "Thời hạn: trước 04/5" in CHARTS["progress"]
    assert "3 trên" not in CHARTS["progress"]
    assert "9 trên 12 camera kết nối cả hai trung tâm" in CHARTS["progress"]


def test_without_a_deadline_the_words_begin_with_the_figures() -> None:
    assert re.search(r"<desc[^>]*>Đến 0", burn_up(POINTS))


def test_a_strip_fills_its_day() -> None:
    root = ET.fromstring(CHARTS["strips"])  # noqa: S314
    widths = [float(str(one.get("width"))) for one in root.iter(f"{SVG}rect") if one.find(f"{SVG}title") is not None]
    assert sum(widths) == pytest.approx(550, abs=0.1)
    assert "mất 60 phút" in CHARTS["strips"]


@pytest.mark.parametrize(("value", "top"), [(0, 1), (1, 1), (3, 4), (34, 40), (41, 50), (99, 100), (101, 200)])
def test_the_top_of_an_axis_is_round(value: int, top: int) -> None:
    assert nice_ceiling(value) == top
