"""All event types, by name and by producer."""

from collections.abc import Mapping
from types import MappingProxyType

from vonggac.events import forwarder, inventory, prober
from vonggac.events.envelope import Payload

_BY_PRODUCER: dict[str, tuple[type[Payload], ...]] = {
    "inventory": (
        inventory.AgencyV1,
        inventory.DistrictV1,
        inventory.FacilityV1,
        inventory.FocalPointV1,
        inventory.DestinationV1,
        inventory.CameraV1,
        inventory.RemovedV1,
    ),
    "prober": (prober.CameraObservedV1, prober.DeliveryVerifiedV1, prober.SiteObservedV1, prober.ProberAliveV1),
    "forwarder": (forwarder.DeliveryObservedV1, forwarder.ForwarderAliveV1),
    "reporting": (),
}
PAYLOADS_BY_PRODUCER: Mapping[str, tuple[type[Payload], ...]] = MappingProxyType(_BY_PRODUCER)
_BY_TYPE = {model.event_type: model for models in _BY_PRODUCER.values() for model in models}


def payload_model(event_type: str) -> type[Payload]:
    """The model of a type's data. Raises KeyError with the type's name for an unknown one."""
    return _BY_TYPE[event_type]
