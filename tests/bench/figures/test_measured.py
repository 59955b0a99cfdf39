"""Figures are read from the rows of the page; a row that is gone or says something else is named."""

import pytest

from bench.figures.measured import PAGE, NoFigureError, Range, latest, read

TEXT = PAGE.read_text("utf-8")


def test_every_figure_is_found_and_is_one() -> None:
    measured = latest()
    for name in measured.__dataclass_fields__:
        figure = getattr(measured, name)
        assert 0 < figure.least <= figure.most, name


def test_a_figure_that_is_measured_again_is_taken() -> None:
    row = "| relay, RTSP to two RTSP destinations, 150 streams of 2 Mbit/s | ≤ 0.9 ms CPU per stream-second | "
    [line] = [line for line in TEXT.splitlines() if line.startswith(row)]
    again = TEXT.replace(line, f"{row}0.41–0.43 ms | now | `x` |")
    assert read(again).relay_ms == Range(0.41, 0.43)
    bold = TEXT.replace(line, f"{row}**0.95 ms** | now | `x` |")
    assert read(bold).relay_ms == Range(0.95, 0.95)


def test_a_row_that_is_gone_is_named() -> None:
    without = "\n".join(line for line in TEXT.splitlines() if not line.startswith("| one delivery read back"))
    with pytest.raises(NoFigureError, match="no row that begins with 'one delivery read back and compared'"):
        read(without)


def test_a_row_that_says_something_else_is_named() -> None:
    with pytest.raises(NoFigureError, match="s until the verdict"):
        read(TEXT.replace("2.0 s until the verdict", "two seconds"))
