"""/v1/cameras/{id}/secret: the login of a camera; its other routes are made from its declaration."""

from http import HTTPStatus
from uuid import UUID

from fastapi import Response

from inventory.api.devices.secrets import OfSecret, Secret
from inventory.storage.tables import Camera
from vonggac.auth import guarded_router

router = guarded_router(prefix="/v1/cameras", tags=["cameras"])


@router.put(
    "/{thing_id}/secret",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Write a camera's credentials",
    response_model=None,
)
async def write_camera_secret(thing_id: UUID, body: Secret, request: OfSecret) -> Response:
    """Seals them for the workers; nobody can read them back."""
    return await request.write(Camera, thing_id, body)


@router.delete(
    "/{thing_id}/secret",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Remove a camera's credentials",
    response_model=None,
)
async def remove_camera_secret(thing_id: UUID, request: OfSecret) -> Response:
    """Workers then log in without credentials."""
    return await request.remove(Camera, thing_id)
