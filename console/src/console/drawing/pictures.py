"""One tile of a picture: one of five kinds, never one sign for two, and whose picture it is in words."""

import json
from datetime import datetime, timedelta
from gettext import NullTranslations
from typing import Any, NamedTuple

from console.acts.permitted import may_call
from console.apis.caller import Answer, Away, Found, Refused
from console.words.catalogue import ENGLISH, mark
from console.words.dates import write_duration
from console.words.states import ROLES, name_cause
from vonggac.auth.rights import Principal

LABELS = {
    "centre": mark("What the centre gives back"),
    "camera": mark("What the camera sends: no proof that a centre has it"),
}
GIVES_NOTHING = mark("The centre gives nothing back.")
GIVES_NOTHING_FOR = mark("The centre gives nothing back: {why}.")
NO_CAMERA_PICTURE = mark("There is no picture of the camera.")
NO_CAMERA_PICTURE_FOR = mark("There is no picture of the camera: {why}.")
TILES = 24
"""Of a page: what a laptop shows, and a line of 2 Mbit/s carries in a round."""
WALL_OF = {
    "national": mark("What the Ministry receives"),
    "provincial": mark("What the province receives"),
    "camera": mark("What the cameras send"),
}
PROBER_AWAY = mark("The prober does not answer: try again.")
OLD_S = 30.0
"""From this age on a picture is called old, as the script of a tile does."""
SEEN, OLDER = mark("{age} old"), mark("OLD PICTURE: {age} old")
WITHOUT_PICTURE = {"denied": mark("Not allowed"), "failed": mark("No picture came: try again.")}


class Tile(NamedTuple):
    """A place of the page for a picture; `delivery` None: of the camera itself. `label` is for the catalogue.

    `code`: of the camera, for links to its page.
    """

    camera: str
    delivery: str | None
    code: str
    label: str
    detail: str
    is_empty: bool = False
    """Nothing is planned there, so that nothing can be viewed."""


def may_view(caller: Principal | None) -> bool:
    """Whether the person's role has the right `view`: no other right implies it."""
    return may_call(caller, "prober", "POST", "/v1/pictures")


def tiles_of(row: dict[str, Any]) -> list[Tile]:
    """Both centres of a camera as far as deliveries are planned, then the camera itself."""
    found = [
        Tile(row["camera_id"], role["delivery_id"], row["camera_code"], ROLES[name], role["destination_code"] or "")
        for name, role in (("national", row["national"]), ("provincial", row["provincial"]))
        if role["delivery_id"] is not None
    ]
    return [*found, Tile(row["camera_id"], None, row["camera_code"], mark("The camera"), row["camera_code"])]


def wall_tile(row: dict[str, Any], of: str) -> Tile:
    """Of a page of many: what one centre gives back, or the camera itself; without a delivery there is no centre."""
    delivery = None if of == "camera" else row[of]["delivery_id"]
    code, is_empty = row["camera_code"], of != "camera" and not delivery
    return Tile(row["camera_id"], delivery, code, code, row["camera_name"] or "", is_empty)


def draw_refusal(body: bytes, status: int, language: str, words: NullTranslations) -> dict[str, Any]:
    """Draw, for a stream that the prober does not begin or breaks off, why there is no picture."""
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        given = {}
    detail = given.get("detail" if language == ENGLISH else "detail_vi") or given.get("detail")
    return _nothing("denied" if status in {401, 403} else "failed", [detail or words.gettext(PROBER_AWAY)])


def draw_answer(answer: Answer, language: str, words: NullTranslations, unix_s: float) -> dict[str, Any]:
    """Draw one picture for a browser: its kind (`now`, `denied` or `failed`), whose it is, and why it is none."""
    if isinstance(answer, Refused):
        detail = answer.detail if language == ENGLISH else answer.detail_vi
        return _nothing("denied" if answer.status in {401, 403} else "failed", [detail])
    if not isinstance(answer, Found):
        since = words.gettext(PROBER_AWAY) if isinstance(answer, Away) else ""
        return _nothing("failed", [since])
    return draw(answer.body, language, words, unix_s)


def draw(body: dict[str, Any], language: str, words: NullTranslations, unix_s: float) -> dict[str, Any]:
    """Draw what the prober answered about one picture. `unix_s`: now."""
    notes = [
        *_reason(body["centre"], GIVES_NOTHING, GIVES_NOTHING_FOR, language, words),
        *_reason(body["camera"], NO_CAMERA_PICTURE, NO_CAMERA_PICTURE_FOR, language, words),
    ]
    if body["jpeg"] is None:
        return _nothing("failed", notes)
    return {
        "kind": "now",
        "of": body["of"],
        "label": words.gettext(LABELS[body["of"]]),
        "notes": notes,
        "jpeg": body["jpeg"],
        "width": body["width"],
        "height": body["height"],
        "age_s": max(0.0, unix_s - datetime.fromisoformat(body["seen_at"]).timestamp()),
    }


def name_kind(drawn: dict[str, Any], words: NullTranslations) -> tuple[str, str]:
    """Name the kind of a drawn tile that no script ages: its class, and the words that stand under it."""
    if drawn["jpeg"] is None:
        return drawn["kind"], words.gettext(WITHOUT_PICTURE[drawn["kind"]])
    is_old = drawn["age_s"] > OLD_S
    age = write_duration(timedelta(seconds=drawn["age_s"]), words)
    aged = words.gettext(OLDER if is_old else SEEN).format(age=age)
    return "older" if is_old else "now", f"{drawn['label']} · {aged}"


def _nothing(kind: str, notes: list[str]) -> dict[str, Any]:
    return {"kind": kind, "of": None, "label": "", "notes": notes, "jpeg": None, "age_s": None}


def _reason(
    why: dict[str, Any] | None, bare: str, with_cause: str, language: str, words: NullTranslations
) -> list[str]:
    """Explain why there is no picture, and what to do about it; empty where there is one."""
    if why is None:
        return []
    sentence = words.gettext(bare)
    if why["cause"] is not None:
        cause = name_cause(why["cause"], language, words)
        sentence = words.gettext(with_cause).format(why=cause)
    advice = (why["advice"] or {}).get("en" if language == ENGLISH else "vi")
    return [sentence, advice] if advice else [sentence]
