"""The demo's two centres as destinations: one is pushed to, and one pulls what its engineer would type in."""

from collections.abc import Mapping, Sequence

from local.apis.inventory import InventoryApi, Json
from local.apis.simulator import SimulatorApi
from local.demo import content

LOOPBACK = ("127.0.0.0/8",)
"""From where a centre on this machine pulls."""
PULLS = "serve"


async def load_centres(
    inventory: InventoryApi,
    simulator: SimulatorApi,
    wanted: Sequence[content.DemoDestination],
    pulled_from: Sequence[str],
) -> None:
    """Add the destinations, and give each centre its login. `pulled_from`: networks (CIDR) from which a centre pulls;
    without any, every centre that is not there yet is pushed to. Raises RefusedError.
    """
    addresses = await simulator.centres()
    known = {str(one["code"]): one for one in await inventory.all("destinations")}
    bodies = [_body(one, addresses[one.simulator_id].rstrip("/"), known.get(one.code), pulled_from) for one in wanted]
    await _remove_logins_of_moved(inventory, known, bodies)
    present = await inventory.ensure("destinations", bodies)
    for one in wanted:
        thing = present[one.code]
        if thing["mode"] == PULLS:
            await _give_login(inventory, simulator, one, thing)
        elif not thing["has_secret"]:
            await inventory.write_secret("destinations", thing["id"], one.username, one.password)


async def give_addresses(inventory: InventoryApi, simulator: SimulatorApi, *, served_at: str | None = None) -> int:
    """Have each centre that pulls pull what its addresses are now; returns how many those are. Raises RefusedError.

    `served_at`: where the demo's cameras are pulled, for an inventory that states no address of its own.
    """
    given = 0
    present = {str(one["code"]): one for one in await inventory.all("destinations")}
    for one in content.destinations():
        thing = present.get(one.code)
        if thing is None or thing["mode"] != PULLS:
            continue
        if served_at is not None:
            addresses = {camera: f"{served_at.rstrip('/')}/{one.code}/{camera}" for camera in content.camera_codes()}
        else:
            rows = await inventory.all(f"destinations/{thing['id']}/addresses")
            addresses = {row["camera_code"]: row["address"] for row in rows if row["enabled"]}
        await simulator.set_addresses(one.simulator_id, addresses)
        given += len(addresses)
    return given


def _body(one: content.DemoDestination, address: str, known: Json | None, pulled_from: Sequence[str]) -> Json:
    """Build a destination's body: the virtual centres play streams back at the address where they receive them."""
    template = address + "/{camera_code}"
    body: Json = {
        "code": one.code,
        "name": one.name,
        "role": one.role,
        "read_back_url_template": template,
        "required_proof": "verified",
    }
    if known is not None and known["mode"] == PULLS:
        # Its mode was given once; where it pulls from is where it is now.
        return body | {"serving": known["serving"] | ({"source_networks": list(pulled_from)} if pulled_from else {})}
    if known is not None:
        return body | {"url_template": template}
    if one.mode == PULLS and pulled_from:
        # This machine's own networks are private: without TLS, as the other parts beside it.
        return body | {"mode": PULLS, "serving": {"source_networks": list(pulled_from), "tls": "none"}}
    return body | {"url_template": template}


async def _remove_logins_of_moved(inventory: InventoryApi, known: Mapping[str, Json], bodies: Sequence[Json]) -> None:
    """Remove logins at old addresses: a login stays at its address, and the simulator's ports may differ from the last
    start's."""
    for body in bodies:
        one = known.get(str(body["code"]))
        if one is None:
            continue
        if one["has_secret"] and one["url_template"] != body.get("url_template", one["url_template"]):
            await inventory.remove_secret("destinations", one["id"])
        if one["has_read_back_secret"] and one["read_back_url_template"] != body["read_back_url_template"]:
            await inventory.remove_secret("destinations", one["id"], "read-back-secret")


async def _give_login(
    inventory: InventoryApi, simulator: SimulatorApi, one: content.DemoDestination, thing: Json
) -> None:
    """Write the centre's login here, and ours there. A password that nobody has any more is made anew."""
    if not thing["has_read_back_secret"]:
        login = (one.username, one.password)
        await inventory.write_secret("destinations", thing["id"], *login, path="read-back-secret")
    account, password = str(thing["account"]), thing.get("password")
    if password is None and not await simulator.pulls_as(one.simulator_id, account):
        rotated = await inventory.rotate_password(str(thing["id"]), overlap_hours=0)
        password = rotated["password"]
    if password is not None:
        await simulator.set_login(one.simulator_id, account, str(password))
