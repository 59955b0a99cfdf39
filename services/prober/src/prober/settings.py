"""Settings of the prober, environment prefix VONGGAC_PROBER_."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.settings import ServiceSettings, SettingsConfigDict, set_by
from vonggac.settings.networks import DENIED_ENDPOINTS, EndpointTexts, NetworkTexts
from vonggac.settings.served_addresses import ServedAddressTexts


class Settings(ServiceSettings):
    """Every setting of one prober process."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_PROBER_", extra="ignore", frozen=True)
    constants: ClassVar[frozenset[str]] = ServiceSettings.constants | {
        "decoder_memory_bytes",
        "suspect_backoff_s",
        "identity_interval_s",
        "site_fault_min_cameras",
        "failures_kept",
        "max_on_demand_probes",
        "max_views",
        "max_picture_streams",
        "fps_ratio",
        "min_bits_per_pixel",
        "frozen_min_age_s",
        "first_probe_spread_s",
        "read_backs_per_fact",
        "rare_keyframe_s",
        "read_back_cooldown_s",
        "heartbeat_interval_s",
        "max_endpoints_per_network",
        "max_ports_per_address",
        "max_scans",
        "scan_concurrency",
    }

    port: int = Field(
        default=8102,
        ge=0,
        le=65535,
        description="Port of the HTTP API; 0 takes a free one.",
        json_schema_extra=set_by("chart, compose and `make run`; who installs, where a port is taken"),
    )
    workers_private_key_file: Path = Field(
        description="The workers' private key (base64 of 32 bytes), which opens the cameras' credentials.",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    allowed_networks: NetworkTexts = Field(
        description="Networks of cameras and centres, CIDR, comma separated: only they are probed, scanned and read "
        "back from; checked after name resolution.",
        json_schema_extra=set_by("who installs: the networks of cameras and centres"),
    )
    denied_endpoints: EndpointTexts = Field(
        default=(),
        description=DENIED_ENDPOINTS,
        json_schema_extra=set_by(
            "chart and compose; who installs, where the platform's own hosts lie inside the allowed networks"
        ),
    )
    max_concurrent_probes: int = Field(
        default=128,
        ge=1,
        le=4096,
        description="Probes at a time in this process.",
        json_schema_extra=set_by("operator, when `VonggacProberLate` comes though cores are idle"),
    )
    silent_share: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="Part of them that is for cameras that do not answer, and the most that these take.",
        json_schema_extra=set_by("operator, when more than half of the cameras are known to be silent; benches"),
    )
    decoder_processes: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Processes that decode keyframes.",
        json_schema_extra=set_by("operator, with the prober's cores"),
    )
    measure_window_s: float = Field(
        default=2.0,
        ge=0,
        le=30,
        description="Seconds of media measured in a probe; it ends early at the second keyframe.",
        json_schema_extra=set_by("operator, for cameras whose rate varies; the chart sums with it"),
    )
    deep_interval_s: float = Field(
        default=60.0,
        ge=0,
        description="Seconds from deep probe to deep probe of a good camera; light ones in between.",
        json_schema_extra=set_by("compose and operator, by the sums of operations/scaling.md"),
    )
    max_probes_per_network: int = Field(
        default=8,
        ge=0,
        le=4096,
        description="Probes at a time at one site network by all probers together, ONVIF included; 0: no bound.",
        json_schema_extra=set_by("operator, where a site's line is narrow; benches"),
    )
    network_prefix_v4: int = Field(
        default=24,
        ge=8,
        le=32,
        description="Bits of an IPv4 address that make a network.",
        json_schema_extra=set_by("who installs, where a site's network is not a /24"),
    )
    network_prefix_v6: int = Field(
        default=64,
        ge=16,
        le=128,
        description="Bits of an IPv6 address that make one.",
        json_schema_extra=set_by("who installs, where a site's network is not a /64"),
    )
    auth_cooldown_s: float = Field(
        default=1800.0,
        ge=0,
        description="Seconds to the next probe after two failed logins in a row.",
        json_schema_extra=set_by("operator, where cameras lock a login for longer"),
    )
    min_fps: float = Field(
        default=5.0,
        ge=0,
        description="Fewer pictures a second are low_fps, unless surveyed so.",
        json_schema_extra=set_by("operator, when `VonggacFindingWidespread` says low_fps of good cameras"),
    )
    max_loss_percent: float = Field(
        default=1.0,
        ge=0,
        le=100,
        description="More lost packets are packet_loss.",
        json_schema_extra=set_by("operator, when `VonggacFindingWidespread` says packet_loss of good lines"),
    )
    max_jitter_ms: float = Field(
        default=50.0,
        ge=0,
        description="Pictures later than this on average (after the most punctual one) are jitter.",
        json_schema_extra=set_by("operator, when `VonggacFindingWidespread` says jitter of good lines"),
    )
    max_clock_drift_s: float = Field(
        default=5.0,
        ge=0,
        description="A camera's clock further off is clock_drift.",
        json_schema_extra=set_by("operator, where cameras have no time server"),
    )
    served_addresses: ServedAddressTexts = Field(
        default=(),
        description="Where centres that pull reach the forwarders, as inventory has it: rtsps://host:port, or "
        "rtsp://host:port beside it or alone, comma separated. Their addresses are checked from here, so that who is "
        "responsible is known. Unset: nothing is checked, and no centre is named.",
        json_schema_extra=set_by("chart and compose, when centres pull, as inventory has it"),
    )
    served_ca_file: Path | None = Field(
        default=None,
        description="Authorities (PEM) that their certificate is checked by. Unset: the system's.",
        json_schema_extra=set_by("chart and compose, when the forwarders' certificate is of an authority of its own"),
    )
    verify_interval_s: float = Field(
        default=60.0,
        gt=0,
        description="Seconds from read-back to read-back of a delivery that is proven.",
        json_schema_extra=set_by("compose and operator, by the sums of operations/scaling.md; benches"),
    )
    verify_timeout_s: float = Field(
        default=15.0,
        ge=1,
        le=60,
        description="Seconds in which a read-back must have its first keyframe.",
        json_schema_extra=set_by("operator, for a line to a centre that takes longer"),
    )
    max_delay_s: float = Field(
        default=30.0,
        gt=0,
        le=120,
        description="A picture that comes back from a destination later than this is no proof, but a mismatch.",
        json_schema_extra=set_by("operator, for a centre that plays back with more delay; benches"),
    )
    max_concurrent_verifications: int = Field(
        default=32,
        ge=1,
        le=4096,
        description="Cameras at a time whose deliveries are read back by this process.",
        json_schema_extra=set_by("operator, when `VonggacProofsOverdue` comes though cores are idle"),
    )
    stop_within_s: float = Field(
        default=10.0,
        ge=0,
        description="Seconds that running probes are given at a stop.",
        json_schema_extra=set_by("chart, with the pod's grace period"),
    )
    max_endpoints_per_caller: int = Field(
        default=2000,
        ge=1,
        le=1_000_000,
        description="Endpoints (address and port) that one caller may have probed and scanned in an hour, by all "
        "probers together.",
        json_schema_extra=set_by("operator, before a survey of a large network"),
    )
    metrics_per_camera: bool = Field(
        default=False,
        description="Export vonggac_prober_probe_success per camera (a series for each).",
        json_schema_extra=set_by("operator, where Prometheus has room for a series a camera"),
    )

    @property
    def allowed(self) -> AllowedNetworks:
        """Where this process may connect to."""
        return AllowedNetworks.parse(self.allowed_networks, self.denied_endpoints)

    @property
    def served_trust(self) -> TlsPolicy:
        """Whom to trust at `served_addresses`. Raises OSError or ValueError where the file cannot be used."""
        if self.served_ca_file is None:
            return SYSTEM_AUTHORITIES
        return TlsPolicy(ca_pem=self.served_ca_file.read_text("ascii"))
