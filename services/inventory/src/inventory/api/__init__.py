"""The HTTP API under /v1: a file per noun, its schemas beside its routes."""

from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """All routers, in the order they are documented."""
    from inventory.api import changes, dead_letters, exports, imports
    from inventory.api.devices import cameras, deliveries, destinations
    from inventory.api.people import agencies, focal_points
    from inventory.api.places import facilities, units

    nouns = (
        agencies,
        units,
        facilities,
        focal_points,
        destinations,
        cameras,
        deliveries,
        imports,
        exports,
        changes,
        dead_letters,
    )
    return tuple(noun.router for noun in nouns)
