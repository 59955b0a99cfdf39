"""Figures before and after: of a further version each that changed, of a regime's report the main ones."""

from collections.abc import Iterator, Mapping, Sequence

from reporting.reports.snapshot.canonical import Row, Value
from reporting.reports.snapshot.report import Report
from vonggac.mandate.facility_history import BOUND

KEYS: Mapping[str, tuple[str, ...]] = {
    "totals": (),
    "units": ("code", "name"),
    "agencies": ("code", "name"),
    "types": ("code",),
    "facilities": ("facility_id",),
    "progress": ("facility_id",),
    "obligations": ("obligation_id", "facility_id"),
    "proposals": ("proposal_id",),
    "cameras": ("camera_id",),
    "deliveries": ("delivery_id", "camera_id"),
    "outages": ("camera_id", "from_ms"),
    "security": ("camera_id",),
    "security_findings": ("camera_id", "security_item"),
    "days": ("from_ms",),
    "notes": ("note_kind", "from_ms"),
}
"""What names a row of each table that is compared. Strips are pictures of the same time, changes are this."""

type _Rows = Mapping[tuple[Value, ...], Row]


def changes(before: Mapping[str, Sequence[Row]], after: Mapping[str, Sequence[Row]]) -> list[Row]:
    """One row a figure: its table, row and column, and both values as text; a whole row has the column `*`."""
    found: list[Row] = []
    for table, key in KEYS.items():
        old, new = _by_key(before.get(table, ()), key), _by_key(after.get(table, ()), key)
        for name in sorted(old.keys() | new.keys(), key=lambda one: tuple(map(str, one))):
            row = " ".join(map(str, name)) or "all"
            if name not in new or name not in old:
                there = ("present", None) if name in old else (None, "present")
                found.append({"table": table, "row": row, "column": "*", "before": there[0], "after": there[1]})
                continue
            found += [
                {
                    "table": table,
                    "row": row,
                    "column": column,
                    "before": _text(value),
                    "after": _text(new[name][column]),
                }
                for column, value in old[name].items()
                if new[name].get(column) != value
            ]
    return found


def _by_key(rows: Sequence[Row], key: tuple[str, ...]) -> _Rows:
    return {tuple(row[name] for name in key): row for row in rows}


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def comparison(last: Report | None, tables: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Put the main figures beside those of the last report of the same regime, a row each; none of the first report.

    Shares are in millionths, null where nothing was measured.
    """
    if last is None:
        return []
    period, before = last.header.period, dict(_main_figures(last.tables))
    return [
        {
            "figure": figure,
            "last": before[figure],
            "current": current,
            "last_report_id": last.header.id,
            "last_from_ms": period.from_ms,
            "last_to_ms": period.to_ms,
        }
        for figure, current in _main_figures(tables)
    ]


def compared_anew(rows: Sequence[Row], tables: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Compare anew with other figures of this period: of a further version."""
    current = dict(_main_figures(tables))
    return [{**row, "current": current[str(row["figure"])]} for row in rows]


def _main_figures(tables: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, int | None]]:
    sums, days = tables["totals"][0], tables["days"]
    yield "facilities", _number(sums, "facilities")
    yield "facilities_with_cameras", _number(sums, "facilities_with_cameras")
    yield "cameras", _number(sums, "cameras")
    yield "availability_ppm", _millionths(sums, "up_ms", "down_ms")
    yield "compliant_ppm", _millionths(sums, "compliant_ms", "non_compliant_ms")
    yield "cameras_both", _number(days[-1], "cameras_both") if days else None
    yield "facilities_connected", _number(days[-1], "facilities_connected") if days else None
    yield "outages", sum(bool(row["confirmed"]) for row in tables["outages"])
    bound = [row for row in tables.get("progress", ()) if row["status"] in BOUND]
    for column in ("surveyed", "plan_agreed", "focal_point"):
        yield column, sum(row[column] is True for row in bound)
    yield "insufficient", sum(row["sufficient"] is False for row in bound)
    yield "cameras_needed", sum(_number(row, "cameras_needed") for row in bound)
    for state in ("overdue", "done", "done_late"):
        yield f"obligations_{state}", sum(row["state"] == state for row in tables.get("obligations", ()))


def _number(row: Row, column: str) -> int:
    value = row.get(column)
    return value if isinstance(value, int) else 0


def _millionths(row: Row, good: str, bad: str) -> int | None:
    """Compute the share of what is good, half up; None where nothing was measured."""
    part, whole = _number(row, good), _number(row, good) + _number(row, bad)
    return (2_000_000 * part + whole) // (2 * whole) if whole else None
