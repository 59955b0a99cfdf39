"""`make run`: the whole platform on one machine, until Ctrl-C."""

import asyncio
import contextlib
import shlex
import shutil
import time
from collections.abc import Mapping

from local.apis.access import VALID_FOR, admin_token, approver_token
from local.apis.inventory import InventoryApi, Json, RefusedError
from local.apis.simulator import SimulatorApi
from local.commands.report_table import render
from local.commands.truth import ReportingApi, finding, settled, wait_for
from local.demo import content
from local.demo.centres import LOOPBACK, give_addresses
from local.demo.load import Loaded, load_base
from local.own.files import Own
from local.own.known import networks_of
from local.platform import environment
from local.platform.environment import served_at
from local.platform.platform import Platform, service_of
from local.platform.ports import choose, choose_replicas, chosen_alone, remember, remembered
from local.platform.progress import Progress
from local.platform.state import StateFolder
from local.platform.stopping import Stopping

LOADED_WITHIN_S = 60.0
LOAD_AGAIN_S = 1.0
ADDRESSES_AGAIN_S = 10.0
SHOW_JSON = "PYTHONIOENCODING=utf-8 python3 -m json.tool --no-ensure-ascii"
"""Vietnamese as Vietnamese, whatever the terminal's locale is."""
SHOWN_WITHIN_S = 25.0
"""Longest wait for the state of every camera; then the addresses are shown anyway."""


async def run(
    state: StateFolder,
    own: Own,
    *,
    allowed: tuple[str, ...],
    replicas: Mapping[str, int],
    progress: Progress,
    stopping: Stopping,
) -> int:
    """Start everything, load the demo or the user's cameras, and run until stopped. Never returns by itself.

    `allowed`: networks that workers may connect to, besides the hosts that the user's files have named. `replicas`:
    how many of each worker.
    """
    platform: Platform | None = None
    named, notes = await networks_of(own.known.hosts)
    for note in notes:
        progress.step("cameras", note)
    try:
        async with chosen_alone(progress.step):
            preferred, before = remembered(state.ports_file)
            ports = choose(preferred, progress.step)
            further = choose_replicas(ports, replicas, before)
            remember(state.ports_file, ports, before, further)
            variables, own_networks = served_at(own.centres.served_host, ports)
            platform = Platform(
                state,
                ports,
                allowed=(*allowed, *named, *own_networks),
                progress=progress,
                replicas=further,
                variables=variables,
            )
            stopping.kill = platform.kill
            await platform.start()
        await platform.while_running(_serve(platform, own, progress), supervised=True)
    finally:
        if platform is not None:
            await platform.stop()
    return 0


async def _serve(platform: Platform, own: Own, progress: Progress) -> None:
    token = admin_token(platform.state.keys)
    platform.state.write_tokens(token, approver_token(platform.state.keys))
    loaded = await _load_patiently(platform, token, own, progress)
    own.known.write(platform.state.own_file)
    document = await _first_report(platform, token, loaded, progress)
    if document is not None:
        progress.line("\n" + render(document))
    for line in _welcome(platform, token, loaded):
        progress.line(line)
    await _keep_addresses(platform)


async def _keep_addresses(platform: Platform) -> None:
    """Type each camera that is added or removed later into the virtual centre that pulls, as its engineer would."""
    simulator = SimulatorApi(platform.addresses.simulator)
    while True:
        await asyncio.sleep(ADDRESSES_AGAIN_S)
        async with InventoryApi(platform.addresses.inventory, admin_token(platform.state.keys)) as inventory:
            # A part that has died is started again, and the next round finds it.
            with contextlib.suppress(RefusedError):
                await give_addresses(inventory, simulator)


async def _load_patiently(platform: Platform, token: str, own: Own, progress: Progress) -> Loaded:
    """Load, and again when a part that has died meanwhile could not answer. Raises RefusedError, FileError."""
    deadline = time.monotonic() + LOADED_WITHIN_S
    while True:
        try:
            return await _load(platform, token, own, progress)
        except RefusedError as refusal:
            if refusal.errors or time.monotonic() > deadline:
                raise
            progress.step("demo", f"{refusal}: trying again")
            await asyncio.sleep(LOAD_AGAIN_S)


