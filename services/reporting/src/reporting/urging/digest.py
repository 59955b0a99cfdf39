"""The words of a digest, Vietnamese first, English second. Plain text: every channel carries it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from reporting.documents.letter.wording import cause_name
from reporting.domain.instants import VIETNAM, Millis, moment
from reporting.urging.decision import CENTRE_NOT_ASKING, HOUR, OBSTRUCTION, Owed
from vonggac.decree.dates import short_day

SHOWN = 50
"""Lines of a message; the whole list is in the log."""
RESTRICTED = "cơ sở hạn chế"
"""What stands for a facility, and its camera, to who may not see it."""
LEVELS: Mapping[int, tuple[str, str]] = {
    1: ("nhắc việc", "notice"),
    2: ("đôn đốc bằng công văn", "official letter"),
    3: ("báo cáo UBND tỉnh", "escalated to the People's Committee"),
}


class Message(NamedTuple):
    """The message of a digest."""

    title: str
    text: str


def day_shown(instant: Millis) -> str:
    """Format the day in Vietnam, as official documents write it."""
    return short_day(moment(instant).astimezone(VIETNAM))


def items_kept(items: Sequence[Owed]) -> list[dict[str, Any]]:
    """As the log keeps them."""
    return [
        {
            name: None if value is None else str(value) if isinstance(value, UUID) else value
            for name, value in one._asdict().items()
        }
        for one in items
    ]


def visible_to(item: Mapping[str, Any], agency_id: str | None) -> Mapping[str, Any]:
    """Narrow the item to what a reader may see: a restricted facility is named to its own agency and to who owes it."""
    if not item.get("restricted") or (agency_id is not None and agency_id in {item["managing"], item["responsible"]}):
        return item
    hidden = {"facility_code": None, "facility_name": RESTRICTED}
    return {**item, **hidden, "code": RESTRICTED} if item["outage"] else {**item, **hidden}


def state_shown(since: Millis, at: Millis) -> str:
    """`Sắp đến hạn`, `Quá hạn`, `Quá hạn 2 ngày`."""
    if since > at:
        return "Sắp đến hạn"
    late = (at - since) // (24 * HOUR)
    return f"Quá hạn {late} ngày" if late else "Quá hạn"


def message(
    urge_id: str,
    agency_name: str,
    level: int,
    items: Sequence[Mapping[str, Any]],
    now: Millis,
    agency_id: str | None = None,
) -> Message:
    """`items` as the log keeps them. Vietnamese whole, then English whole."""
    shown = [visible_to(one, agency_id) for one in items]
    obligations = [one for one in shown if not one["outage"]]
    outages = [one for one in shown if one["outage"]]
    vi, en = LEVELS[level]
    title = f"[Vọng Gác] Đôn đốc mức {level} ({vi}): {len(obligations)} nghĩa vụ, {len(outages)} camera mất kết nối"
    lines = [f"Kính gửi: {agency_name}", ""]
    lines += _section("Nghĩa vụ đến hạn hoặc quá hạn:", obligations, now, item_shown, "và {} mục khác")
    lines += _section("Camera đang mất kết nối:", outages, now, item_shown, "và {} mục khác")
    lines += ["Đề nghị quý cơ quan xử lý và phản hồi.", f"Số theo dõi: {urge_id}", "", "--- English ---", ""]
    lines += [f"To: {agency_name}. Level {level}: {en}.", ""]
    lines += _section("Obligations due or overdue:", obligations, now, item_in_english, "and {} more")
    lines += _section("Cameras that are down:", outages, now, item_in_english, "and {} more")
    lines += ["Please see to these and answer.", f"Reference: {urge_id}"]
    return Message(title, "\n".join(lines))


def _section(
    heading: str,
    items: Sequence[Mapping[str, Any]],
    now: Millis,
    line: Callable[[Mapping[str, Any], Millis], str],
    more: str,
) -> list[str]:
    if not items:
        return []
    lines = [heading, *(f"- {line(one, now)}" for one in items[:SHOWN])]
    if len(items) > SHOWN:
        lines.append(f"- … {more.format(len(items) - SHOWN)}")
    return [*lines, ""]


def item_shown(item: Mapping[str, Any], now: Millis) -> str:
    """One line about one thing."""
    where = _where(item)
    if item["outage"]:
        at = moment(item["since"]).astimezone(VIETNAM)
        cause = cause_name(item["title"] or None)
        late = "; bảo trì khai báo, không được thống nhất trước" if item.get("declared") else ""
        return f"{item['code']} ({cause.lower()}){where}: mất từ {at:%H:%M} ngày {day_shown(item['since'])}{late}"
    if item["kind"] == CENTRE_NOT_ASKING:
        at = moment(item["since"]).astimezone(VIETNAM)
        return f"Đích {item['code']}{where}: {item['title']} từ {at:%H:%M} ngày {day_shown(item['since'])}"
    if item["kind"] == OBSTRUCTION:
        return f"{item['code']}{where}: {item['title']}, từ ngày {day_shown(item['since'])}"
    due = f"{item['code']} {item['title']}{where}: trước ngày {day_shown(item['since'])}"
    return f"{due}, {state_shown(item['since'], now).lower()}" if item["since"] <= now else due


def item_in_english(item: Mapping[str, Any], now: Millis) -> str:
    """Write the same line in English; names of duties and facilities are as the register has them."""
    where = _where(item)
    if item["outage"]:
        at = moment(item["since"]).astimezone(VIETNAM)
        late = "; maintenance declared, not agreed beforehand" if item.get("declared") else ""
        return f"{item['code']} ({item['title'] or 'cause not known'}){where}: down since {at:%H:%M %d/%m/%Y}{late}"
    if item["kind"] == CENTRE_NOT_ASKING:
        at = moment(item["since"]).astimezone(VIETNAM)
        return f"Destination {item['code']}{where}: the centre has not asked since {at:%H:%M} on {at:%d/%m/%Y}"
    if item["kind"] == OBSTRUCTION:
        return f"Obstruction{where}: {item['title']}, since {moment(item['since']).astimezone(VIETNAM):%d/%m/%Y}"
    due = f"{item['code']} {item['title']}{where}: before {moment(item['since']).astimezone(VIETNAM):%d/%m/%Y}"
    days = (now - item["since"]) // (24 * HOUR)
    late = f", overdue by {days} days" if days > 0 else ", overdue"
    return f"{due}{late}" if item["since"] <= now else due


def _where(item: Mapping[str, Any]) -> str:
    place = " ".join(part for part in (item["facility_code"], item["facility_name"]) if part)
    return f" – {place}" if place else ""
