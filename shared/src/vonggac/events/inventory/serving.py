"""How a centre that pulls is served: what its destination states, as the forwarder needs it, and what we find ourselves
at the address that it pulls from."""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, Field

from vonggac.events.causes import Cause
from vonggac.events.envelope import MESSAGE

type SealedSecret = str
"""Base64 of a libsodium sealed box around `{"username": …, "password": …, "origins": ["scheme://host:port", …]}`.

Boxes of earlier releases have no origins.
"""

SERVED = "served"
"""The scheme of a delivery that the centre opens."""


class DestinationMode(StrEnum):
    """Who opens the session: `push`, we publish to the centre; `serve`, the centre pulls from us."""

    PUSH = "push"
    SERVE = "serve"


class ServedTransport(StrEnum):
    """How media goes to a centre that pulls: interleaved in the RTSP connection, or unicast UDP."""

    TCP = "tcp"
    UDP = "udp"


class ServedTls(StrEnum):
    """Whether a centre pulls over TLS (rtsps): it must, it may, or it cannot."""

    REQUIRED = "required"
    OFFERED = "offered"
    NONE = "none"


class ServedLogin(StrEnum):
    """What a centre is asked to log in by: Digest MD5 as every player knows it, SHA-256 alone, or both."""

    MD5 = "md5"
    SHA256 = "sha256"
    BOTH = "both"


class ServingPlan(BaseModel):
    """How one centre is served; the same for each of its cameras."""

    model_config = MESSAGE

    account: str = Field(description="User name that the centre logs in with; no other destination has it.")
    source_networks: tuple[str, ...] = Field(
        default=(), description="Networks (CIDR) from which the centre may connect; none: from `anywhere` alone."
    )
    anywhere: bool = Field(default=False, description="The centre may connect from any address.")
    transports: tuple[ServedTransport, ...] = (ServedTransport.TCP,)
    tls: ServedTls = ServedTls.REQUIRED
    login: ServedLogin = ServedLogin.MD5
    basic: bool = Field(default=False, description="Basic is offered too, inside TLS alone.")
    sessions_per_camera: int = Field(default=2, ge=1, description="Sessions that the centre may have of one camera.")
    responsible: str | None = Field(default=None, description="Whom a report names when the centre does not ask.")
    previous_secret: SealedSecret | None = Field(
        default=None, description="The password before the last rotation; it works until `previous_until`."
    )
    previous_until: AwareDatetime | None = None


def served_url(destination_code: str, camera_code: str = "") -> str:
    """`served://<destination>/<camera>`: the address of a delivery that the centre opens."""
    return f"{SERVED}://{destination_code}/{camera_code}"


def served_path(url: str) -> str:
    """`served://<destination>/<camera>` -> `/<destination>/<camera>`, as the centre types it."""
    return url.removeprefix(f"{SERVED}:/")


CHECK_HOLDS_S = 900.0
"""So long a check of an address says who is responsible."""


class SelfCheckOutcome(StrEnum):
    """What we found ourselves at the address from which a centre pulls."""

    SERVED = "served"
    """It answers, its certificate is good, the login is taken, and the camera's own picture comes."""
    UNREACHABLE = "unreachable"
    TLS = "tls"
    LOGIN = "login"
    NO_PICTURE = "no_picture"
    OTHER_PICTURE = "other_picture"
    NOT_CHECKABLE = "not_checkable"
    """It says nothing: no picture to compare, or a fault of the prober's own."""


class SelfCheck(BaseModel):
    """One attempt of ours to play what a centre pulls, from outside the worker that serves it."""

    model_config = MESSAGE

    outcome: SelfCheckOutcome
    address: str = Field(description="What was played, without a login.")
    cause: Cause | None = Field(default=None, description="Why it was not served.")
    detail: str | None = Field(default=None, max_length=500, description="For people; never a credential.")
    certificate_ends_at: AwareDatetime | None = Field(
        default=None, description="Of the certificate that was shown there, whether or not it is good."
    )
    steps_ms: dict[str, float] = Field(
        default_factory=dict, description="How long each step took: dns, connect, tls, options, describe, setup, play."
    )
