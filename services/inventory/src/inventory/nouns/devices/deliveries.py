"""How deliveries are written: the address is made from the destination's template."""

from typing import cast
from uuid import UUID

from pydantic import BaseModel

from inventory.domain.devices.delivery import DeliveryFields
from inventory.nouns.shown import Shown
from inventory.nouns.writer import Write, Writer
from inventory.storage.deliveries import planned_delivery
from inventory.storage.tables import Camera, Destination, Facility, Thing


class DeliveryResponse(Shown):
    """One delivery."""

    camera_id: UUID
    destination_id: UUID
    enabled: bool
    url: str


class DeliveryWriter(Writer):
    """A delivery publishes its camera again, and none of the camera's other deliveries changes."""

    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Make the delivery. Raises ProblemError 409 when the camera has one to this destination."""
        given, session = cast("DeliveryFields", fields), writing.transaction.session
        camera = await session.get_one(Camera, given.camera_id)
        destination = await session.get_one(Destination, given.destination_id)
        facility = await session.get_one(Facility, camera.facility_id)
        delivery = planned_delivery(camera, facility.code, destination, enabled=given.enabled)
        delivery.valid_from, delivery.valid_to = given.valid_from, given.valid_to
        await writing.transaction.add_thing(delivery)
        return delivery
