"""The HTTP API under /v1: a file per noun, its schemas beside its routes."""

from fastapi import APIRouter

TAGS = {
    "agencies": "The agencies of the mandate.",
    "districts": "Administrative units.",
    "facilities": "Facilities with their status and history.",
    "focal points": "Who answers for a facility.",
    "destinations": "The centres that receive.",
    "cameras": "Cameras with their addresses and sealed logins.",
    "deliveries": "Which camera goes to which destination.",
    "imports": "Files that add and change many rows.",
    "exports": "Files of what is on record.",
    "changes": "Who changed what, when and why.",
    "dead letters": "Messages that no retry could save.",
}
"""The tags of the API, with what each is about."""


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
