"""Destinations, cameras, and the deliveries between them."""

from uuid import UUID

from inventory.domain.devices.camera import HEADINGS as CAMERA_HEADINGS
from inventory.domain.devices.camera import NewCamera, asks_reason
from inventory.domain.devices.delivery import HEADINGS as DELIVERY_HEADINGS
from inventory.domain.devices.delivery import DeliveryFields
from inventory.domain.devices.destination import HEADINGS as DESTINATION_HEADINGS
from inventory.domain.devices.destination import NewDestination
from inventory.domain.devices.recorder import HEADINGS as RECORDER_HEADINGS
from inventory.domain.devices.recorder import RecorderFields
from inventory.nouns.devices.cameras import (
    CameraResponse,
    CameraWithDeliveries,
    CameraWriter,
    delivered_to,
    in_unit,
    with_deliveries,
)
from inventory.nouns.devices.deliveries import DeliveryResponse, DeliveryWriter
from inventory.nouns.devices.destinations import DestinationResponse, DestinationWriter
from inventory.nouns.devices.sameness import check_camera, check_destination, check_recorder
from inventory.nouns.noun import Filter, Noun
from inventory.storage.tables import Camera, Delivery, Destination, Recorder
from vonggac.events.inventory import DestinationV1, RecorderV1

DESTINATION = Noun(
    name="destination",
    path="destinations",
    vietnamese="trung tâm nhận",
    group="devices",
    about="The monitoring centres that receive every camera (R09, R10).",
    table=Destination,
    fields=NewDestination,
    shown=DestinationResponse,
    payload=DestinationV1,
    headings=DESTINATION_HEADINGS,
    filters=("code", "role", "mode", "enabled"),
    sorts=("code", "name", "role"),
    unchangeable=frozenset({"connect_all_cameras", "mode", "account"}),
    asks_reason=asks_reason,
    check=check_destination,
    writer=DestinationWriter(),
    hand_written=frozenset({"create", "remove"}),
)

RECORDER = Noun(
    name="recorder",
    path="recorders",
    vietnamese="đầu ghi",
    group="devices",
    about="Recorders with their channels; a camera may be one of them.",
    table=Recorder,
    fields=RecorderFields,
    payload=RecorderV1,
    headings=RECORDER_HEADINGS,
    references={"facility_id": "facility"},
    filters=("code", "facility_id", "vendor"),
    sorts=("code", "name"),
    searched_through=("facility_id",),
    check=check_recorder,
)

CAMERA = Noun(
    name="camera",
    path="cameras",
    vietnamese="camera",
    group="devices",
    about="Cameras with their addresses and sealed logins.",
    table=Camera,
    fields=NewCamera,
    shown=CameraResponse,
    headings=CAMERA_HEADINGS,
    references={"facility_id": "facility", "recorder_id": "recorder"},
    filters=("code", "facility_id", "area", "enabled", "vendor", "recorder_id"),
    more_filters={"unit_id": Filter(UUID, in_unit), "destination_id": Filter(UUID, delivered_to)},
    sorts=("code", "name", "area", "facility_id"),
    searched_through=("facility_id",),
    owns=("delivery",),
    unchangeable=frozenset({"destination_ids"}),
    asks_reason=asks_reason,
    item=CameraWithDeliveries,
    expand=with_deliveries,
    check=check_camera,
    writer=CameraWriter(),
)

DELIVERY = Noun(
    name="delivery",
    path="deliveries",
    vietnamese="luồng chuyển",
    group="devices",
    about="Which camera goes to which destination; each is independent of the other.",
    table=Delivery,
    fields=DeliveryFields,
    shown=DeliveryResponse,
    headings=DELIVERY_HEADINGS,
    key=("camera_id", "destination_id"),
    label="id",
    references={"camera_id": "camera", "destination_id": "destination"},
    filters=("camera_id", "destination_id", "enabled"),
    sorts=("id",),
    unchangeable=frozenset({"camera_id", "destination_id"}),
    asks_reason=asks_reason,
    writer=DeliveryWriter(),
)
