"""One import from its bytes to its result: read, compare, and, unless it is a dry run, store."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.importing.checking.cells import to_text
from inventory.importing.checking.codes import OnRecord
from inventory.importing.columns import REVISION, Columns
from inventory.importing.derived import columns_of
from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.collected import FILE, MOST_KEPT, Mistake, refused
from inventory.importing.planning.cameras import CameraRules, Connections, read_connections
from inventory.importing.planning.plan import Action, FileRules, Plan, make_plan
from inventory.importing.planning.register import Brought, Register, read_register
from inventory.importing.planning.rights import check_rights
from inventory.importing.reading.file import read_file
from inventory.importing.reading.sheet import RawFile, Sheet
from inventory.importing.reading.table import Table, read_table
from inventory.importing.storing.cameras import store_cameras
from inventory.importing.storing.people import FacilityRules, read_people_in_office
from inventory.importing.storing.rows import NounRules, store_rows
from inventory.nouns.devices.secrets import may_write_secrets
from inventory.nouns.noun import Noun
from inventory.nouns.writer import Write
from inventory.storage.queries.sight import HIDDEN, is_contact
from vonggac.auth import Principal
from vonggac.http import FieldError
from vonggac.net.allowed_networks import AllowedNetworks

CHECKED = "check"
"""In place of the reason that an import may need."""


@dataclass(slots=True)
class Upload:
    """A file as it was sent."""

    body: bytes
    raw: RawFile | None = None
    """Until its tables are read; `read_again` for the file that goes back."""
    mistakes: list[Mistake] = field(default_factory=list)
    more_mistakes: int = 0
    """Counted, and not kept."""
    tables: list[Table] = field(default_factory=list)

    def add_mistakes(self, found: Mistakes) -> None:
        """Keep those of one of its sheets, as long as all of them are not too many."""
        room = max(0, MOST_KEPT - len(self.mistakes))
        self.mistakes += found.found[:room]
        self.more_mistakes += found.more + len(found.found[room:])


@dataclass(frozen=True, slots=True)
class Importing:
    """What an import needs beside its file."""

    caller: Principal
    allowed: AllowedNetworks | None
    rules: NounRules
    today: date
    reason: str | None = None


async def read_upload(body: bytes, nouns: Sequence[Noun]) -> Upload:
    """Read the tables of `nouns`, in their order: one of a CSV file, those that a workbook has. Mistakes are in it."""
    upload = Upload(body)
    mistakes = Mistakes()
    known = {heading for noun in nouns for heading in columns_of(noun).by_heading}
    upload.raw = await asyncio.to_thread(read_file, body, mistakes, known)
    upload.add_mistakes(mistakes)
    if upload.raw is None:
        return upload
    for noun in nouns:
        sheet = sheet_of(upload.raw.sheets, noun, alone=len(nouns) == 1)
        if sheet is not None:
            mistakes = Mistakes(sheet.name or None)
            table = await asyncio.to_thread(read_table, sheet, columns_of(noun), mistakes)
            if _is_left_empty(table, mistakes):
                if len(nouns) > 1:
                    continue
                if upload.mistakes:
                    # What could not be read is a mistake already.
                    mistakes.found.clear()
            upload.tables.append(table)
            upload.add_mistakes(mistakes)
    if not upload.mistakes:
        upload.raw = None
    if not upload.tables and not upload.mistakes:
        mistakes = Mistakes()
        wanted = ", ".join(columns_of(noun).sheet for noun in nouns)
        mistakes.add_phrase(
            1,
            FILE,
            "no_sheet",
            noun=", ".join(noun.singular for noun in nouns),
            noun_vi=", ".join(noun.vietnamese for noun in nouns),
            sheet=wanted,
        )
        upload.add_mistakes(mistakes)
    return upload


def read_again(upload: Upload) -> None:
    """Have the raw rows again, of a file whose mistakes were found after they had been forgotten."""
    if upload.raw is None:
        known = {heading for table in upload.tables for heading in table.columns.by_heading}
        upload.raw = read_file(upload.body, Mistakes(), known)


def _is_left_empty(table: Table, mistakes: Mistakes) -> bool:
    """Whether a sheet of a workbook has its headings and nothing below them: there is nothing of that noun."""
    return not table.rows and [mistake.column for mistake in mistakes.found] == [FILE]


def sheet_of(sheets: Sequence[Sheet], noun: Noun, *, alone: bool) -> Sheet | None:
    """Find the sheet named after the noun, in either language; `alone`: else the only visible one with rows."""
    names = {columns_of(noun).sheet.casefold(), noun.path.casefold(), noun.name.casefold(), noun.vietnamese.casefold()}
    visible = [sheet for sheet in sheets if not sheet.hidden]
    named = next((sheet for sheet in visible if sheet.name.strip().casefold() in names), None)
    if named is not None or not alone:
        return named
    filled = [sheet for sheet in visible if sheet.rows] or visible
    return filled[0] if len(filled) == 1 else None


def brought_by(tables: Sequence[Table]) -> Brought:
    """List the codes of a file, by noun; before its rows are planned, which forgets them.

    No record has one with a NUL, and the database cannot be asked about it.
    """
    return {
        table.columns.noun: {
            code for row in table.rows if (code := to_text(row.cells.get("code", ""))) and "\0" not in code
        }
        for table in tables
    }


async def plan_table(
    session: AsyncSession,
    noun: Noun,
    table: Table,
    job: Importing,
    mistakes: Mistakes,
    brought: Brought,
    *,
    stored: bool,
) -> Plan:
    """Read what is on record and compare. Holds up nobody. Raises ProblemError 403 for what the caller may not.

    `stored`: it is no dry run.
    """
    register = await read_register(session, noun, brought)
    rules = await _rules(session, noun, register, job, brought)
    plan = await asyncio.to_thread(make_plan, noun, table, register, mistakes, rules, shown=not stored)
    if isinstance(rules, CameraRules) and rules.has_secrets:
        may_write_secrets(job.caller)
    check_rights(plan, job.caller)
    return plan


async def _rules(session: AsyncSession, noun: Noun, register: Register, job: Importing, brought: Brought) -> FileRules:
    if noun.name == "camera":
        connections = await read_connections(session, brought)
        return CameraRules(connections, register, job.allowed, today=job.today, reason=job.reason)
    if noun.name == "facility":
        people = await read_people_in_office(session, job.today)
        return FacilityRules(people, reason=job.reason, more_people="focal_point" in brought)
    return FileRules()


async def store_plan(writing: Write, plan: Plan, rules: NounRules, mistakes: Mistakes) -> None:
    """In a long write, before it queues. Every mistake goes to `mistakes`, or is raised as ProblemError 422."""
    if plan.noun.name == "camera":
        await store_cameras(writing, plan, mistakes)
    else:
        await store_rows(writing, plan, rules, mistakes)


def check(upload: Upload) -> None:
    """Raise ProblemError 422 when there are mistakes."""
    if not upload.mistakes:
        return
    tables = {table.sheet or None: table for table in upload.tables}

    def heading_of(mistake: Mistake) -> str | None:
        table = tables.get(mistake.sheet)
        if table is None or mistake.column not in {*table.columns.by_name, REVISION}:
            return None
        return table.headings.get(mistake.column) or table.columns.heading(mistake.column)

    raise refused(upload.mistakes, heading_of, more=upload.more_mistakes)


def difference(plan: Plan, most: int, *, people: bool = True) -> list[dict[str, Any]]:
    """Row by row, field by field, what a plan changes; rows without a change are left out.

    Without `people`, phones and e-mail addresses are hidden.
    """
    rows: list[dict[str, Any]] = []
    for row in plan.rows:
        if row.action is Action.UNCHANGED:
            continue
        if len(rows) == most:
            break
        changes = [
            {"column": name, "heading": plan.table.columns.heading(name), "before": before, "after": after}
            for name, (before, after) in _hide_contacts(row.changes, people=people)
        ]
        where = {"sheet": plan.table.sheet or None, "row": row.line}
        rows.append({**where, "key": row.label, "action": row.action.value, "changes": changes})
    return rows


def _hide_contacts(changes: Mapping[str, tuple[Any, Any]], *, people: bool) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for name, (before, after) in changes.items():
        if people or not is_contact(name):
            yield name, (before, after)
        else:
            yield name, (before and HIDDEN, after and HIDDEN)


async def check_file(body: bytes, noun: Noun, *, known: Mapping[str, Collection[str]], today: date) -> list[FieldError]:
    """Every mistake of a file of one noun that an import into an empty register would name, in the order of its lines.

    `known`: noun to the codes that a row may refer to; of any other noun each code is taken for one on record.
    """
    upload = await read_upload(body, [noun])
    found = list(upload.mistakes)
    for table in upload.tables if not found else ():
        mistakes = Mistakes(table.sheet or None)
        register = _empty_register(table, columns_of(noun), known)
        make_plan(noun, table, register, mistakes, _rules_of_nothing(noun, register, today), shown=False)
        found += mistakes.found
    return [mistake.as_error(None) for mistake in sorted(found, key=lambda mistake: mistake.line)]


def _rules_of_nothing(noun: Noun, register: Register, today: date) -> FileRules:
    if noun.name == "camera":
        return CameraRules(Connections(OnRecord(), {}, set()), register, None, today=today, reason=CHECKED)
    return FacilityRules({}, reason=CHECKED) if noun.name == "facility" else FileRules()


def _empty_register(table: Table, columns: Columns, known: Mapping[str, Collection[str]]) -> Register:
    """Build a register that is empty but for what the rows refer to."""
    codes: dict[str, dict[UUID, str]] = {}
    for column in columns.columns:
        if column.reference is None:
            continue
        if column.reference in known:
            there = {*known[column.reference]}
        else:
            cells = [to_text(row.cells[column.name]) for row in table.rows if column.name in row.cells]
            there = {code.strip() for cell in cells for code in (cell, *cell.split(";"))} - {""}
        codes.setdefault(column.reference, {}).update({uuid5(NAMESPACE_OID, code): code for code in there})
    ids = {name: OnRecord({code: id_ for id_, code in each.items()}) for name, each in codes.items()}
    return Register({}, ids, codes)
