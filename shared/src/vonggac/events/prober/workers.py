"""That a prober lives, and what people had it connect to."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from vonggac.events.envelope import MESSAGE, Payload


class DemandKind(StrEnum):
    """What a person had done at an address."""

    PROBE = "probe"
    SCAN = "scan"
    READ_BACK = "read_back"
    VIEW = "view"


class EndpointRange(BaseModel):
    """Neighbouring addresses that are asked at the same ports."""

    model_config = MESSAGE

    first: str = Field(description="An IP address, or a name that leads to none.")
    count: int = Field(default=1, ge=1, description="Addresses from the first on.")
    ports: tuple[int, ...]


class DemandV1(Payload):
    """Somebody had a prober connect to addresses: who, where to, and whether it was let. Kept as a record.

    Stored before the first connection. `targets` hold neither credentials nor paths.
    """

    event_type: ClassVar[str] = "vn.vonggac.prober.demand.v1"
    id: UUID
    kind: DemandKind
    caller: str = Field(description="Subject of the caller's token.")
    roles: tuple[str, ...]
    targets: tuple[str, ...] = Field(
        description="host:port of a probe; addresses of a scan, as they were written; the camera of a read-back; the "
        "camera of a view, and the delivery where a centre's picture was viewed."
    )
    ports: tuple[int, ...] = Field(default=(), description="Ports asked at addresses of a scan that name none.")
    camera_id: UUID | None = Field(default=None, description="Where it was about a camera of the inventory.")
    endpoints: int = Field(description="Addresses times ports.")
    ranges: tuple[EndpointRange, ...] = Field(
        default=(), description="The same one by one, names as what they lead to: what every prober counts."
    )
    refused: str | None = Field(default=None, description="The limit that forbade it; null: it was done.")
    demanded_at: AwareDatetime
    worker_id: str


class ProberAliveV1(Payload):
    """Heartbeat of one prober process."""

    event_type: ClassVar[str] = "vn.vonggac.prober.worker_alive.v1"
    worker_id: str
    started_at: AwareDatetime
    alive_at: AwareDatetime
    probes_running: int
    awake_since: AwareDatetime | None = Field(
        default=None, description="Since when this worker has watched without a hole; later than before: it slept."
    )
    clock_stepped_s: float | None = Field(
        default=None,
        description="By how much the server's clock was set since this process started, forward less back, as measured "
        "against a clock that nobody sets; None: an earlier release.",
    )
