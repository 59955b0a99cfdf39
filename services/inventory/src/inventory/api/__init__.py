"""The HTTP API under /v1: a file per noun, its schemas beside its routes."""

from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """All routers, in the order they are documented."""
    from inventory.api import (
        agencies,
        cameras,
        changes,
        deliveries,
        destinations,
        districts,
        facilities,
        focal_points,
    )

    nouns = (agencies, districts, facilities, focal_points, destinations, cameras, deliveries, changes)
    return tuple(noun.router for noun in nouns)
