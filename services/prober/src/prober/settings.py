"""Settings of the prober, environment prefix VONGGAC_PROBER_."""

from pathlib import Path

from pydantic import Field

from prober.domain.read_back_facts import READ_BACKS_PER_FACT
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.settings import ServiceSettings, SettingsConfigDict
from vonggac.settings.networks import DENIED_ENDPOINTS, EndpointTexts, NetworkTexts
from vonggac.settings.served_addresses import ServedAddressTexts


class Settings(ServiceSettings):
    """Every setting of one prober process."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_PROBER_", extra="ignore", frozen=True)

    port: int = Field(default=8102, ge=0, le=65535, description="Port of the HTTP API; 0 takes a free one.")
    workers_private_key_file: Path = Field(
        description="The workers' private key (base64 of 32 bytes), which opens the cameras' credentials."
    )
    allowed_networks: NetworkTexts = Field(
        description="Networks of cameras and centres, CIDR, comma separated: only they are probed, scanned and read "
        "back from; checked after name resolution.",
    )
    denied_endpoints: EndpointTexts = Field(default=(), description=DENIED_ENDPOINTS)
    max_concurrent_probes: int = Field(default=128, ge=1, le=4096, description="Probes at a time in this process.")
    silent_share: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="Part of them that is for cameras that do not answer, and the most that these take.",
    )
    decoder_processes: int = Field(default=2, ge=1, le=64, description="Processes that decode keyframes.")
    decoder_memory_bytes: int = Field(
        default=384 << 20,
        ge=128 << 20,
        le=8 << 30,
        description="Memory that one of them may take; a picture of 40 million pixels fits into the default.",
    )
    measure_window_s: float = Field(
        default=2.0,
        ge=0,
        le=30,
        description="Seconds of media measured in a probe; it ends early at the second keyframe.",
    )
    deep_interval_s: float = Field(
        default=60.0, ge=0, description="Seconds from deep probe to deep probe of a good camera; light ones in between."
    )
    max_probes_per_network: int = Field(
        default=8,
        ge=0,
        le=4096,
        description="Probes at a time at one site network by all probers together, ONVIF included; 0: no bound.",
    )
    network_prefix_v4: int = Field(default=24, ge=8, le=32, description="Bits of an IPv4 address that make a network.")
    network_prefix_v6: int = Field(default=64, ge=16, le=128, description="Bits of an IPv6 address that make one.")
    auth_cooldown_s: float = Field(
        default=1800.0, ge=0, description="Seconds to the next probe after two failed logins in a row."
    )
    suspect_backoff_s: float = Field(
        default=300.0,
        ge=0,
        description="Seconds to the next probe when a camera refuses a login that it took before (its session limit?).",
    )
    identity_interval_s: float = Field(
        default=86_400.0, ge=0, description="Seconds until a camera's identity is read by ONVIF again."
    )
    site_fault_min_cameras: int = Field(
        default=3, ge=2, le=1000, description="Cameras of a facility that must fail alike to make a fault of the site."
    )
    failures_kept: int = Field(default=20, ge=1, le=100, description="Failures that are kept of each camera.")
    max_on_demand_probes: int = Field(
        default=4,
        ge=1,
        le=256,
        description="Probes and read-backs at a time on demand (POST).",
    )
    max_views: int = Field(
        default=4, ge=1, le=64, description="Pictures for people that are fetched at a time; further ones wait."
    )
    max_picture_streams: int = Field(
        default=8, ge=1, le=256, description="Streams of many pictures that are open at a time; each ends after 900 s."
    )
    min_fps: float = Field(default=5.0, ge=0, description="Fewer pictures a second are low_fps, unless surveyed so.")
    fps_ratio: float = Field(default=0.6, ge=0, le=1, description="Below this part of the surveyed rate: low_fps.")
    min_bits_per_pixel: float = Field(
        default=0.002, ge=0, description="Fewer bits per pixel and picture are low_bitrate (104 kbit/s at 1080p25)."
    )
    max_loss_percent: float = Field(default=1.0, ge=0, le=100, description="More lost packets are packet_loss.")
    max_jitter_ms: float = Field(
        default=50.0, ge=0, description="Pictures later than this on average (after the most punctual one) are jitter."
    )
    max_clock_drift_s: float = Field(default=5.0, ge=0, description="A camera's clock further off is clock_drift.")
    frozen_min_age_s: float = Field(
        default=30.0, ge=0, description="Seconds that a picture must stand still to be frozen."
    )
    first_probe_spread_s: float = Field(
        default=10.0, ge=0, description="Seconds over which the first probes of many new cameras are spread."
    )
    served_addresses: ServedAddressTexts = Field(
        default=(),
        description="Where centres that pull reach the forwarders, as inventory has it: rtsps://host:port, or "
        "rtsp://host:port beside it or alone, comma separated. Their addresses are checked from here, so that who is "
        "responsible is known. Unset: nothing is checked, and no centre is named.",
    )
    served_ca_file: Path | None = Field(
        default=None,
        description="Authorities (PEM) that their certificate is checked by. Unset: the system's.",
    )
    verify_interval_s: float = Field(
        default=60.0, gt=0, description="Seconds from read-back to read-back of a delivery that is proven."
    )
    read_backs_per_fact: int = Field(
        default=READ_BACKS_PER_FACT,
        ge=1,
        le=16,
        description="Of so many read-backs of a delivery that say the same one is stored, and carries the others; "
        "1: each is stored.",
    )
    verify_timeout_s: float = Field(
        default=15.0, ge=1, le=60, description="Seconds in which a read-back must have its first keyframe."
    )
    max_delay_s: float = Field(
        default=30.0,
        gt=0,
        le=120,
        description="A picture that comes back from a destination later than this is no proof, but a mismatch.",
    )
    rare_keyframe_s: float = Field(
        default=90.0,
        ge=0,
        le=300,
        description="Seconds that a scheduled read-back waits for the next keyframe of a camera that sends them "
        "rarely; then it is `not_checkable`.",
    )
    max_concurrent_verifications: int = Field(
        default=32, ge=1, le=4096, description="Cameras at a time whose deliveries are read back by this process."
    )
    read_back_cooldown_s: float = Field(
        default=300.0,
        ge=0,
        description="Seconds until a read-back login is tried again after two failed ones in a row.",
    )
    stop_within_s: float = Field(default=10.0, ge=0, description="Seconds that running probes are given at a stop.")
    heartbeat_interval_s: float = Field(default=5.0, gt=0, le=5, description="Seconds between heartbeats.")
    max_endpoints_per_caller: int = Field(
        default=2000,
        ge=1,
        le=1_000_000,
        description="Endpoints (address and port) that one caller may have probed and scanned in an hour, by all "
        "probers together.",
    )
    max_endpoints_per_network: int = Field(
        default=2000, ge=1, le=1_000_000, description="The same at one site network, by all callers together."
    )
    max_ports_per_address: int = Field(
        default=16, ge=1, le=65_535, description="Different ports of one address that are asked on demand in an hour."
    )
    max_scans: int = Field(default=4, ge=1, le=64, description="ONVIF scans at a time in this process.")
    scan_concurrency: int = Field(
        default=16, ge=1, le=256, description="Addresses asked at a time by all ONVIF scans of this process."
    )
    metrics_per_camera: bool = Field(
        default=False, description="Export vonggac_prober_probe_success per camera (a series for each)."
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
