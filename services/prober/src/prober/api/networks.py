"""Where this prober may connect to."""

from fastapi import Request
from pydantic import BaseModel, Field

from prober.settings import Settings
from vonggac.auth import guarded_router

router = guarded_router(prefix="/v1/networks", tags=["networks"])


class NetworkList(BaseModel):
    """A closed list; an address outside is never connected to."""

    allowed: list[str] = Field(description="CIDR; checked after name resolution.")
    max_probes_per_network: int = Field(description="At a time by this process; 0: no bound.")
    network_prefix_v4: int = Field(description="Bits of an IPv4 address that make a site network.")
    network_prefix_v6: int = Field(description="Bits of an IPv6 address that make one.")


@router.get(
    "", summary="The networks that may be probed and scanned", description="Setting VONGGAC_PROBER_ALLOWED_NETWORKS."
)
async def list_networks(request: Request) -> NetworkList:
    settings: Settings = request.app.state.settings
    return NetworkList(
        allowed=list(settings.allowed_networks),
        max_probes_per_network=settings.max_probes_per_network,
        network_prefix_v4=settings.network_prefix_v4,
        network_prefix_v6=settings.network_prefix_v6,
    )
