"""Settings of the forwarder, from environment variables that begin with VONGGAC_FORWARDER_."""

from pathlib import Path

from pydantic import Field

from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.settings import ServiceSettings, SettingsConfigDict
from vonggac.settings.networks import DENIED_ENDPOINTS, EndpointTexts, NetworkTexts


class Settings(ServiceSettings):
    """Durations are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_FORWARDER_", extra="ignore", frozen=True)

    port: int = Field(default=8103, ge=0, le=65535, description="Port of the HTTP API; 0 takes a free one.")
    workers_private_key_file: Path = Field(
        description="Key that opens camera and destination credentials (base64 of 32 bytes)."
    )
    allowed_networks: NetworkTexts = Field(
        description="Networks that cameras and destinations may lie in, CIDR, comma separated; checked after name "
        "resolution.",
    )
    denied_endpoints: EndpointTexts = Field(default=(), description=DENIED_ENDPOINTS)
    max_cameras: int = Field(
        default=200, ge=1, le=10_000, description="Cameras this process takes at most; replicas share the rest."
    )
    connect_timeout_s: float = Field(
        default=10.0, gt=0, le=120, description="Seconds for one whole handshake with a camera or a destination."
    )
    media_timeout_s: float = Field(
        default=10.0,
        gt=0,
        le=300,
        description="Seconds without video packets until a camera counts as lost; twice the usual gap of one that "
        "sends more seldom, 30 at most.",
    )
    silent_after_s: float = Field(
        default=4.0,
        gt=0,
        le=60,
        description="Seconds without video packets until deliveries wait for the camera; twice the usual gap of one "
        "that sends more seldom, 30 at most.",
    )
    auth_cooldown_s: float = Field(
        default=1800.0, ge=1, description="Seconds of rest after a camera refused the credentials (lock-out)."
    )
    suspect_backoff_s: float = Field(
        default=300.0,
        ge=1,
        description="Seconds until a camera that refuses a login which it took before (its session limit?) is tried "
        "once more.",
    )
    refused_retry_s: float = Field(
        default=300.0, ge=1, description="Seconds until a destination that refused the credentials is tried again."
    )
    stall_s: float = Field(
        default=5.0,
        gt=0,
        description="Seconds without an acknowledged byte, or with all media left out, until a delivery is `stalled`.",
    )
    drop_s: float = Field(
        default=15.0,
        gt=0,
        description="Seconds without an acknowledged byte until the session is dropped; sooner where its address was "
        "found silent and answers again.",
    )
    keyframe_wait_s: float = Field(
        default=15.0, gt=0, description="Seconds a new session waits for a keyframe until the camera is blamed."
    )
    good_session_s: float = Field(
        default=60.0, gt=0, description="Seconds of good work after which waiting times start from the beginning."
    )
    buffer_bytes: int = Field(
        default=4 << 20, ge=64 << 10, description="Bytes held back for one slow destination before media is left out."
    )
    buffer_s: float = Field(
        default=5.0, gt=0, description="Seconds a destination may lag behind before media is left out."
    )
    queued_media_bytes: int = Field(
        default=64 << 20,
        ge=1 << 20,
        description="Bytes of media that wait in this process for all destinations together, GOP caches included; "
        "then the most backed-up delivery leaves groups of pictures out. Send buffers of the kernel come on top: "
        "about a second of each stream at most.",
    )
    keyframe_interval_s: float = Field(
        default=5.0,
        ge=1,
        le=60,
        description="Seconds for which the prober gets the same keyframe of a camera again.",
    )
    keyframe_hash_interval_s: float = Field(
        default=30.0, ge=1, le=120, description="Seconds from one hashed keyframe of a camera to the next, about."
    )
    receive_low_water_bytes: int = Field(
        default=0,
        ge=0,
        le=1 << 20,
        description="Bytes of a camera waited for before they are handed on: more cameras per core for more delay "
        "(16384 at 2 Mbit/s is 65 ms); 0 hands on at once.",
    )
    remux_cameras_per_process: int = Field(
        default=8,
        ge=1,
        le=100,
        description="Cameras that do not speak RTSP unpacked by one process at most: a crash of the native library "
        "harms no others.",
    )
    rebalance_after_s: float = Field(
        default=30.0,
        ge=1,
        le=86_400,
        description="Seconds without a forwarder coming or going after which the fullest one hands cameras to the "
        "emptiest.",
    )
    stop_within_s: float = Field(
        default=20.0, gt=0, le=24, description="Seconds for handing all cameras over at an orderly stop."
    )

    @property
    def allowed(self) -> AllowedNetworks:
        """Where this process may connect to."""
        return AllowedNetworks.parse(self.allowed_networks, self.denied_endpoints)
