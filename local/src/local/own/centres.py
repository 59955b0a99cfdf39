"""Loads a user's own centres into inventory, and says what the engineer of one that pulls types in."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from local.apis.inventory import InventoryApi, Json
from local.demo import content
from local.demo.surveys import except_from_plans
from local.own.destinations import OwnDestination, split_texts
from local.own.table import FileError, Mistake
from vonggac.settings.passwords import write_private

_REPLACED = "make run: a centre of the user's own takes its place"
_NO_PLAN = "Trung tâm của người dùng `make run`, chưa có phương án kết nối"
_AS_GIVEN = ("name", "role", "url_template", "read_back_url_template", "required_proof")


async def forward_without_plan(inventory: InventoryApi) -> None:
    """Have each camera that is switched on forwarded: agreed plans name the demo's centres. Raises RefusedError."""
    codes = {one["id"]: str(one["code"]) for one in await inventory.all("facilities")}
    cameras = await inventory.all("cameras")
    await except_from_plans(inventory, {codes[one["facility_id"]] for one in cameras if one["enabled"]}, _NO_PLAN)


async def load_destinations(
    inventory: InventoryApi,
    path: Path,
    destinations: Sequence[OwnDestination],
    report: Callable[[str, str], None],
    passwords: Path,
) -> None:
    """Add or change them; the demo's centres of the same roles are switched off.

    The password of a new centre that pulls is kept in a file of the folder `passwords`, since no later answer has it.
    Raises RefusedError, OSError, and FileError for a mode that is another one on record.
    """
    known = {str(one["code"]): one for one in await inventory.all("destinations")}
    for one in destinations:
        thing = known.get(one.code)
        if thing is not None and thing["mode"] != one.mode:
            text = f"is {thing['mode']} on record, and given once: take another code, e.g. {one.code}-2"
            raise FileError(path, [Mistake(text, one.line, "mode", one.mode)])
        if thing is None:
            thing = await inventory.add("destinations", _body(one) | {"connect_all_cameras": True})
            if one.pulls:
                write_private(_password_file(passwords, one), f"{thing['password']}\n")
        else:
            thing = await _change(inventory, thing, _body(one))
        await _write_logins(inventory, thing, one)
        if one.pulls:
            report("centre", f"{one.code} logs in as {thing['account']} {_where(_password_file(passwords, one))}")
            report("centre", f"{one.code} pulls what GET /v1/destinations/{thing['id']}/addresses?format=csv lists")
    await _switch_off_demo(inventory, known, {one.role for one in destinations})


def _password_file(passwords: Path, one: OwnDestination) -> Path:
    return passwords / f"{one.code}.password"


def _where(file: Path) -> str:
    if file.exists():
        return f"with the password in {file}, which you alone can read"
    return "with the password of its first start, or a new one: POST …/rotate"


def _body(one: OwnDestination) -> Json:
    body: Json = {name: one.columns[name] for name in ("code", "mode", *_AS_GIVEN) if name in one.columns}
    if one.pulls:
        serving: Json = {"source_networks": one.networks, "tls": "none"}
        serving["transports"] = split_texts(one.columns["served_transports"])
        if "responsible" in one.columns:
            serving["responsible"] = one.columns["responsible"]
        body["serving"] = serving
    return body


async def _change(inventory: InventoryApi, thing: Json, body: Json) -> Json:
    """Change what differs in the thing, and return it; a login of an address that has changed is removed first."""
    for name, secret in (("url_template", ""), ("read_back_url_template", "read_back_")):
        if thing[f"has_{secret}secret"] and name in body and thing[name] != body[name]:
            await inventory.remove_secret("destinations", thing["id"], f"{secret.replace('_', '-')}secret")
    patch = {name: body[name] for name in _AS_GIVEN if name in body and thing[name] != body[name]}
    if "serving" in body and any(thing["serving"][name] != value for name, value in body["serving"].items()):
        patch["serving"] = thing["serving"] | body["serving"]
    if patch:
        await inventory.change("destinations", thing["id"], patch, reason="make run")
    return await inventory.one("destinations", thing["id"])


async def _write_logins(inventory: InventoryApi, thing: Json, one: OwnDestination) -> None:
    """Where there is none: written again it would be sealed anew, and every worker would begin its sessions anew."""
    if one.login is not None and not thing["has_secret"]:
        await inventory.write_secret("destinations", thing["id"], *one.login)
    if one.read_back_login is not None and not thing["has_read_back_secret"]:
        await inventory.write_secret("destinations", thing["id"], *one.read_back_login, path="read-back-secret")


async def _switch_off_demo(inventory: InventoryApi, known: dict[str, Json], roles: Collection[str]) -> None:
    for one in content.destinations():
        thing = known.get(one.code)
        if one.role in roles and thing is not None and thing["enabled"]:
            await inventory.change("destinations", thing["id"], {"enabled": False}, reason=_REPLACED)
