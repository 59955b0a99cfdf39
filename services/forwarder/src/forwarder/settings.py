"""Settings of the forwarder, from environment variables that begin with VONGGAC_FORWARDER_."""

from pathlib import Path

from pydantic import Field, field_validator

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

    serve_host: str = Field(default="0.0.0.0", description="Address at which centres that pull connect.")
    serve_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="RTSP port for centres that pull; 0 takes a free one, unset listens at none. With neither this nor "
        "`serve_tls_port` their deliveries are `transport_unsupported`.",
    )
    serve_tls_port: int | None = Field(
        default=None, ge=0, le=65535, description="The same inside TLS (rtsps); needs a certificate."
    )
    serve_tls_certificate_file: Path | None = Field(
        default=None, description="Certificate of `serve_tls_port` with its chain, PEM; read again when it changes."
    )
    serve_tls_key_file: Path | None = Field(
        default=None, description="Its private key, PEM; unset where the certificate's file holds it."
    )
    serve_udp_ports: str | None = Field(
        default=None,
        pattern=r"^[0-9]{4,5}-[0-9]{4,5}$",
        description="Ports from which media goes out over UDP to centres that may use it, such as 30000-30999; unset: "
        "nobody gets UDP.",
    )
    serve_connections: int = Field(
        default=1024, ge=1, le=65535, description="Connections of centres at once; beyond, who has not logged in goes."
    )

    passage_host: str | None = Field(
        default=None,
        description="Address at which the other forwarders pass centres on that want a camera of this one; they must "
        "reach it. Unset: the address from which this process reaches NATS.",
    )
    passage_port: int = Field(default=0, ge=0, le=65535, description="Its port; 0 takes a free one.")

    @field_validator("serve_udp_ports")
    @classmethod
    def _check_ports(cls, value: str | None) -> str | None:
        first, _, last = (value or "1024-65535").partition("-")
        if not 1024 <= int(first) < int(last) <= 65535:
            msg = "name the first and the last port, from 1024 to 65535, such as 30000-30999"
            raise ValueError(msg)
        return value

    @property
    def served_udp_ports(self) -> range | None:
        """The ports of `serve_udp_ports`."""
        first, _, last = (self.serve_udp_ports or "").partition("-")
        return range(int(first), int(last) + 1) if first else None

    @property
    def allowed(self) -> AllowedNetworks:
        """Where this process may connect to."""
        return AllowedNetworks.parse(self.allowed_networks, self.denied_endpoints)
