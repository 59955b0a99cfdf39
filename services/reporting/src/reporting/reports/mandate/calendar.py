"""Deadlines as a calendar (iCalendar, RFC 5545): one event per obligation that is not done everywhere, one per
inspection due.

"Before 10/5/2021" is the day 09/5/2021 in a calendar: an event on the 10th would be read as "until then". A deadline
within a day is an event at that minute. The same question gives the same bytes.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from reporting.domain.instants import VIETNAM, Millis, moment
from reporting.domain.mandate.obligations import PENDING, DueState
from reporting.reports.mandate.findings import day_of
from reporting.reports.mandate.inspections import InspectionDue
from reporting.reports.mandate.obligations import Item
from vonggac.mandate.facility_history import start_of_day

STATE_NAMES = {
    DueState.OPEN: "đang thực hiện",
    DueState.DUE_SOON: "sắp đến hạn",
    DueState.OVERDUE: "quá hạn",
}
LISTED = 50
"""Facilities named in an event at most."""


def calendar(items: Iterable[Item], inspections: Iterable[InspectionDue], at: Millis) -> bytes:
    """Write the feed as of an instant, UTF-8."""
    feed = Calendar()
    feed.add("prodid", "-//Vong Gac//Reporting//VI")
    feed.add("version", "2.0")
    feed.add("method", "PUBLISH")
    feed.add("x-wr-calname", "Vọng Gác: thời hạn")
    feed.add("x-wr-timezone", "Asia/Ho_Chi_Minh")
    by_obligation: dict[str, list[Item]] = {}
    for item in items:
        if item.obligation.every_days is None:
            by_obligation.setdefault(item.obligation.code, []).append(item)
    for code in sorted(by_obligation):
        _add_obligation(feed, by_obligation[code], at)
    for due in inspections:
        _add_inspection(feed, due, at)
    return bytes(feed.to_ical())


def _add_obligation(feed: Calendar, items: Sequence[Item], at: Millis) -> None:
    pending = [one for one in items if one.due.state in PENDING]
    due_before = items[0].due.due_before
    if due_before is None or not pending:
        return
    first = pending[0]
    names = [
        f"{one.facility.code} {one.facility.name} ({STATE_NAMES[one.due.state]})"
        for one in pending
        if one.facility is not None
    ]
    more = [f"… và {len(names) - LISTED} cơ sở khác"] if len(names) > LISTED else []
    lines = [
        f"Văn bản: {first.directive or '?'}",
        f"Chịu trách nhiệm: {first.responsible.name or first.responsible.id}",
        f"Trước: {moment(due_before).astimezone(VIETNAM):%H:%M %d/%m/%Y}",
        f"Chưa xong: {len(pending)}/{len(items)} cơ sở" if names else f"Tình trạng: {STATE_NAMES[first.due.state]}",
        *names[:LISTED],
        *more,
    ]
    event = _event(f"obligation-{first.obligation.id}", f"Hạn: {first.obligation.name}", lines, at)
    event.add("categories", [first.obligation.kind.value])
    if due_before == start_of_day(due_before):
        _on_day(event, day_of(due_before - 1))
    else:
        # Without an end: RFC 5545, 3.8.2.2, has none that is not later than the beginning.
        event.add("dtstart", moment(due_before))
    feed.add_component(event)


def _add_inspection(feed: Calendar, due: InspectionDue, at: Millis) -> None:
    last = "chưa kiểm tra lần nào" if due.last_on is None else f"lần trước: {due.last_on:%d/%m/%Y}"
    lines = [f"{due.every_days} ngày một lần; {last}", f"Tồn tại chưa khắc phục: {due.open_findings}"]
    if due.overdue_days:
        lines.append(f"Quá hạn {due.overdue_days} ngày")
    event = _event(f"inspection-{due.facility.id}", f"Kiểm tra {due.facility.code} {due.facility.name}", lines, at)
    event.add("categories", ["inspection"])
    _on_day(event, due.due_on)
    feed.add_component(event)


def _event(uid: str, summary: str, lines: Sequence[str], at: Millis) -> Event:
    event = Event()
    event.add("uid", f"{uid}@vonggac")
    event.add("dtstamp", datetime.fromtimestamp(at // 1000, tz=moment(at).tzinfo))
    event.add("summary", summary)
    event.add("description", "\n".join(lines))
    event.add("transp", "TRANSPARENT")
    return event


def _on_day(event: Event, day: date) -> None:
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
