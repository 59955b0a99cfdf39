"""The HTTP API under /v1: the routes of every noun, and what is beside them."""

from fastapi import APIRouter

TAGS = {
    "vendors": "Makes whose addresses are known.",
    "imports": "Files that add and change many rows.",
    "exports": "Files of what is on record.",
    "templates": "Empty files to fill in.",
    "decision requests": "What somebody who owes a duty asks for, and what was decided.",
    "facility links": "Short-lived tokens by which a facility does its own acts.",
    "purges": "What closed facilities leave behind: when it is due, and what was purged.",
    "self-approvals": "Where who wrote approved, as the rule of the province allowed.",
    "changes": "Who changed what, when and why.",
    "dead letters": "Messages that no retry could save.",
}
"""The tags that are no noun's, with what each is about."""


def tags() -> dict[str, str]:
    """List the tags of the API with what each is about, in the order they are documented."""
    from inventory.nouns.registry import NOUNS

    return {noun.path.replace("-", " "): noun.about or noun.vietnamese.capitalize() + "." for noun in NOUNS} | TAGS


def routers() -> tuple[APIRouter, ...]:
    """All routers, in the order they are documented."""
    from inventory.api import actions, changes, dead_letters, sufficiency
    from inventory.api.devices import cameras, destinations, scans, serving, vendors
    from inventory.api.files import exports, imports, templates
    from inventory.api.mandate import (
        attachments,
        connections,
        directive_scans,
        directives,
        minutes,
        plans,
        records,
        surveys,
        visits,
    )
    from inventory.api.mandate.duties import (
        due,
        links,
        obligations,
        own_words,
        papers,
        purges,
        requests,
        self_approvals,
    )
    from inventory.api.nouns import router_of
    from inventory.nouns.registry import NOUNS

    duties = (directives, directive_scans, obligations, due, requests, self_approvals, own_words, links, purges, papers)
    mandate = (*duties, records, visits, surveys, attachments, minutes, plans, connections)
    devices = (cameras, scans, destinations, serving, vendors)
    beside = (*devices, sufficiency, *mandate, imports, exports, templates, changes, actions, dead_letters)
    # Before the routes of one survey: `form.schema.json` is no id.
    return (surveys.form_router, *map(router_of, NOUNS), *(each.router for each in beside))
