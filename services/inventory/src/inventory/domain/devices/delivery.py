"""Deliveries: one camera to one destination, each independent of the other (R10)."""

from uuid import UUID

from inventory.domain.fields import PERIOD_HEADINGS, Dated

HEADINGS = {
    "camera_id": "Mã camera",
    "destination_id": "Mã trung tâm",
    "enabled": "Đang dùng",
    **PERIOD_HEADINGS,
}


class DeliveryFields(Dated):
    """A camera to connect to a destination."""

    camera_id: UUID
    destination_id: UUID
    enabled: bool = True
