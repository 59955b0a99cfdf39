"""The HTTP API under /v1: a file per noun, its schemas beside its routes."""

from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """All routers, in the order they are documented."""
    from inventory.api import agencies, changes, dead_letters, districts, exports, facilities, focal_points, imports
    from inventory.api.devices import cameras, deliveries, destinations

    nouns = (
        agencies,
        districts,
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
