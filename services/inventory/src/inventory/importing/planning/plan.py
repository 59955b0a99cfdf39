"""What a table would change: for each row the record that it finds, and each field before and after."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from itertools import product
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from inventory.importing.checking.cells import KEPT, LEFT_OUT
from inventory.importing.checking.cells import to_text as shown_cell
from inventory.importing.checking.codes import OnRecord, check_codes
from inventory.importing.checking.rows import CheckedRow, Guarded, check_cells
from inventory.importing.columns import Column, Kind
from inventory.importing.derived import code_column
from inventory.importing.mistakes import Mistakes, phrase
from inventory.importing.mistakes.secrets import hide_secrets
from inventory.importing.mistakes.translated import translate
from inventory.importing.planning.register import Register, key_of
from inventory.importing.reading.table import Table
from inventory.nouns.noun import Noun
from inventory.storage.conflicts import code_taken

NAMED = 8


class Action(StrEnum):
    """What a row does."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(slots=True)
class Planned:
    """One row. `given`: what a new thing is made of; `patch`: the fields of a present one that change, as they will be.

    Twenty thousand of them wait for each other, so the checked model is not kept.
    """

    line: int
    label: str
    action: Action
    given: Mapping[str, Any]
    present: Mapping[str, Any] | None
    patch: dict[str, Any]
    changes: dict[str, tuple[Any, Any]]
    """Column to its value before and after, as a file has it; of `patch` and `given` only where somebody reads it."""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> UUID | None:
        return None if self.present is None else self.present["id"]


class FileRules:
    """What is particular about the rows of a noun."""

    def before(self, row: CheckedRow, given: dict[str, Any], mistakes: Mistakes) -> dict[str, Any]:
        """Prepare `given` (top-level fields) for the check as a whole; returns what goes beside the fields."""
        return {}

    def after(self, planned: Planned, fields: Any, mistakes: Mistakes) -> None:
        """Rules that need the row as a whole (`fields`: the noun's, checked) and what is on record."""

    def together(self, plan: "Plan", mistakes: Mistakes) -> None:
        """Rules between the rows of a file."""


@dataclass(slots=True)
class Plan:
    """All rows of a table in the order of the file."""

    noun: Noun
    table: Table
    rows: list[Planned] = field(default_factory=list)
    counts: Counter[Action] = field(default_factory=Counter)
    coming: Mapping[UUID, str] = field(default_factory=dict)
    """As of the register."""
    skipped: int = 0
    """Rows that were not stored, for they refer to one that is wrong."""

    def add(self, row: Planned) -> None:
        """Add the next row."""
        self.rows.append(row)
        self.counts[row.action] += 1

    def split_off(self, fits: Callable[[Planned], bool]) -> list["Plan"]:
        """Move the rows that fit into a plan of their own; the counts stay in this one. None of them: no plan."""
        rows = [row for row in self.rows if fits(row)]
        self.rows = [row for row in self.rows if not fits(row)]
        return [Plan(self.noun, self.table, rows, coming=self.coming)] if rows else []

    def take_rows(self, action: Action) -> list[Planned]:
        """Take the rows that do this out of the plan: whoever stores them may forget each."""
        taken = [row for row in self.rows if row.action is action]
        self.rows = [row for row in self.rows if row.action is not action]
        return taken


