"""What is published of a camera's outages, whatever late evidence does to them."""

from uuid import UUID, uuid4

from reporting.domain.outages import Outage
from reporting.feeds.changes import Closed, Found, Noticed, Opened, changes
from vonggac.events.reporting import AfterOutage

ID = UUID(int=1)


def found(start: int, end: int, followed_by: str | None = None, *, began_before: bool = False) -> Found:
    over = AfterOutage(followed_by) if followed_by else None
    return Found(Outage(start, end, ("timeout",), began_before, over is None), over)


def test_an_outage_that_goes_on_is_opened_once() -> None:
    now = found(100, 200)
    assert changes([], [now], since=190) == [Opened(now)]
    assert changes([Noticed(ID, 100, None)], [now], since=200) == []


def test_an_outage_that_ended_is_closed_with_what_followed() -> None:
    over = found(100, 150, "up")
    assert changes([Noticed(ID, 100, None)], [over], since=140) == [Closed(Noticed(ID, 100, None), 100, over)]


def test_an_outage_that_began_and_ended_since_the_last_time_is_opened_and_closed_at_once() -> None:
    over = found(100, 150, "unknown")
    assert changes([], [over], since=120) == [Opened(over)]


def test_what_was_over_before_the_last_time_is_no_news() -> None:
    assert changes([], [found(100, 150, "up")], since=150) == []


def test_late_evidence_that_moves_the_end_of_a_closed_outage_publishes_nothing() -> None:
    assert changes([Noticed(ID, 100, 150)], [found(100, 170, "up")], since=160) == []


def test_an_outage_that_never_was_is_retracted() -> None:
    open_one = Noticed(ID, 100, None)
    assert changes([open_one], [], since=150) == [Closed(open_one, 100, None)]


def test_an_outage_that_lasts_longer_than_what_is_read_keeps_its_beginning() -> None:
    over = found(1000, 1500, "up", began_before=True)
    assert changes([Noticed(ID, 100, None)], [over], since=1400) == [Closed(Noticed(ID, 100, None), 100, over)]


def test_an_outage_that_moved_back_in_time_is_the_same_one() -> None:
    assert changes([Noticed(ID, 100, None)], [found(80, 200)], since=190) == []


def test_one_outage_that_late_evidence_splits_is_closed_and_the_second_part_is_opened() -> None:
    first, second = found(100, 150, "up"), found(160, 200)
    open_one = Noticed(ID, 100, None)
    assert changes([open_one], [first, second], since=190) == [Closed(open_one, 100, first), Opened(second)]


def test_an_outage_that_goes_on_after_it_was_closed_is_opened_anew() -> None:
    again = found(100, 200)
    assert changes([Noticed(uuid4(), 100, 150)], [again], since=190) == [Opened(again)]
