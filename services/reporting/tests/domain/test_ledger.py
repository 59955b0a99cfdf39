"""The ledger's rows: cumulative sums at midnights, only where something changed."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.evidence.proven import NO_CAUSE
from reporting.domain.instants import VIETNAM, millis, moment
from reporting.domain.ledger import (
    CAMERA_KINDS,
    DAY,
    ORIGIN,
    camera_sums,
    changes,
    cut,
    day_of,
    days_within,
    delivery_sums,
    joined,
    midnight,
    number_of,
    within,
)
from reporting.domain.outages import Outage, outage_figures
from reporting.domain.partition import LEDGER_NAMES
from reporting.domain.percentages import budget
from reporting.domain.segments import Period, Segment, Step, series
from reporting.storage.availability.packed import NEVER, DeliveryRow, pack, unpack

HOUR = 3_600_000
FIRST = ORIGIN + 100


@st.composite
def lines(draw: st.DrawFn) -> list[Segment[str]]:
    """A line of a few whole days without gaps; some borders are midnights."""
    days = draw(st.integers(1, 6))
    inside = st.integers(1, days * 24 * 4 - 1).map(lambda quarter: quarter * HOUR // 4)
    cuts = [0, *sorted(draw(st.sets(inside, max_size=8))), days * DAY]
    start = midnight(FIRST)
    return joined(Segment(start + left, start + right, draw(st.sampled_from("abc"))) for left, right in pairwise(cuts))


@given(lines(), st.sampled_from("abc"))
def test_sums_at_every_midnight_follow_from_the_row_before_it(line: list[Segment[str]], current: str) -> None:
    rows = {row.day: row for row in changes(line, current)}
    last_day, last, kind = FIRST, Counter[str](), current
    for day in range(FIRST + 1, day_of(line[-1].end) + 1):
        if (row := rows.get(day)) is not None:
            last_day, last, kind = day, Counter(row.lengths), row.kind
        expected: Counter[str] = Counter()
        for start, end, value in line:
            expected[value] += max(0, min(end, midnight(day)) - start) if start < midnight(day) else 0
        found = last + Counter({kind: (day - last_day) * DAY})
        assert found == +expected


@given(lines(), st.sampled_from("abc"))
def test_a_day_like_the_moment_before_it_has_no_row(line: list[Segment[str]], current: str) -> None:
    rows, kind = {row.day for row in changes(line, current)}, current
    for day in range(FIRST, day_of(line[-1].end)):
        values = {one.value for one in line if one.start < midnight(day + 1) and one.end > midnight(day)}
        assert (day + 1 in rows) == (values != {kind})
        kind = next(one.value for one in line if one.start < midnight(day + 1) <= one.end)


@given(st.integers(-3, 3), st.integers(1, 5 * DAY), st.integers(0, DAY), st.integers(FIRST, FIRST + 5))
def test_a_cut_period_is_the_sum_of_its_parts(before: int, length: int, into: int, closed: int) -> None:
    start = midnight(FIRST + before) + into
    period = Period(start, start + length)
    found = cut(period, closed)
    if found is None:
        return
    pieces = sorted([*found.parts, Period(midnight(found.first), midnight(found.last))])
    assert (pieces[0].start, pieces[-1].end) == period
    assert [one.end for one in pieces[:-1]] == [one.start for one in pieces[1:]]
    assert found.last <= closed
    assert found.parts == () or all(part.length < DAY or part.start == midnight(closed) for part in found.parts)


def test_a_day_begins_at_midnight_in_vietnam() -> None:
    day = number_of(date(2026, 11, 10))
    assert moment(midnight(day)) == datetime(2026, 11, 9, 17, tzinfo=UTC)
    assert (day_of(midnight(day) - 1), day_of(midnight(day))) == (day - 1, day)


def test_a_period_that_ends_at_midnight_does_not_touch_the_day_that_begins_there() -> None:
    whole = Period(midnight(FIRST), midnight(FIRST + 2))
    assert days_within(whole) == (FIRST, FIRST + 2)
    assert days_within(Period(whole.start + 1, whole.end + 1)) == (FIRST, FIRST + 3)


def test_a_period_of_whole_days_is_cut_into_these_alone() -> None:
    found = cut(Period(midnight(FIRST), midnight(FIRST + 2)), FIRST + 5)
    assert found is not None
    assert (found.first, found.last, found.parts) == (FIRST, FIRST + 2, ())


def test_neighbours_of_one_kind_are_one_and_others_are_not() -> None:
    line = [Segment(0, 1, "a"), Segment(1, 2, "a"), Segment(2, 3, "b"), Segment(3, 4, "a")]
    assert joined(line) == [Segment(0, 2, "a"), Segment(2, 3, "b"), Segment(3, 4, "a")]


def test_times_of_one_cause_are_added_over_all_kinds() -> None:
    sums, causes = delivery_sums({("not_connected", "timeout"): 5, ("unknown", "timeout"): 2, ("connected", None): 9})
    assert causes == {"timeout": 7}
    assert dict(zip(LEDGER_NAMES, sums, strict=True)) == {
        **dict.fromkeys(LEDGER_NAMES, 0),
        "not_connected": 5,
        "unknown": 2,
        "connected": 9,
    }


def test_a_part_of_a_closed_day_or_of_the_open_ones_is_left_whole() -> None:
    noon, closed = midnight(FIRST) + 12 * HOUR, FIRST + 2
    hour = Period(noon, noon + HOUR)
    found = within(hour, closed)
    assert found is not None
    assert (found.first, found.last, found.before, found.after) == (FIRST + 1, FIRST + 1, hour, None)
    late = Period(midnight(closed) + HOUR, midnight(closed) + 3 * DAY)
    found = within(late, closed)
    assert found is not None
    assert (found.first, found.last, found.before, found.after) == (closed, closed, None, late)
    assert within(Period(noon, noon + DAY), closed) is None, "of two days"
    assert within(hour, None) is None
    assert within(Period(midnight(ORIGIN) - HOUR, midnight(ORIGIN)), closed) is None


def test_each_moment_is_one_of_each_partition() -> None:
    for kind in CAMERA_KINDS:
        sums = camera_sums({kind: 7})
        assert sum(sums[:5]) == 7
        assert sum(sums) == 7 * len(kind)
    assert len(set(CAMERA_KINDS)) == len(CAMERA_KINDS) == 47


LENGTHS = st.one_of(st.just(0), st.integers(1, 90 * DAY))
CAUSES = st.dictionaries(st.sampled_from(["timeout", "refused", NO_CAUSE, "mismatch"]), st.integers(1, 9 * DAY))
KINDS = st.sampled_from([("connected", None), ("unknown", None), ("not_connected", "timeout"), ("out_of_scope", None)])


@given(st.lists(st.tuples(st.uuids(), KINDS, st.lists(LENGTHS, min_size=3, max_size=3), CAUSES), max_size=3))
def test_packed_deliveries_are_what_was_packed(
    given_rows: list[tuple[UUID, tuple[str, str | None], list[int], dict[str, int]]],
) -> None:
    day = ORIGIN + 1000
    rows = {}
    for id_, kind, rest, causes in given_rows:
        others = [sum(causes.values()), *rest]
        rows[str(id_)] = DeliveryRow(kind, [1000 * DAY - sum(others), *others], causes)
    assert unpack(day, pack(day, rows)) == rows
    assert len(pack(day, rows) or b"") <= len(rows) * (19 + 4 * 6 + 4 * 7)


def test_a_delivery_that_never_was_is_out_of_scope_since_the_origin() -> None:
    assert sum(NEVER.after(5 * DAY).sums) == NEVER.after(5 * DAY).sums[LEDGER_NAMES.index("out_of_scope")] == 5 * DAY
    assert pack(ORIGIN, {}) is None
    assert unpack(ORIGIN, None) == {}


def local(*date: int, zone: str = "Asia/Ho_Chi_Minh") -> int:
    return millis(datetime(*date, tzinfo=ZoneInfo(zone)))  # type: ignore[arg-type, misc] # year, month, day, hour


def test_weeks_begin_on_monday_and_months_on_their_first_day() -> None:
    period = Period(local(2026, 10, 28, 12), local(2026, 11, 10))
    weeks = [moment(one.start).astimezone(VIETNAM).date().isoformat() for one in series(period, Step.WEEK, VIETNAM)]
    assert weeks == ["2026-10-28", "2026-11-02", "2026-11-09"]
    months = series(period, Step.MONTH, VIETNAM)
    assert months == [(period.start, local(2026, 11, 1)), (local(2026, 11, 1), period.end)]


def test_a_day_of_a_zone_with_summer_time_is_as_long_as_it_is() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    period = Period(local(2026, 3, 28, zone="Europe/Berlin"), local(2026, 3, 31, zone="Europe/Berlin"))
    assert [one.length // HOUR for one in series(period, Step.DAY, berlin)] == [24, 23, 24]
    assert {one.length for one in series(period, Step.HOUR, berlin)} == {HOUR}


def test_hours_of_a_zone_with_half_an_hour_begin_with_its_clock() -> None:
    start = millis(datetime(2026, 11, 1, 18, 30, tzinfo=UTC))
    found = series(Period(start + 60_000, start + 2 * HOUR), Step.HOUR, ZoneInfo("Asia/Kolkata"))
    assert [one.start for one in found] == [start + 60_000, start + HOUR]


def test_a_budget_is_what_the_target_leaves_and_the_unknown_does_not_use_it() -> None:
    found = budget(Decimal("99.5"), 20 * HOUR, HOUR, 3 * HOUR)
    assert (found.allowed_ms, found.used_ms, found.remaining_ms) == (24 * HOUR // 200, HOUR, 24 * HOUR // 200 - HOUR)
    assert budget(Decimal(100), 5, 0, 0).remaining_ms == 0


def test_outages_of_one_site_fault_are_one_and_repair_is_of_whole_ones() -> None:
    period = Period(0, 24 * HOUR)
    found: list[tuple[Outage, str | None]] = [
        (Outage(0, HOUR, ("timeout",), True, False), None),
        (Outage(2 * HOUR, 4 * HOUR, ("route",), False, False), "site"),
        (Outage(2 * HOUR, 5 * HOUR, ("route", "timeout"), False, False), "site"),
        (Outage(8 * HOUR, 9 * HOUR, (), False, False, confirmed=False), None),
    ]
    figures = outage_figures(period, found, 40 * HOUR)
    assert (figures.count, figures.unconfirmed, figures.site_faults) == (2, 1, 1)
    assert (figures.mttr, figures.mtbf, figures.longest) == (3 * HOUR, 20 * HOUR, 3 * HOUR)
    assert figures.by_cause == {"timeout": HOUR, "route": 5 * HOUR, NO_CAUSE: HOUR}
    assert figures.down == sum(figures.by_cause.values())
    assert outage_figures(period, [], HOUR).mtbf is None
    assert timedelta(milliseconds=DAY) == timedelta(days=1)
