"""Facilities by whether both centres receive all of their cameras: what the overview and its lists count.

Pure: counts in, categories out. A facility is in exactly one category, so that the numbers add up to all facilities.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.drawing.signs import CROSSED, FULL, NONE, UNKNOWN
from console.drawing.tile_grid import Tile
from console.words.catalogue import mark

COMPLETE, LACKING, UNCERTAIN, EMPTY = "complete", "lacking", "unknown", "no_cameras"
CATEGORIES = (COMPLETE, LACKING, UNCERTAIN, EMPTY)
TO_CALL = "to_call"
"""Those of two categories: lacking, and not known."""
WORDS = {
    COMPLETE: mark("both centres receive all cameras"),
    LACKING: mark("a centre lacks cameras"),
    UNCERTAIN: mark("not known of some cameras"),
    EMPTY: mark("no cameras in service"),
    TO_CALL: mark("to call now"),
}
_NEEDS = {
    "both": mark("both centres lack {n}/{of} cameras"),
    "national": mark("the Ministry lacks {n}/{of} cameras"),
    "provincial": mark("the province lacks {n}/{of} cameras"),
    "either": mark("a centre lacks {n}/{of} cameras"),
    "unknown": mark("not measured: {n}/{of} cameras"),
}


@dataclass(frozen=True, slots=True)
class Summary:
    """One facility, unit or agency: its counts judged."""

    row: Mapping[str, Any]
    category: str
    left: str
    right: str
    """Halves of the pair sign: Ministry and province."""
    need: str
    """What is lacking, a text of the catalogue with `{n}` and `{of}`; "" where nothing is."""
    lacking: int
    in_service: int

    @property
    def rank(self) -> tuple[int, int, str]:
        """Who is called first: both centres, then one, then what nobody knows; many cameras before few."""
        first = {_NEEDS["both"]: 0, _NEEDS["unknown"]: 2, "": 3}
        return first.get(self.need, 1), -self.lacking, str(self.row["code"])


def summarise(row: Mapping[str, Any]) -> Summary:
    """Judge the counts of one row of `/v1/present`."""
    counts = row["cameras"]
    in_service = counts["total"] - counts["out_of_scope"]
    if in_service <= 0:
        return Summary(row, EMPTY, NONE, NONE, "", 0, 0)
    neither, unknown = counts["neither"], counts["connection_unknown"]
    no_national, no_provincial = counts["provincial_only"] + neither, counts["national_only"] + neither
    left = CROSSED if no_national else UNKNOWN if unknown else FULL
    right = CROSSED if no_provincial else UNKNOWN if unknown else FULL
    if no_national or no_provincial:
        if neither:
            need, lacking = _NEEDS["both"], neither
        elif no_national and no_provincial:
            need, lacking = _NEEDS["either"], no_national + no_provincial
        elif no_national:
            need, lacking = _NEEDS["national"], no_national
        else:
            need, lacking = _NEEDS["provincial"], no_provincial
        return Summary(row, LACKING, left, right, need, lacking, in_service)
    if unknown:
        return Summary(row, UNCERTAIN, left, right, _NEEDS["unknown"], unknown, in_service)
    return Summary(row, COMPLETE, left, right, "", 0, in_service)


def count_categories(facilities: Iterable[Summary]) -> dict[str, int]:
    """How many facilities are in each category."""
    counts = dict.fromkeys(CATEGORIES, 0)
    for each in facilities:
        counts[each.category] += 1
    return counts


def to_call(facilities: Iterable[Summary]) -> list[Summary]:
    """Facilities where somebody has to do something, the worst first."""
    return sorted((each for each in facilities if each.category in {LACKING, UNCERTAIN}), key=lambda each: each.rank)


def tiles_of(units: Sequence[Mapping[str, Any]], facilities: Sequence[Summary]) -> list[Tile]:
    """Build a tile for each unit: how many of its facilities are complete, and the sign of all its cameras."""
    complete: dict[object, int] = {}
    total: dict[object, int] = {}
    for each in facilities:
        unit = each.row.get("unit_code")
        total[unit] = total.get(unit, 0) + 1
        complete[unit] = complete.get(unit, 0) + (each.category == COMPLETE)
    tiles = []
    for row in units:
        if row["code"] is None:
            continue
        judged = summarise(row)
        facilities_here = total.get(row["code"], 0)
        kind = {LACKING: "loud", UNCERTAIN: "odd", EMPTY: "off"}.get(judged.category, "")
        tiles.append(
            Tile(
                code=row["code"],
                name=row["name"] or row["code"],
                figure=f"{complete.get(row['code'], 0)}/{facilities_here}" if facilities_here else "",
                left=judged.left,
                right=judged.right,
                label=WORDS[judged.category],
                kind=kind,
            )
        )
    return tiles
