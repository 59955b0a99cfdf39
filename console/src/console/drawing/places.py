"""Where pages lead: those that a person's role has something on, and what was just done."""

from typing import NamedTuple

from console.acts.declared import ADD, CHANGE, MOVE, OTHERS, REMOVE
from console.acts.nouns import NOUNS
from console.acts.permitted import may_call
from console.words.catalogue import mark
from vonggac.auth.rights import Principal


class Place(NamedTuple):
    """A page of the menu; `word` is for the catalogue. `needs`: service and route that it is made of.

    `is_rare`: for who runs the system; a menu of all pages does not fit a laptop's width.
    """

    address: str
    word: str
    needs: tuple[str, str]
    method: str = "GET"
    is_rare: bool = False

    def is_at(self, path: str) -> bool:
        """Whether a page's path is this page's or lies below it."""
        return path == self.address or (self.address != "/" and path.startswith(self.address.rstrip("/") + "/"))


PLACES = (
    Place("/", mark("Overview"), ("reporting", "/v1/present")),
    Place("/facilities", mark("Facilities"), ("reporting", "/v1/present")),
    Place("/cameras", mark("Cameras"), ("reporting", "/v1/present/cameras")),
    Place("/deliveries", mark("The two centres"), ("reporting", "/v1/present")),
    Place("/pictures", mark("Pictures"), ("prober", "/v1/pictures"), "POST"),
    Place("/obligations", mark("Obligations"), ("reporting", "/v1/obligations")),
    Place("/urges", mark("Urging"), ("reporting", "/v1/urges")),
    Place("/requests", mark("Requests"), ("inventory", "/v1/decision-requests")),
    Place("/reports", mark("Reports"), ("reporting", "/v1/reports")),
    Place(
        "/survey/",
        mark("Survey on a phone"),
        ("inventory", "/v1/surveys/{thing_id}/submissions/{submission_id}"),
        "PUT",
    ),
    Place("/register", mark("Register"), ("inventory", "/v1/facilities")),
    Place("/audit", mark("Audit"), ("inventory", "/v1/actions"), is_rare=True),
    Place("/health", mark("Health"), ("reporting", "/v1/freshness"), is_rare=True),
    Place("/wall", mark("Wall"), ("reporting", "/v1/present"), is_rare=True),
    Place("/screens", mark("Screens"), ("reporting", "/v1/present"), is_rare=True),
)


def places_of(caller: Principal | None) -> list[Place]:
    """Those whose service would answer; all where the token cannot be read: the services then say why."""
    return [each for each in PLACES if caller is None or may_call(caller, each.needs[0], each.method, each.needs[1])]


class Done(NamedTuple):
    """What was done, for the catalogue; `noun` fills `{noun}`."""

    title: str
    noun: str


def done_of(operation: str) -> Done | None:
    """Of an address to which an act led; None for no act of ours."""
    if (known := OTHERS.get(operation)) is not None:
        return Done(known.title, "")
    verb, _, word = operation.partition("_")
    title = {"add": ADD, "change": CHANGE, "remove": REMOVE, "move": MOVE}.get(verb)
    noun = next((each for each in NOUNS.values() if each.operation == word), None)
    return Done(title, noun.one) if title is not None and noun is not None else None
