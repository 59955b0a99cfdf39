"""The routes that every noun has, made from its declaration."""

from functools import cache

from fastapi import APIRouter

from inventory.api.nouns.bulk import add_bulk
from inventory.api.nouns.models import models_of
from inventory.api.nouns.reading import add_reading
from inventory.api.nouns.transitions import add_transitions
from inventory.api.nouns.writes import add_write_routes
from inventory.nouns.noun import Noun
from vonggac.auth import guarded_router


@cache
def router_of(noun: Noun) -> APIRouter:
    """`/v1/<path>`: list, item, history, create, change, remove, bulk, and transitions where it has states.

    Made once in a process: its models take some hundredths of a second.
    """
    router = guarded_router(prefix=f"/v1/{noun.path}", tags=[noun.path.replace("-", " ")])
    models = models_of(noun)
    if "bulk" not in noun.hand_written:
        # Before the routes of one thing: `bulk` is no id.
        add_bulk(router, noun, models)
    add_reading(router, noun, models)
    add_write_routes(router, noun, models)
    add_transitions(router, noun, models)
    return router