async def _load(platform: Platform, token: str, own: Own, progress: Progress) -> Loaded:
    simulator = SimulatorApi(platform.addresses.simulator)
    approver = approver_token(platform.state.keys)
    async with InventoryApi(platform.addresses.inventory, token, approver=approver) as inventory:
        _, own_networks = served_at(own.centres.served_host, platform.ports)
        await load_base(inventory, simulator, pulled_from=(*LOOPBACK, *own_networks))
        loaded = await own.load(inventory, simulator, progress.step, platform.state.centres)
        await give_addresses(inventory, simulator)
    what = "demo" if own.cameras_path is None else "cameras"
    facilities = len(content.facility_codes()) + len(own.known.facilities)
    progress.step(what, f"{facilities} facilities, {len(loaded.cameras)} cameras")
    for note in loaded.notes:
        progress.step(what, note)
    return loaded


async def _first_report(platform: Platform, token: str, loaded: Loaded, progress: Progress) -> Json | None:
    reporting = ReportingApi(platform.addresses.reporting, token)
    codes = set(loaded.cameras)

    def good(document: Json) -> bool:
        if codes == set(content.camera_codes()):
            return not finding(document).shortfall(content.EXPECTATION)
        return settled(document, codes)

    try:
        document, holds, refusal = await wait_for(reporting, good, within_s=SHOWN_WITHIN_S)
    finally:
        await reporting.close()
    reached = "has the state of every camera" if holds else "does not have the state of every camera yet"
    progress.step("reporting", refusal or reached)
    return document


def _welcome(platform: Platform, token: str, loaded: Loaded) -> list[str]:
    addresses, state = platform.addresses, platform.state
    documented = [
        pair
        for name in (*environment.SERVICES, "simulator")
        for pair in (
            (name, getattr(addresses, name)),
            *((other, address) for other, address in addresses.replicas.items() if service_of(other) == name),
        )
    ]
    hours = VALID_FOR.total_seconds() / 3600
    lines = [
        "",
        "Vọng Gác is running. Ctrl-C stops it.",
        "",
        f"  {'console':<11} {addresses.console:<24} the pages: open this, and choose who to be",
    ]
    lines += [f"  {name:<11} {address:<24} API: {address}/docs" for name, address in documented]
    lines += [
        f"  {'NATS':<11} {addresses.nats}",
        f"  {'PostgreSQL':<11} {addresses.postgres:<24} databases: {', '.join(environment.RECORD_KEEPERS)}",
        f"  {'state':<11} {state.root}/ (logs in {state.logs}/)",
        "",
        f"Admin token (province_lead, {hours:.0f} hours, also in {state.token_file}):",
        f"  {token}",
        f"Token of who approves what the admin wrote (decider): in {state.approver_token_file}",
        "",
        "Try next:",
    ]
    return lines + [f"  {number}. {text}" for number, text in enumerate(_commands(platform, loaded), start=1)] + [""]


def _commands(platform: Platform, loaded: Loaded) -> list[str]:
    addresses = platform.addresses
    token_file = shlex.quote(str(platform.state.token_file))
    camera = loaded.cameras[0] if loaded.cameras else "CODE"
    compliance = (
        f'curl -s -H "Authorization: Bearer $(cat {token_file})" {addresses.reporting}/v1/compliance'
        f" | {SHOW_JSON} | LESSCHARSET=utf-8 less"
    )
    fault = (
        f"curl -s -X PUT {addresses.simulator}/v1/centres/national/fault -H 'Content-Type: application/json' "
        """-d '{"fault": "refuse"}'   # then repeat 1; -X DELETE ends the fault"""
    )
    return [compliance, _play_back(platform, camera), fault]


def _play_back(platform: Platform, camera: str) -> str:
    player = next((name for name in ("ffplay", "ffprobe") if shutil.which(name)), None)
    if player is None:
        return f"curl -s {platform.addresses.simulator}/v1/centres/national/streams | {SHOW_JSON}"
    centre = content.destinations()[0]
    port = platform.ports.centre(0)
    return (
        f"{player} -hide_banner -rtsp_transport tcp "
        f"rtsp://{centre.username}:{centre.password}@127.0.0.1:{port}/{camera}   # the provincial one: port {port + 1}"
    )