def make_plan(
    noun: Noun, table: Table, register: Register, mistakes: Mistakes, rules: FileRules, *, shown: bool = True
) -> Plan:
    """Compare. What is wrong goes to `mistakes`; such rows are not in the plan. Pure: nothing is read or written.

    The table's rows are forgotten on the way: twenty thousand in three forms at once weigh too much.
    `shown`: somebody reads the difference, as of a dry run.
    """
    plan = Plan(noun, table, coming=register.coming)
    guarded = Guarded(table)
    secrets = array("q", (hash(shown_cell(row.cells[name])) for name in guarded.secrets for row in table.rows))
    checked = check_cells(table, mistakes)
    table.rows.clear()
    repeated = _check_keys(noun, checked, register, mistakes)
    comparison = _Comparison(noun, table, register, rules, repeated, shown=shown)
    checked.reverse()
    while checked:
        row = checked.pop()
        found = Mistakes(mistakes.sheet)
        planned = _plan_row(comparison, row, found)
        guarded.hide(found, row.values)
        # One mistake of a cell is enough: what follows from it is none of its own.
        mistakes.add_all(mistake for mistake in found.found if mistake.column not in row.wrong)
        if planned is not None and not row.wrong:
            plan.add(planned)
    rules.together(plan, mistakes)
    _hide_logins(mistakes, secrets, register)
    return plan


def _hide_logins(mistakes: Mistakes, secrets: Iterable[int], register: Register) -> None:
    """Hide in all mistakes what is a name or a password elsewhere in the file; a code on record is neither.

    `secrets`: hashes of those, since twenty thousand texts would weigh much for what is rarely needed.
    """
    known = {*secrets} if mistakes.count else set()
    for place, mistake in enumerate(mistakes.found if known else ()):
        value = mistake.value
        if not value or hash(value) not in known or value in register.others:
            continue
        if not any(value in codes for codes in register.ids.values()):
            mistakes.found[place] = mistake.without({value})


@dataclass(frozen=True, slots=True)
class RepeatedKey:
    """A row with the key of an earlier one. `number`: 1 for the second of them; `first`: the line of the first."""

    number: int
    key: str
    first: int


class _Comparison:
    """What every row is compared with."""

    def __init__(
        self,
        noun: Noun,
        table: Table,
        register: Register,
        rules: FileRules,
        repeated: Mapping[int, RepeatedKey],
        *,
        shown: bool,
    ) -> None:
        self.noun, self.table, self.register, self.rules, self.shown = noun, table, register, rules, shown
        self.repeated = repeated
        columns = table.columns.columns
        self.touched = [column for column in columns if column.name in table.present and column.path]
        self.nested = {column.path[0] for column in columns if len(column.path) > 1}


def _check_keys(
    noun: Noun, rows: Sequence[CheckedRow], register: Register, mistakes: Mistakes
) -> dict[int, RepeatedKey]:
    """Check the codes; of rows that are found by something else, the lines that have the key of an earlier one."""
    if noun.key == ("code",):
        known = {key[0]: None for key in register.present} | dict.fromkeys(register.others)
        codes = ((row.line, row.values["code"]) for row in rows if row.values.get("code") is not None)
        check_codes(codes, known, "code", mistakes)
        return {}
    lines: dict[tuple[Any, ...], list[int]] = {}
    repeated: dict[int, RepeatedKey] = {}
    columns = _key_columns(noun)
    for row in rows:
        key = tuple(row.values.get(name) for name in columns)
        if row.wrong.intersection(columns):
            continue
        before = lines.setdefault(key, [])
        if before:
            shown = " / ".join(hide_secrets(str(part)) for part in key if part is not None)
            repeated[row.line] = RepeatedKey(len(before), shown, before[0])
        before.append(row.line)
    return repeated


def _key_columns(noun: Noun) -> list[str]:
    return [code_column(name) if name in noun.references else name for name in noun.key]


