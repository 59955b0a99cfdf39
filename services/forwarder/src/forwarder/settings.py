"""Settings of the forwarder, from environment variables that begin with VONGGAC_FORWARDER_."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.settings import ServiceSettings, SettingsConfigDict, set_by
from vonggac.settings.networks import DENIED_ENDPOINTS, EndpointTexts, NetworkTexts


class Settings(ServiceSettings):
    """Durations are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_FORWARDER_", extra="ignore", frozen=True)
    constants: ClassVar[frozenset[str]] = ServiceSettings.constants | {
        "connect_timeout_s",
        "media_timeout_s",
        "silent_after_s",
        "suspect_backoff_s",
        "stall_s",
        "keyframe_interval_s",
        "keyframe_hash_interval_s",
        "serve_connections",
    }

    port: int = Field(
        default=8103,
        ge=0,
        le=65535,
        description="Port of the HTTP API; 0 takes a free one.",
        json_schema_extra=set_by("chart, compose and `make run`; who installs, where a port is taken"),
    )
    workers_private_key_file: Path = Field(
        description="Key that opens camera and destination credentials (base64 of 32 bytes).",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    allowed_networks: NetworkTexts = Field(
        description="Networks that cameras and destinations may lie in, CIDR, comma separated; checked after name "
        "resolution.",
        json_schema_extra=set_by("who installs: the networks of cameras and centres"),
    )
    denied_endpoints: EndpointTexts = Field(
        default=(),
        description=DENIED_ENDPOINTS,
        json_schema_extra=set_by(
            "chart and compose; who installs, where the platform's own hosts lie inside the allowed networks"
        ),
    )
    max_cameras: int = Field(
        default=200,
        ge=1,
        le=10_000,
        description="Cameras this process takes at most; replicas share the rest.",
        json_schema_extra=set_by("chart and compose; operator, by the sums of operations/scaling.md"),
    )
    auth_cooldown_s: float = Field(
        default=1800.0,
        ge=1,
        description="Seconds of rest after a camera refused the credentials (lock-out).",
        json_schema_extra=set_by("operator, where cameras lock a login for longer"),
    )
    refused_retry_s: float = Field(
        default=300.0,
        ge=1,
        description="Seconds until a destination that refused the credentials is tried again.",
        json_schema_extra=set_by("operator, while a centre's account is being mended"),
    )
    drop_s: float = Field(
        default=15.0,
        gt=0,
        description="Seconds without an acknowledged byte until the session is dropped; sooner where its address was "
        "found silent and answers again.",
        json_schema_extra=set_by("operator, for a centre that pauses and recovers by itself"),
    )
    keyframe_wait_s: float = Field(
        default=15.0,
        gt=0,
        description="Seconds a new session waits for a keyframe until the camera is blamed.",
        json_schema_extra=set_by("who installs, for cameras with a keyframe a minute"),
    )
    good_session_s: float = Field(
        default=60.0,
        gt=0,
        description="Seconds of good work after which waiting times start from the beginning.",
        json_schema_extra=set_by("`bench/faults`; operator, where a network breaks every minute"),
    )
    buffer_bytes: int = Field(
        default=4 << 20,
        ge=64 << 10,
        description="Bytes held back for one slow destination before media is left out.",
        json_schema_extra=set_by("operator, for a slow line to a centre, beside the process's memory"),
    )
    buffer_s: float = Field(
        default=5.0,
        gt=0,
        description="Seconds a destination may lag behind before media is left out.",
        json_schema_extra=set_by("operator, for a slow line to a centre"),
    )
    queued_media_bytes: int = Field(
        default=64 << 20,
        ge=1 << 20,
        description="Bytes of media that wait in this process for all destinations together, GOP caches included; "
        "then the most backed-up delivery leaves groups of pictures out. Send buffers of the kernel come on top: "
        "about a second of each stream at most.",
        json_schema_extra=set_by("operator, with the process's memory limit"),
    )
    receive_low_water_bytes: int = Field(
        default=0,
        ge=0,
        le=1 << 20,
        description="Bytes of a camera waited for before they are handed on: more cameras per core for more delay "
        "(16384 at 2 Mbit/s is 65 ms); 0 hands on at once.",
        json_schema_extra=set_by("operator, when a core must carry more cameras (operations/scaling.md)"),
    )
    remux_cameras_per_process: int = Field(
        default=8,
        ge=1,
        le=100,
        description="Cameras that do not speak RTSP unpacked by one process at most: a crash of the native library "
        "harms no others.",
        json_schema_extra=set_by("operator, when `remux_process_died` comes often"),
    )
    rebalance_after_s: float = Field(
        default=30.0,
        ge=1,
        le=86_400,
        description="Seconds without a forwarder coming or going after which the fullest one hands cameras to the "
        "emptiest.",
        json_schema_extra=set_by("operator and benches, so that cameras stay where they are for a while"),
    )
    stop_within_s: float = Field(
        default=20.0,
        gt=0,
        le=24,
        description="Seconds for handing all cameras over at an orderly stop.",
        json_schema_extra=set_by("chart, with the pod's grace period; operator, when `cameras_not_handed_over` comes"),
    )

    serve_host: str = Field(
        default="0.0.0.0",
        description="Address at which centres that pull connect.",
        json_schema_extra=set_by("`make run` (loopback); who installs, where centres come by one address"),
    )
    serve_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="RTSP port for centres that pull; 0 takes a free one, unset listens at none. A forwarder "
        "with neither this nor `serve_tls_port` serves what others pass on; where none has one, deliveries are "
        "`transport_unsupported`.",
        json_schema_extra=set_by("chart, compose and `make run`, when centres pull without TLS"),
    )
    serve_tls_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="The same inside TLS (rtsps); needs a certificate.",
        json_schema_extra=set_by("chart and compose, when centres pull (operations/centres-that-pull.md)"),
    )
    serve_tls_certificate_file: Path | None = Field(
        default=None,
        description="Certificate of `serve_tls_port` with its chain, PEM; read again when it changes.",
        json_schema_extra=set_by("chart and compose, with `serve_tls_port`"),
    )
    serve_tls_key_file: Path | None = Field(
        default=None,
        description="Its private key, PEM; unset where the certificate's file holds it.",
        json_schema_extra=set_by("chart and compose, with `serve_tls_port`"),
    )
    serve_udp_ports: str | None = Field(
        default=None,
        pattern=r"^[0-9]{4,5}-[0-9]{4,5}$",
        description="Ports from which media goes out over UDP to centres that may use it, such as 30000-30999; unset: "
        "nobody gets UDP.",
        json_schema_extra=set_by("chart and compose, when a centre takes media by UDP alone"),
    )

    passage_host: str | None = Field(
        default=None,
        description="Address at which the other forwarders pass centres on that want a camera of this one; they must "
        "reach it. Unset: the address from which this process reaches NATS.",
        json_schema_extra=set_by("who installs, where forwarders reach each other by another address"),
    )
    passage_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Its port; 0 takes a free one.",
        json_schema_extra=set_by("who installs, where a firewall stands between forwarders"),
    )

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
