"""What the user's files hold, read together: before anything starts, then into inventory, then remembered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.apis.inventory import InventoryApi, RefusedError
from local.apis.simulator import SimulatorApi
from local.demo import content
from local.demo.load import Loaded, load_demo_cameras, load_own_cameras
from local.own.cameras import OwnCamera, read_cameras
from local.own.centres import forward_without_plan, load_destinations
from local.own.destinations import OwnDestination, read_destinations
from local.own.facilities import OwnFacility, read_facilities
from local.own.inventory_rules import check_by_inventory
from local.own.known import Known
from local.own.table import refused_rows

_REGISTER = {"agency": "agencies", "unit": "units"}
"""What a facility refers to: noun to the demo's file."""


@dataclass(frozen=True, slots=True)
class OwnCentres:
    """The checked file of centres, and this machine's address for those that pull; None: loopback."""

    path: Path | None = None
    destinations: Sequence[OwnDestination] = ()
    served_host: str | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """Checked files; a path of None: there is none."""

    cameras_path: Path | None
    cameras: Sequence[OwnCamera]
    facilities_path: Path | None
    facilities: Sequence[OwnFacility]
    known: Known
    """With what these files add."""
    centres: OwnCentres = OwnCentres()

    async def load(
        self, inventory: InventoryApi, simulator: SimulatorApi, report: Callable[[str, str], None], passwords: Path
    ) -> Loaded:
        """Into inventory; the demo's cameras where there are none of the user's. `passwords`: a folder for the logins
        of centres that pull.

        Raises FileError for what only inventory can judge.
        """
        if self.centres.path is not None:
            await load_destinations(inventory, self.centres.path, self.centres.destinations, report, passwords)
        if self.facilities_path is not None:
            try:
                rows = content.as_csv([one.columns for one in self.facilities])
                # Why one is suspended or closed: the register asks for it, and the file has no column for it.
                await inventory.import_csv("facilities", rows, reason=f"make run: {self.facilities_path.name}")
            except RefusedError as refusal:
                if refusal.errors:
                    raise refused_rows(self.facilities_path, [one.line for one in self.facilities], refusal) from None
                raise
        loaded = await self._load_cameras(inventory, simulator)
        if self.centres.path is not None:
            await forward_without_plan(inventory)
        return loaded

    async def _load_cameras(self, inventory: InventoryApi, simulator: SimulatorApi) -> Loaded:
        if self.cameras_path is None:
            return await load_demo_cameras(inventory, simulator)
        try:
            return await load_own_cameras(inventory, list(self.cameras))
        except RefusedError as refusal:
            if refusal.errors:
                raise refused_rows(self.cameras_path, [one.line for one in self.cameras], refusal) from None
            raise


def read_own(
    cameras_path: Path | None,
    facilities_path: Path | None,
    known: Known,
    report: Callable[[str, str], None],
    *,
    first_start: bool = False,
    destinations_path: Path | None = None,
    served_host: str | None = None,
) -> Own:
    """Read and check all files, also by inventory's own rules, which need no running platform for nearly all.

    `first_start`: nothing is on record but what the demo brings. Raises FileError with every mistake of the first file
    that has any.
    """
    of_demo = {noun: [row["code"] for row in content.rows(file)] for noun, file in _REGISTER.items()}
    register = of_demo if first_start else {}
    demo = content.rows("facilities")
    demo_codes = content.facility_codes()
    facilities: list[OwnFacility] = []
    if facilities_path is not None:
        first = {name: demo[0][name] for name in ("type", "unit_code", "managing_agency_code", "status")}
        facilities = read_facilities(facilities_path, taken=demo_codes, defaults=first)
        report("facilities", f"{len(facilities)} in {facilities_path}")
    own_codes = [one.code for one in facilities]
    cameras: list[OwnCamera] = []
    if cameras_path is not None:
        cameras = read_cameras(
            cameras_path,
            facility_codes={*demo_codes, *known.facilities, *own_codes},
            default_facility=(own_codes or demo_codes)[0],
        )
        report("cameras", f"{len(cameras)} in {cameras_path}")
    rows = [one.columns for one in facilities]
    check_by_inventory(facilities_path, "facilities", rows, [one.line for one in facilities], register)
    of_cameras = {"facility": [*demo_codes, *known.facilities, *own_codes]}
    rows = [one.columns for one in cameras]
    check_by_inventory(cameras_path, "cameras", rows, [one.line for one in cameras], of_cameras)
    centres = _read_centres(destinations_path, served_host, report)
    hosts = [camera.host for camera in cameras] + [host for one in centres.destinations for host in one.hosts]
    added = known.and_these(hosts=hosts, facilities=own_codes)
    return Own(cameras_path, cameras, facilities_path, facilities, added, centres)


def _read_centres(path: Path | None, served_host: str | None, report: Callable[[str, str], None]) -> OwnCentres:
    """Read the centres of the file, none without one. Raises FileError."""
    if path is None:
        return OwnCentres(served_host=served_host)
    taken = [one.code for one in content.destinations()]
    destinations = read_destinations(path, taken=taken, served_host=served_host)
    report("centres", f"{len(destinations)} in {path}")
    rows, lines = [one.columns for one in destinations], [one.line for one in destinations]
    check_by_inventory(path, "destinations", rows, lines, {})
    return OwnCentres(path, destinations, served_host)
