"""Loads the demo into inventory through its API. Loading again changes nothing that is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.apis.inventory import InventoryApi, Json
from local.apis.simulator import SimulatorApi
from local.demo import content
from local.demo.centres import load_centres
from local.demo.mandate import load_mandate
from local.demo.surveys import except_from_plans, load_surveys
from local.own.cameras import OwnCamera

OWN_CAMERAS = "Camera của người dùng `make run`, chưa có phương án kết nối"
_SUCCESSOR = "successor_code"
_PARENT = ("parent_level", "parent_code", "parent_valid_to")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The content of inventory after loading."""

    cameras: tuple[str, ...]
    """Codes of the enabled cameras."""
    notes: tuple[str, ...]
    """A note for the terminal."""


async def load_register(inventory: InventoryApi) -> None:
    """Agencies, units, facilities, and the records of the mandate. Raises RefusedError."""
    await _ensure_agencies(inventory)
    await _ensure_units(inventory)
    await _ensure_facilities(inventory)
    await load_mandate(inventory)


async def load_base(inventory: InventoryApi, simulator: SimulatorApi, *, pulled_from: Sequence[str] = ()) -> None:
    """Load the register, and the two destinations at the simulator's centres. Raises RefusedError.

    `pulled_from`: networks from which a centre pulls; without any, both are pushed to.
    """
    await load_register(inventory)
    await load_centres(inventory, simulator, content.destinations(), pulled_from)
    await load_surveys(inventory)


async def _ensure_agencies(inventory: InventoryApi) -> None:
    """Add the agencies of agencies.csv; one that ended names the one that has its work since."""
    rows = content.rows("agencies")
    bodies = [{name: value for name, value in row.items() if name != _SUCCESSOR} for row in rows]
    ids = {code: str(one["id"]) for code, one in (await inventory.ensure("agencies", bodies)).items()}
    followed = [(body, ids[row[_SUCCESSOR]]) for body, row in zip(bodies, rows, strict=True) if _SUCCESSOR in row]
    await inventory.ensure("agencies", [body | {"successor_id": successor} for body, successor in followed])


async def _ensure_facilities(inventory: InventoryApi) -> None:
    """Those on record keep their status: somebody may have closed one since."""
    known = {str(one["code"]) for one in await inventory.all("facilities")}
    missing = [row for row in content.rows("facilities") if row["code"] not in known]
    present = [dict(row) for row in content.rows("facilities") if row["code"] in known]
    for row in present:
        del row["status"]
    for rows in (missing, present):
        if rows:
            await inventory.import_csv("facilities", content.as_csv(rows))


async def _ensure_units(inventory: InventoryApi) -> None:
    """Add the units of units.csv, a level after the other: a code stands for another unit in another time."""
    ids = {_unit_key(unit): str(unit["id"]) for unit in await inventory.all("units")}
    waiting = content.rows("units")
    while waiting:
        # Provinces follow provinces: as many as name nothing that is still to come.
        ready = [row for row in waiting if all(key in ids for key in _named_by(row))]
        bodies = [_unit_body(row, ids) for row in ready]
        missing = [body for body in bodies if _unit_key(body) not in ids]
        for body, unit in zip(missing, await inventory.add_all("units", missing), strict=True):
            ids[_unit_key(body)] = str(unit["id"])
        waiting = [row for row in waiting if row not in ready]


def _named_by(row: Json) -> list[tuple[str, ...]]:
    """List the keys of the units that a row names: the one above it, and those that it follows."""
    above: tuple[str, ...] = tuple(row[name] for name in _PARENT if name in row)
    # Provinces were merged; what a district was lies in several communes since.
    level = "province" if row["level"] == "province" else "district"
    earlier: list[tuple[str, ...]] = [(level, code, "2025-06-30") for code in str(row.get("succeeds", "")).split()]
    return [above, *earlier] if above else earlier


def _unit_body(row: Json, ids: Mapping[tuple[str, ...], str]) -> Json:
    body: Json = {name: value for name, value in row.items() if name not in {*_PARENT, "succeeds"}}
    named = [ids[key] for key in _named_by(row)]
    if any(name in row for name in _PARENT):
        body["parent_id"] = named.pop(0)
    kind = "merged" if row["level"] == "province" else "split"
    return body | ({"succeeds": [{"unit_id": one, "kind": kind} for one in named]} if named else {})


def _unit_key(unit: Json) -> tuple[str, ...]:
    """Level, code, and the last day of a unit that has one: a code has another unit in another time."""
    return tuple(str(unit[name]) for name in ("level", "code", "valid_to") if unit.get(name) is not None)


async def load_demo_cameras(inventory: InventoryApi, simulator: SimulatorApi) -> Loaded:
    """Load the eight virtual cameras, unless inventory has the user's cameras: then those alone stay enabled."""
    present = {str(camera["code"]): camera for camera in await inventory.all("cameras")}
    demo = set(content.camera_codes())
    own = [code for code, camera in present.items() if code not in demo and camera["enabled"]]
    if own:
        note = f"goes on with the {len(own)} cameras of your own; the demo's stay off (make clean-state begins anew)"
        return Loaded(tuple(own), (note,))
    addresses = await simulator.cameras()
    await inventory.import_csv("cameras", content.as_csv([_demo_row(row, addresses, present) for row in _demo_rows()]))
    await _enable([camera for code, camera in present.items() if code in demo], inventory, enabled=True)
    return Loaded(tuple(content.camera_codes()), ())


async def load_own_cameras(inventory: InventoryApi, cameras: list[OwnCamera]) -> Loaded:
    """Load the user's cameras, forwarded by exception; demo cameras of an earlier run are disabled."""
    await except_from_plans(inventory, {camera.facility_code for camera in cameras}, OWN_CAMERAS)
    await inventory.import_csv("cameras", content.as_csv([camera.columns for camera in cameras]))
    codes = {camera.code for camera in cameras}
    present = await inventory.all("cameras")
    await _enable([camera for camera in present if camera["code"] in codes], inventory, enabled=True)
    demo = set(content.camera_codes()) - codes
    notes = []
    off = await _enable([camera for camera in present if camera["code"] in demo], inventory, enabled=False)
    if off:
        notes.append(f"the demo's {off} cameras of an earlier run are switched off")
    enabled = codes | {str(one["code"]) for one in present if one["enabled"] and one["code"] not in demo}
    if enabled - codes:
        notes.append(f"{len(enabled - codes)} cameras of earlier files stay as they are")
    return Loaded(tuple(sorted(enabled)), tuple(notes))


def _demo_rows() -> list[dict[str, str]]:
    return content.rows("cameras")


def _demo_row(row: dict[str, str], addresses: dict[str, str], present: dict[str, Json]) -> dict[str, str]:
    filled = {column: cell for column, cell in row.items() if column != "simulator_id"}
    filled["url"] = addresses[row["simulator_id"]]
    known = present.get(row["code"], {})
    if known.get("has_secret") and known["url"] == filled["url"]:
        # A second write would seal it anew, and every worker would restart this camera.
        filled = {column: cell for column, cell in filled.items() if column not in {"username", "password"}}
    return filled


async def _enable(cameras: list[Json], inventory: InventoryApi, *, enabled: bool) -> int:
    differing = [camera for camera in cameras if camera["enabled"] is not enabled]
    for camera in differing:
        await inventory.change("cameras", camera["id"], {"enabled": enabled}, reason="thử nghiệm")
    return len(differing)
