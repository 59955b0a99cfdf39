"""A table of every kind of column, and rows that are hard to write."""

import datetime
from uuid import UUID

from reporting.domain.segments import Period
from reporting.tables import Column, Kind, Row, Stamp, Table

STAMP = Stamp(1_763_592_000_001, Period(1_761_000_000_000, 1_763_592_000_000))
SAMPLE = Table(
    "sample",
    "Bảng mẫu",
    "Sample",
    "A row of every kind.",
    (
        Column("camera_id", Kind.TEXT, "Mã camera", "Its id.", required=True),
        Column("camera_name", Kind.TEXT, "Tên camera", "Its name."),
        Column("outages", Kind.INTEGER, "Số lần gián đoạn", "How many.", amount="outages"),
        Column("delay", Kind.NUMBER, "Độ trễ", "How late.", amount="s"),
        Column("compliant", Kind.BOOLEAN, "Đạt", "Whether it complies."),
        Column("seen_at", Kind.INSTANT, "Lúc thấy", "When it was seen."),
        Column("day", Kind.DATE, "Ngày", "Which day."),
        Column("down_ms", Kind.DURATION, "Mất (ms)", "How long it was down."),
        Column("down_s", Kind.DURATION, "Mất (giây)", "The same in seconds."),
        Column("up_percent", Kind.PERCENT, "Tỷ lệ", "How much of it was up."),
    ),
    ("camera_id",),
)
HARD = [
    "Trường học",
    "=1+1",
    "-5 độ",
    "+84",
    "@a",
    "\tx",
    "\rx",
    "\nx",
    "\uff1d1+1",
    "\uff20a",
    'a "b"',
    "a,b",
    "a;b",
    "a\nb",
    "a\\b",
    "'x",
    " a ",
    "1.5",
    "",
]
"""Names that a reader or a spreadsheet may take for something else."""


def rows(count: int, names: list[str] = HARD) -> list[Row]:
    """Rows with gaps in every column that may have some."""
    return [row(number, names) for number in range(count)]


def row(number: int, names: list[str] = HARD) -> Row:
    given: list[object] = [
        names[number % len(names)],
        number * number,
        number / 7,
        number % 2 == 0,
        1_761_000_000_000 + number * 86_399_999,
        datetime.date(2026, 11, 1) + datetime.timedelta(days=number),
        number * 1000 + 7,
        number * 1000 + 7,
        100 * number / 97 if number < 97 else 96.875,
    ]
    gap = number % 23
    return (str(UUID(int=number + 1)), *[None if place == gap else value for place, value in enumerate(given, 10)])


def stream_gone(at: datetime.datetime) -> dict[str, object]:
    """A row of a stream that was deleted, and stood again at that moment."""
    return {
        "stream": "OBSERVATIONS",
        "consumer": "",
        "kind": "gone",
        "lost_from": at - datetime.timedelta(seconds=9),
        "lost_until": at,
        "messages": 1742,
        "unread": 5,
        "filled_with": "kept_facts",
    }


def clock_set_back(at: datetime.datetime) -> dict[str, object]:
    """A row of the server's clock, set back by two minutes at that moment."""
    return {
        "stream": "OBSERVATIONS",
        "last_before": 1742,
        "stored_at": at,
        "first_after": 1743,
        "started_at": at - datetime.timedelta(minutes=2),
        "ended_at": at,
        "noticed_at": at,
        "refused": 3,
    }
