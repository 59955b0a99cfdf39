"""A compliance report as a table for the terminal: a column per destination, headed by its code, and its name below."""

import io
import shutil
from collections.abc import Iterable
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from local.apis.inventory import Json

WIDTH = 100
"""Of the terminal, where nobody knows it."""
NARROWEST, WIDEST = 72, 160
STATE_WIDTH = 18
"""Of `waiting_for_camera`, the longest state of a delivery."""
LEAST_OF_OTHERS = 46
"""Columns for camera, facility, state and compliance at least."""
GAP = 2
"""Between two columns."""
FACILITY, LEAST_NAME = 1, 12
"""The column that gives way, and how far."""
MOST_OF_A_WORD = 24
DEMANDS = {
    "verified": "connected = verified: the picture was played back from there and is the same, bit for bit",
    "acknowledged": "connected = acknowledged or verified: the destination's system confirmed receiving the bytes",
}


@dataclass(frozen=True, slots=True, order=True)
class _Destination:
    """One destination, in the order of the columns: the national ones first."""

    role: str
    code: str
    name: str
    key: str
    proofs: tuple[str, ...]


def render(document: Json, *, width: int | None = None) -> str:
    """Render a line per camera with its state and its deliveries, what the columns mean, then the totals; no line
    longer than `width` (None: as the terminal)."""
    width = max(NARROWEST, min(width or shutil.get_terminal_size((WIDTH, 24)).columns, WIDEST))
    destinations = _destinations(document["cameras"])
    beside = LEAST_OF_OTHERS + len(destinations) * (STATE_WIDTH + GAP) <= width
    headings = ["camera", "facility", "state", *([one.code for one in destinations] if beside else ["deliveries"])]
    cameras = sorted(document["cameras"], key=lambda camera: str(camera["code"]))
    rows = [_row(camera, destinations, beside=beside) for camera in cameras]
    # The box has an empty first line, and a space at its edge.
    lines = [line.removeprefix(" ") for line in _printed(_table([*headings, "compliant"], rows, width), width)]
    return "\n".join([*lines[1:], *_legend(destinations, width), *_totals(document["totals"], destinations, width)])


def _row(camera: Json, destinations: Iterable[_Destination], *, beside: bool) -> list[str]:
    states = {_key(one["destination"]): _state(one) for one in camera["deliveries"]}
    cells = [states.get(one.key, "-") for one in destinations]
    if not beside:
        cells = ["\n".join(f"{one.code}: {states[one.key]}" for one in destinations if one.key in states) or "none"]
    compliant = {True: "yes", False: "no", None: "unknown"}[camera["compliant"]]
    return [str(camera["code"]), _to_label(camera["facility"]), _state(camera), *cells, compliant]


def _table(headings: list[str], rows: list[list[str]], width: int) -> Table:
    """Names of facilities give way, then lines break between words; a word is never cut."""
    columns = list(zip(headings, *rows, strict=True))
    lines = [max(len(line) for cell in cells for line in cell.split("\n")) for cells in columns]
    words = [max(len(word) for cell in cells for word in cell.split() or [""]) for cells in columns]
    left = width - GAP * len(columns) - (sum(lines) - lines[FACILITY])
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for number, heading in enumerate(headings):
        if number == FACILITY:
            table.add_column(
                heading, no_wrap=True, overflow="ellipsis", width=min(lines[number], max(left, LEAST_NAME))
            )
        else:
            table.add_column(heading, overflow="fold", min_width=min(words[number], MOST_OF_A_WORD))
    for row in rows:
        table.add_row(*row)
    return table


def _destinations(cameras: Iterable[Json]) -> list[_Destination]:
    found: dict[str, tuple[Json, set[str]]] = {}
    for camera in cameras:
        for one in camera["deliveries"]:
            destination = one["destination"]
            found.setdefault(_key(destination), (destination, set()))[1].add(str(one["required_proof"]))
    return sorted(
        _Destination(
            str(destination["role"] or "other"),
            str(destination["code"] or key[:8]),
            str(destination["name"] or ""),
            key,
            tuple(sorted(proofs)),
        )
        for key, (destination, proofs) in found.items()
    )


def _key(destination: Json) -> str:
    """By which it is told from others of its role."""
    return str(destination["id"])


def _legend(destinations: Iterable[_Destination], width: int) -> list[str]:
    """Each destination by its name, and what it demands."""
    table = Table.grid(padding=(0, 2), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for one in destinations:
        demands = "; ".join(DEMANDS.get(proof, f"connected = {proof}") for proof in one.proofs)
        table.add_row(one.code, f"{one.name} ({one.role}); {demands}")
    return [*_printed(table, width), ""] if table.row_count else []


def _printed(what: object, width: int) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width, color_system=None, markup=False, highlight=False, emoji=False).print(what)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def _to_label(thing: Json) -> str:
    return " ".join(thing[part] for part in ("code", "name") if thing[part])


def _state(thing: Json) -> str:
    # A space after each colon, so that a narrow column breaks there.
    return f"{thing['state']}: {thing['cause']}" if thing["cause"] else str(thing["state"])


def _totals(totals: Json, destinations: list[_Destination], width: int) -> list[str]:
    cameras, facilities = totals["cameras"], totals["facilities"]
    codes = {role: [one.code for one in destinations if one.role == role] for role in ("national", "provincial")}
    # Of several with one role a camera must be connected to each that it is planned for.
    named = {role: f"{role} ({' and '.join(found)})" if len(found) > 1 else role for role, found in codes.items()}
    first = (
        f"{cameras['total']} cameras in {facilities['with_cameras']} of {facilities['total']} facilities: "
        f"{cameras['up']} up, {cameras['down']} down, {cameras['unknown']} unknown"
    )
    second = (
        f"connected: {named['national']} {cameras['national_connected']}, "
        f"{named['provincial']} {cameras['provincial_connected']}, both {cameras['both']}, "
        f"neither {cameras['neither']}; compliant {cameras['compliant']}"
    )
    return [line for text in (first, second) for line in _printed(text, width)]
