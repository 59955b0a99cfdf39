"""The words of a digest, Vietnamese first, English second. Plain text: every channel carries it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reporting.documents.letter.wording import cause_name
from reporting.domain.instants import VIETNAM, Millis, moment
from reporting.urging.decision import HOUR, Owed
from vonggac.decree.dates import short_day

SHOWN = 50
"""Lines of a message; the whole list is in the log."""
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
    """The day in Vietnam, as official documents write it."""
    return short_day(moment(instant).astimezone(VIETNAM))


def items_kept(items: Sequence[Owed]) -> list[dict[str, Any]]:
    """As the log keeps them."""
    return [
        {name: None if value is None else str(value) if name in {"responsible", "managing"} else value
         for name, value in one._asdict().items()}
        for one in items
    ]  # fmt: skip


def message(urge_id: str, agency_name: str, level: int, items: Sequence[Mapping[str, Any]], now: Millis) -> Message:
    """`items` as the log keeps them."""
    obligations = [one for one in items if not one["outage"]]
    outages = [one for one in items if one["outage"]]
    vi, en = LEVELS[level]
    title = f"[Vọng Gác] Đôn đốc mức {level} ({vi}): {len(obligations)} nghĩa vụ, {len(outages)} camera mất kết nối"
    lines = [f"Kính gửi: {agency_name}", ""]
    lines += _section("Nghĩa vụ đến hạn hoặc quá hạn / Obligations due or overdue:", obligations, now)
    lines += _section("Camera đang mất kết nối / Cameras that are down:", outages, now)
    lines += [
        "Đề nghị quý cơ quan xử lý và phản hồi.",
        f"Level {level} ({en}): please see to these and answer.",
        f"Số theo dõi / Reference: {urge_id}",
    ]
    return Message(title, "\n".join(lines))


def _section(heading: str, items: Sequence[Mapping[str, Any]], now: Millis) -> list[str]:
    if not items:
        return []
    lines = [heading, *(f"- {item_shown(one, now)}" for one in items[:SHOWN])]
    if len(items) > SHOWN:
        lines.append(f"- … và {len(items) - SHOWN} mục khác / and {len(items) - SHOWN} more")
    return [*lines, ""]


def item_shown(item: Mapping[str, Any], now: Millis) -> str:
    """One line about one thing."""
    place = " ".join(part for part in (item["facility_code"], item["facility_name"]) if part)
    where = f" – {place}" if place else ""
    if item["outage"]:
        at = moment(item["since"]).astimezone(VIETNAM)
        cause = cause_name(item["title"] or None)
        return f"{item['code']} ({cause.lower()}){where}: mất từ {at:%H:%M} ngày {day_shown(item['since'])}"
    if item["since"] <= now:
        days = (now - item["since"]) // (24 * HOUR)
        late = f"quá hạn {days} ngày" if days else "quá hạn"
        return f"{item['code']} {item['title']}{where}: trước ngày {day_shown(item['since'])}, {late}"
    return f"{item['code']} {item['title']}{where}: trước ngày {day_shown(item['since'])}"
