"""`python -m local demo` and `… truth`: the same demo and check for a platform that runs elsewhere."""

import json
from collections.abc import Sequence
from pathlib import Path

from local.apis.access import admin_token, approver_token
from local.apis.inventory import InventoryApi, Json
from local.apis.simulator import SimulatorApi
from local.commands.report_table import render
from local.commands.truth import ReportingApi, finding, wait_for
from local.demo import content
from local.demo.centres import give_addresses
from local.demo.load import load_base, load_demo_cameras
from local.platform.platform import wait_ready
from local.platform.progress import Progress

READY_WITHIN_S = 120.0


def token_from(*, keys: Path | None, token_file: Path | None) -> str:
    """Read the token in `token_file`, else sign one with the key in `keys`. Raises OSError or ValueError."""
    if token_file is not None:
        return token_file.read_text("ascii").strip()
    assert keys is not None
    return admin_token(keys)


def approver_from(*, keys: Path | None, token_file: Path | None) -> str | None:
    """As `token_from`, of the second person who approves; None where neither is given. Raises OSError or ValueError."""
    if token_file is not None:
        return token_file.read_text("ascii").strip()
    return None if keys is None else approver_token(keys)


async def demo(
    inventory_address: str,
    simulator_address: str,
    token: str,
    approver: str | None,
    progress: Progress,
    *,
    served_at: str | None = None,
    pulled_from: Sequence[str] = (),
) -> int:
    """Load the demo; `approver`: token of who approves what the first one wrote.

    `served_at`: where the provincial centre pulls, from `pulled_from` (networks); without them both are pushed to.

    Raises RefusedError, or ProcessEndedError when a service does not get ready.
    """
    for name, address in (("inventory", inventory_address), ("simulator", simulator_address)):
        await wait_ready(address, within_s=READY_WITHIN_S)
        progress.step(name, f"ready on {address}")
    simulator = SimulatorApi(simulator_address)
    async with InventoryApi(inventory_address, token, approver=approver) as inventory:
        await load_base(inventory, simulator, pulled_from=pulled_from)
        loaded = await load_demo_cameras(inventory, simulator)
        if served_at is not None:
            pulled = await give_addresses(inventory, simulator, served_at=served_at)
            progress.step("demo", f"{pulled} addresses are given to the centre that pulls")
    progress.step("demo", f"{len(content.facility_codes())} facilities, {len(loaded.cameras)} cameras")
    for note in loaded.notes:
        progress.step("demo", note)
    return 0


async def truth(reporting_address: str, token: str, *, within_s: float, progress: Progress) -> int:
    """Wait for the demo's result in reporting and print it; exit status 0 when it is as expected."""
    await wait_ready(reporting_address, within_s=READY_WITHIN_S)
    progress.step("reporting", f"ready on {reporting_address}")
    reporting = ReportingApi(reporting_address, token)

    def true(document: Json) -> bool:
        return not finding(document).shortfall(content.EXPECTATION)

    try:
        document, holds, refusal = await wait_for(reporting, true, within_s=within_s)
    finally:
        await reporting.close()
    if document is None:
        progress.line(f"reporting did not answer: {refusal}")
        return 1
    found = finding(document)
    progress.line("\n" + render(document) + "\n")
    for problem in found.shortfall(content.EXPECTATION):
        progress.line(f"does not hold: {problem}")
    line = {"cameras": found.cameras, "delivered_both": found.delivered_both, "faults": found.faults}
    progress.line(json.dumps(line | {"seconds_waited": round(progress.elapsed_s, 1)}))
    return 0 if holds else 1