def _plan_row(comparison: _Comparison, row: CheckedRow, mistakes: Mistakes) -> Planned | None:
    noun, table, register, touched = comparison.noun, comparison.table, comparison.register, comparison.touched
    before = mistakes.count
    given = _given(row, touched, register, mistakes)
    extra = comparison.rules.before(row, given, mistakes)
    present = _on_record(noun, row, touched, given, register)
    if (repeated := comparison.repeated.get(row.line)) is not None:
        others = register.more.get(key_of(noun, given), ())
        if repeated.number <= len(others):
            present = others[repeated.number - 1]
        else:
            mistakes.add_phrase(row.line, _key_columns(noun)[0], "twice", value=repeated.key, line=repeated.first)
    if row.values.get("code") in register.taken:
        mistakes.add(row.line, "code", translate(code_taken(noun.table.__tablename__)), value=row.values["code"])
    if "code" in given and "code" not in noun.fields.model_fields:
        code = given.pop("code")
        if code is not None and present is None:
            mistakes.add_phrase(row.line, "code", "given_by_register", value=code)
            return None
    if present is None and (empty := [name for name, value in row.values.items() if value is KEPT]):
        mistakes.add(row.line, empty[0], phrase("records_left_out"), value=LEFT_OUT)
        return None
    if not _same_revision(row, present, mistakes):
        return None
    whole = _whole(noun, given, present, comparison.nested)
    try:
        fields = noun.fields.model_validate(whole)
    except ValidationError as error:
        _add_validation_errors(row.line, error, table, row, mistakes)
        return None
    if mistakes.count > before or row.wrong:
        return None
    patch: dict[str, Any] = {}
    changes: dict[str, tuple[Any, Any]] = {}
    if present is not None or comparison.shown:
        after = fields.model_dump(include=set(given))
        changed = {name: new for name, new in after.items() if present is None or _differs(present.get(name), new)}
        changes = _changes(touched, changed, present, register) if comparison.shown else {}
        patch = changed if present is not None else {}
    action = Action.CREATED if present is None else Action.UPDATED if patch else Action.UNCHANGED
    label = " / ".join(str(value) for name in table.columns.key if (value := row.values.get(name)) is not None)
    made_of = whole if present is None else {}
    planned = Planned(row.line, label, action, made_of, present, patch, changes, extra)
    for name in sorted(noun.unchangeable & patch.keys()):
        mistakes.add_phrase(row.line, name, "once", value=str(patch[name]))
    comparison.rules.after(planned, fields, mistakes)
    return planned if mistakes.count == before else None


def _given(row: CheckedRow, touched: Sequence[Column], register: Register, mistakes: Mistakes) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for column in touched:
        value = row.values[column.name]
        if value is KEPT:
            continue
        if column.reference is not None and value is not None:
            codes = value if column.kind is Kind.CODES else (value,)
            found = tuple(_referred(row.line, column, code, register, mistakes) for code in codes)
            value = found if column.kind is Kind.CODES else found[0]
        if len(column.path) == 1:
            given[column.path[0]] = value
        else:
            given.setdefault(column.path[0], {})[column.path[1]] = value
    return given


def _on_record(
    noun: Noun, row: CheckedRow, touched: Sequence[Column], given: dict[str, Any], register: Register
) -> Mapping[str, Any] | None:
    """Find the record that the row names. A code that several have had is of the one that the record refers to."""
    if not register.several:
        return register.present.get(key_of(noun, given))
    choices = {
        column.path[0]: several
        for column in touched
        if column.kind is Kind.CODE
        and (several := register.several.get(column.reference or "", {}).get(row.values[column.name] or ""))
    }
    keyed = [name for name in noun.key if name in choices]
    for ids in product(*(choices[name] for name in keyed)):
        present = register.present.get(key_of(noun, {**given, **dict(zip(keyed, ids, strict=True))}))
        if present is not None:
            given |= {name: present[name] for name, several in choices.items() if present[name] in several}
            return present
    return None


def _referred(line: int, column: Column, code: str, register: Register, mistakes: Mistakes) -> UUID:
    known = register.ids.get(column.reference or "", OnRecord())
    found = known.get(code)
    if found is None:
        check_on_record(mistakes, line, column.name, code, known)
        # The cell is not empty: what a rule says of an empty one would be no mistake of this row.
        return uuid5(NAMESPACE_OID, code)
    return found


