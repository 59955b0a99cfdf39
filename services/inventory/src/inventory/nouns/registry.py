"""All nouns of the register, in order of dependence: each refers only to nouns before it."""

from collections.abc import Iterable
from functools import cache

from inventory.nouns import people, places
from inventory.nouns.devices import declared as devices
from inventory.nouns.mandate import (
    directives,
    information_requests,
    maintenance_windows,
    notes,
    obligations,
    plans,
    proposals,
    surveys,
    visits,
)
from inventory.nouns.noun import Noun
from inventory.storage.queries.lists import Named
from inventory.storage.states import PAYLOADS
from inventory.storage.tables import SelfApproval
from vonggac.events.inventory import SelfApprovalV1

NOUNS: tuple[Noun, ...] = (
    places.UNIT,
    people.AGENCY,
    places.FACILITY,
    people.OPERATOR_ASSIGNMENT,
    people.APPROVAL_RULE,
    people.FOCAL_POINT,
    places.COVERAGE,
    devices.DESTINATION,
    devices.RECORDER,
    devices.CAMERA,
    devices.DELIVERY,
    people.TEAM,
    people.TEAM_MEMBER,
    directives.DIRECTIVE,
    obligations.OBLIGATION,
    information_requests.INFORMATION_REQUEST,
    visits.VISIT,
    visits.INSPECTION,
    maintenance_windows.MAINTENANCE_WINDOW,
    notes.JOURNAL_ENTRY,
    notes.BLOCKED_REASON,
    surveys.SURVEY,
    plans.PLAN,
    plans.PLAN_EXCEPTION,
    proposals.PROPOSAL,
)

_BY_NAME = {noun.name: noun for noun in NOUNS}

PAYLOADS.update({noun.table: noun.payload for noun in NOUNS if noun.payload is not None})
PAYLOADS[SelfApproval] = SelfApprovalV1


def noun_named(name: str) -> Noun:
    """Find a noun by its name. Raises KeyError."""
    return _BY_NAME[name]


def referring(noun: Noun) -> list[tuple[Noun, str]]:
    """List the nouns that refer to `noun`, each with its field."""
    return [(other, field) for other in NOUNS for field, name in other.references.items() if name == noun.name]


def mentioning(noun: Noun) -> list[tuple[Noun, str]]:
    """List the nouns that name `noun` in a list or within records, each with where."""
    return [(other, where) for other in NOUNS for where, name in other.mentions.items() if name == noun.name]


def related(names: Iterable[str]) -> set[str]:
    """Find these nouns, those that they refer to, and those that refer to them."""
    nouns = [noun_named(name) for name in names]
    found = {noun.name for noun in nouns}
    for noun in nouns:
        found |= {*noun.references.values(), *(other.name for other, _ in referring(noun))}
    return found


@cache
def searched_through(noun: Noun) -> tuple[Named, ...]:
    """List the references that a search of `noun` goes through."""
    references = ((column, noun_named(noun.references[column])) for column in noun.searched_through)
    return tuple(Named(column, other.table, searched_through(other)) for column, other in references)
