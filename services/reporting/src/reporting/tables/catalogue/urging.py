"""The log of urging (R11): who was urged, when, about what, with which outcome, and what was answered."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, tuple_

from reporting.domain.instants import millis
from reporting.storage.sending import log
from reporting.storage.sending.urging_tables import urge
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions
from reporting.tables.table import Column, Kind, Row, Table

TEXT, INSTANT, INTEGER = Kind.TEXT, Kind.INSTANT, Kind.INTEGER
PORTION = 500
"""Entries read at a time, with their sendings and answers."""

URGES = Table(
    "urges",
    "Nhật ký đôn đốc",
    "Log of urging",
    "A row for each time that a party was urged, of all times.",
    (
        Column("urge_id", TEXT, "Số theo dõi", "Id of the entry; every message and letter names it.", required=True),
        Column("urged_at", INSTANT, "Đôn đốc lúc", "When.", required=True),
        Column("agency_id", TEXT, "ID cơ quan", "Who was urged.", required=True),
        Column("agency_code", TEXT, "Mã cơ quan", "Its code of then."),
        Column("agency_name", TEXT, "Cơ quan", "Its name of then."),
        Column("level", INTEGER, "Mức", "1 a notice, 2 with a letter, 3 to the people's committee.", required=True),
        Column("decided_by", TEXT, "Người quyết định", "`rules`, or the subject of the token.", required=True),
        Column("obligations", INTEGER, "Số nghĩa vụ", "Obligations that it was urged about.", amount="obligations"),
        Column("outages", INTEGER, "Số camera mất kết nối", "Outages that it was urged about.", amount="outages"),
        Column("codes", TEXT, "Mã nội dung", "Codes of these obligations and cameras."),
        Column("channels", INTEGER, "Số kênh", "Channels that it was sent through.", amount="channels"),
        Column("channels_sent", INTEGER, "Số kênh đã gửi", "Those that took it.", amount="channels"),
        Column("outcomes", TEXT, "Kết quả gửi", "Each channel with the outcome of its last attempt."),
        Column("answers", INTEGER, "Số trả lời", "How often it answered.", amount="answers"),
        Column("answered_at", INSTANT, "Trả lời lúc", "Its newest answer."),
        Column("answer_text", TEXT, "Nội dung trả lời", "What it answered then."),
        Column("answer_document", TEXT, "Văn bản trả lời", "Number of the letter that answers."),
        Column("promised_at", INSTANT, "Hứa xong trước", "Before when it promises to be done."),
    ),
    ("urge_id",),
    periodic=False,
)


async def rows(asked: Selection) -> Portions:
    """In the order in which they were urged; `only`: this agency."""
    wanted = select(urge).order_by(urge.c.urged_at, urge.c.id).limit(PORTION)
    if asked.only is not None:
        wanted = wanted.where(urge.c.agency_id == asked.only)
    found = (await asked.session.execute(wanted)).all()
    while found:
        ids = [row.id for row in found]
        sendings, answers = await log.sendings(asked.session, ids), await log.answers(asked.session, ids)
        yield [_row(row, sendings.get(row.id, ()), answers.get(row.id, ())) for row in found]
        last = found[-1].urged_at, found[-1].id
        found = (await asked.session.execute(wanted.where(tuple_(urge.c.urged_at, urge.c.id) > tuple_(*last)))).all()


def _row(entry: Any, sendings: Sequence[Any], given: Sequence[Any]) -> Row:
    """Build a row with the party's own answers: those of facilities stand in the log alone."""
    answers = [one for one in given if one.facility_id is None]
    answer = answers[-1] if answers else None
    promised = None if answer is None or answer.promised_by is None else millis(answer.promised_by)
    outages = sum(bool(one["outage"]) for one in entry.items)
    return (
        str(entry.id),
        millis(entry.urged_at),
        str(entry.agency_id),
        entry.agency_code,
        entry.agency_name,
        entry.level,
        entry.decided_by,
        len(entry.items) - outages,
        outages,
        " ".join(one["code"] for one in entry.items),
        len(sendings),
        sum(one.state == "sent" for one in sendings),
        "; ".join(f"{one.channel_name}: {one.outcome or one.state}" for one in sendings),
        len(answers),
        None if answer is None else millis(answer.answered_at),
        None if answer is None else answer.text,
        None if answer is None else answer.document,
        promised,
    )


SOURCES = (Source(URGES, rows, narrowed=False, whole=True),)
