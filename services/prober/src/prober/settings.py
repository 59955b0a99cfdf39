"""Settings of the prober, environment prefix VONGGAC_PROBER_."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from vonggac.rtsp.addresses import PRIVATE_NETWORKS, AllowedNetworks
from vonggac.settings import ServiceSettings, SettingsConfigDict


class Settings(ServiceSettings):
    """Every setting of one prober process."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_PROBER_", extra="ignore", frozen=True)

    port: int = Field(default=8102, ge=0, le=65535, description="Port of the HTTP API; 0 takes a free one.")
    workers_private_key_file: Path = Field(
        description="The workers' private key (base64 of 32 bytes), which opens the cameras' credentials."
    )
    allowed_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=PRIVATE_NETWORKS,
        description="Networks that may be probed, CIDR, comma separated; checked after name resolution.",
    )
    max_concurrent_probes: int = Field(default=32, ge=1, le=4096, description="Looks at a time in this process.")
    decoder_threads: int = Field(default=2, ge=1, le=64, description="Threads that decode keyframes.")
    measure_window_s: float = Field(
        default=2.0,
        ge=0,
        le=30,
        description="Seconds of media measured in a look; it ends early at the second keyframe.",
    )
    auth_cooldown_s: float = Field(
        default=1800.0, ge=0, description="Seconds to the next look after two failed logins in a row."
    )
    first_look_spread_s: float = Field(
        default=10.0, ge=0, description="Seconds over which the first looks of many new cameras are spread."
    )
    stop_within_s: float = Field(default=10.0, ge=0, description="Seconds that running looks are given at a stop.")
    heartbeat_interval_s: float = Field(default=5.0, gt=0, le=5, description="Seconds between heartbeats.")
    max_scans: int = Field(default=4, ge=1, le=64, description="ONVIF scans at a time in this process.")
    scan_concurrency: int = Field(
        default=16, ge=1, le=256, description="Addresses asked at a time by all ONVIF scans of this process."
    )
    metrics_per_camera: bool = Field(
        default=False, description="Export vonggac_prober_probe_success per camera (a series for each)."
    )

    @field_validator("allowed_networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return json.loads(value)
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("allowed_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        AllowedNetworks.parse(value)
        return value