def check_on_record(mistakes: Mistakes, line: int, column: str, code: str, known: OnRecord[Any]) -> None:
    """Add a mistake when `code` is not among the known ones; one that lost its leading zero is recognised."""
    if code in known:
        return
    if near := known.near(code):
        key = "lost_zero_code" if len(near) > len(code) else "like_another"
        where, where_vi = "on record", "đã có trong sổ"
        mistakes.add_phrase(line, column, key, value=code, there=near, other=near, where=where, where_vi=where_vi)
        return
    some = ", ".join(known.ordered[:NAMED]) + (", …" if len(known) > NAMED else "")
    mistakes.add_phrase(line, column, "not_on_record", value=code, there=some or "none yet", there_vi=some or "chưa có")


def _same_revision(row: CheckedRow, present: Mapping[str, Any] | None, mistakes: Mistakes) -> bool:
    if row.revision is None:
        return True
    if present is None:
        mistakes.add(row.line, "revision", phrase("gone", given=row.revision), value=row.revision)
    elif present["revision"] != row.revision:
        text = phrase("changed_meanwhile", given=row.revision, now=present["revision"], who="")
        mistakes.add(row.line, "revision", text, value=row.revision)
    else:
        return True
    return False


def _whole(noun: Noun, given: Mapping[str, Any], present: Mapping[str, Any] | None, nested: set[str]) -> dict[str, Any]:
    """Merge the fields as they would be. An empty cell takes the default, a missing column what is on record."""
    whole = {name: present[name] for name in noun.fields.model_fields if name in present} if present is not None else {}
    for name, value in given.items():
        if name in nested and isinstance(value, dict):
            merged = {**((present or {}).get(name) or {}), **value}
            whole[name] = merged if any(part is not None for part in merged.values()) else None
        elif value is None and not noun.fields.model_fields[name].is_required():
            whole.pop(name, None)
        else:
            whole[name] = value
    return whole


def _differs(before: Any, after: Any) -> bool:
    if isinstance(before, list | tuple | Mapping | BaseModel):
        # Records are objects on record, and plain values in a plan.
        return bool(to_jsonable_python(before) != to_jsonable_python(after))
    return bool(before != after)


def _changes(
    touched: Sequence[Column], changed: Mapping[str, Any], present: Mapping[str, Any] | None, register: Register
) -> dict[str, tuple[Any, Any]]:
    changes: dict[str, tuple[Any, Any]] = {}
    for column in touched if changed else ():
        if column.path[0] not in changed:
            continue
        old = _at(present, column, register) if present is not None else None
        new = _at(changed, column, register)
        if old != new:
            changes[column.name] = (old, new)
    return changes


def _at(values: Mapping[str, Any], column: Column, register: Register) -> Any:
    value: Any = values.get(column.path[0])
    for name in column.path[1:]:
        value = (value or {}).get(name)
    if column.reference is not None and value is not None:
        codes = register.codes.get(column.reference, {})
        return (
            [codes.get(each, str(each)) for each in value]
            if column.kind is Kind.CODES
            else codes.get(value, str(value))
        )
    if isinstance(value, Enum):
        return value.value
    return value if value is None or isinstance(value, str | int | float) else to_jsonable_python(value)


def _add_validation_errors(
    line: int, error: ValidationError, table: Table, row: CheckedRow, mistakes: Mistakes
) -> None:
    names = {".".join(column.path): column.name for column in table.columns.columns if column.path}
    for found in error.errors(include_url=False, include_input=False):
        loc = ".".join(str(part) for part in found["loc"])
        column = names.get(loc) or _column_of_parent(loc, table) or (loc or "row")
        value = row.values.get(column)
        hidden = column in table.columns.by_name and table.columns.by_name[column].secret
        if any(mistake.column == column for mistake in mistakes.found):
            continue
        text = translate(found["msg"], found["type"], found.get("ctx"))
        mistakes.add(line, column, text, value=None if value is None else "***" if hidden else value)


def _column_of_parent(loc: str, table: Table) -> str | None:
    inside = [column.name for column in table.columns.columns if loc and column.path[:1] == (loc.split(".")[0],)]
    return next((name for name in inside if name in table.present), inside[0] if inside else None)
