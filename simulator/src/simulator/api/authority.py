"""`/v1/authority`: the authority that signs the certificates of devices with TLS."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from simulator.simulator import Simulator

router = APIRouter(prefix="/v1/authority", tags=["authority"])


class AuthorityView(BaseModel):
    """The simulator's certificate authority, a new one at each start."""

    certificate_pem: str = Field(description="What a client must trust to accept the devices' certificates.")


@router.get("")
async def get_authority(request: Request) -> AuthorityView:
    """Return the certificate to trust."""
    simulator: Simulator = request.app.state.simulator
    return AuthorityView(certificate_pem=simulator.authority.pem)
