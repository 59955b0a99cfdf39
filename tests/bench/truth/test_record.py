"""The truth of the bench: gaps of media as the simulator dates it."""

from bench.truth.record import Gap, Line


def read(line: Line, *readings: tuple[float, float | None]) -> list[Gap]:
    for read_at, media_at in readings:
        line.note(media_at, read_at)
    return line.gaps


def test_media_that_goes_on_has_no_gap() -> None:
    assert read(Line(), (0.0, None), (1.0, 0.9), (1.2, 1.1), (2.0, 1.95)) == []


def test_a_gap_goes_from_the_last_media_to_the_reading_before_it_came_back() -> None:
    assert read(Line(), (1.0, 0.9), (5.0, 0.9), (9.0, 0.9), (9.2, 9.15)) == [Gap(0.9, 9.0)]


def test_readings_that_come_late_make_no_gap() -> None:
    """Nobody read for nine seconds, in which media may have come all the time."""
    assert read(Line(), (1.0, 0.9), (10.0, 9.9)) == []


def test_a_camera_that_rebooted_and_sent_nothing_yet_is_silent() -> None:
    assert read(Line(), (1.0, 0.9), (3.0, None), (5.0, None), (5.1, 5.05)) == [Gap(0.9, 5.0)]


def test_what_is_not_back_at_the_end_is_a_gap() -> None:
    line = Line()
    read(line, (1.0, 0.9), (5.0, 0.9))
    line.end(6.0)
    assert line.gaps == [Gap(0.9, 6.0)]


def test_a_new_session_at_a_centre_is_a_gap_however_soon_it_came() -> None:
    line = Line()
    for read_at, media_at, sessions in ((0.0, 0.0, 1), (0.1, 0.1, 1), (0.2, 0.1, 2), (0.4, 0.35, 2), (0.5, 0.5, 2)):
        line.count_sessions(sessions)
        line.note(media_at, read_at)
    assert line.gaps == [Gap(0.1, 0.2)]
