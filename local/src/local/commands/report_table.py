"""A compliance report as a table for the terminal."""

import io

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from local.apis.inventory import Json

WIDTH = 300
"""Wider than any table, so that states and causes are never cut."""
WIDEST = {"facility": 32, "unit": 22}
ROLES = ("national", "provincial")


def render(document: Json) -> str:
    """A line per camera with its state and both deliveries, then the totals."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    codes = _destination_codes(document)
    for heading in ("camera", "facility", "unit", "state", *(codes[role] for role in ROLES), "compliant"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", max_width=WIDEST.get(heading))
    for camera in sorted(document["cameras"], key=lambda camera: str(camera["code"])):
        deliveries = {one["destination"]["role"]: one for one in camera["deliveries"]}
        table.add_row(
            camera["code"],
            _named(camera["facility"]),
            _named(camera["unit"]),
            _state(camera),
            *(_state(deliveries[role]) if role in deliveries else "none" for role in ROLES),
            {True: "yes", False: "no", None: "unknown"}[camera["compliant"]],
        )
    text = io.StringIO()
    Console(file=text, width=WIDTH, color_system=None, markup=False, highlight=False).print(table)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    return "\n".join([*lines, _totals(document["totals"])])


def _destination_codes(document: Json) -> dict[str, str]:
    codes = {role: role for role in ROLES}
    for camera in document["cameras"]:
        for one in camera["deliveries"]:
            destination = one["destination"]
            if destination["role"] in codes and destination["code"]:
                codes[destination["role"]] = f"{destination['code']} ({destination['role']})"
    return codes


def _named(thing: Json) -> str:
    return " ".join(thing[part] for part in ("code", "name") if thing[part])


def _state(thing: Json) -> str:
    return f"{thing['state']}: {thing['cause']}" if thing["cause"] else str(thing["state"])


def _totals(totals: Json) -> str:
    cameras, facilities = totals["cameras"], totals["facilities"]
    return (
        f"{cameras['total']} cameras in {facilities['with_cameras']} of {facilities['total']} facilities: "
        f"{cameras['up']} up, {cameras['down']} down, {cameras['unknown']} unknown; connected: "
        f"national {cameras['national_connected']}, provincial {cameras['provincial_connected']}, "
        f"both {cameras['both']}, neither {cameras['neither']}; compliant {cameras['compliant']}"
    )
