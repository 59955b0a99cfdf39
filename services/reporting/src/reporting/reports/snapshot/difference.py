"""The differences of a further version: each figure before and after."""

from collections.abc import Mapping, Sequence

from reporting.reports.snapshot.canonical import Row, Value

KEYS: Mapping[str, tuple[str, ...]] = {
    "totals": (),
    "units": ("code", "name"),
    "agencies": ("code", "name"),
    "types": ("code",),
    "facilities": ("facility_id",),
    "progress": ("facility_id",),
    "obligations": ("obligation_id", "facility_id"),
    "cameras": ("camera_id",),
    "deliveries": ("delivery_id", "camera_id"),
    "outages": ("camera_id", "from_ms"),
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
