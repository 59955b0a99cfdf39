"""Settings of reporting, from the environment (VONGGAC_REPORTING_…)."""

from pathlib import Path

from pydantic import Field

from reporting.domain.mandate.obligations import ADDRESSEES
from vonggac.net.allowed_networks import PRIVATE_NETWORKS, AllowedNetworks
from vonggac.settings import RecordKeeperSettings, SettingsConfigDict
from vonggac.settings.database import DatabaseUrl
from vonggac.settings.networks import DENIED_ENDPOINTS, EndpointTexts, NetworkTexts, Texts


class Settings(RecordKeeperSettings):
    """What reporting needs beyond the settings of every service."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_REPORTING_", extra="ignore", frozen=True)

    port: int = Field(default=8104, ge=0, le=65535, description="Port of the HTTP API; 0 takes a free one.")
    database_url: DatabaseUrl = Field(
        description="PostgreSQL, as postgresql+psycopg://user:password@host:port/database."
    )
    database_password_file: Path | None = Field(
        default=None, description="File with the password of that user, any characters; wins over one in the URL."
    )
    database_pool_size: int = Field(default=10, ge=2, le=100, description="Connections kept to PostgreSQL.")
    present_every_s: float = Field(
        default=1.0, gt=0, le=10, description="Seconds between two rounds of accounting what may stand otherwise now."
    )
    ingest_batch: int = Field(default=500, ge=1, le=5000, description="Most events handled in one transaction.")
    presumed_alive_s: float = Field(
        default=15.0, gt=0, le=300, description="Seconds after its last sign of life that a worker is presumed alive."
    )
    future_tolerance_s: float = Field(
        default=2.0,
        gt=0,
        le=3600,
        description="Seconds a fact may be dated after NATS stored it; a later one is taken at the time it was stored.",
    )
    inbox_kept_s: float = Field(
        default=86_400.0, ge=3600, description="Seconds that handled events are remembered against repetition."
    )
    housekeeping_every_s: float = Field(default=60.0, gt=0, description="Seconds between two rounds of housekeeping.")
    lateness_horizon_s: float = Field(
        default=21_600.0,
        ge=0,
        description="Seconds after a local midnight that evidence for the day before it is waited for: then it is "
        "written to the ledger, and what comes later is marked as late.",
    )
    ledger_every_s: float = Field(default=60.0, gt=0, description="Seconds between two rounds of keeping the ledger.")
    export_within_s: float = Field(
        default=300.0, gt=0, description="Seconds a download may take; it reads one unchanging snapshot."
    )
    max_period_days: int = Field(default=366, ge=1, description="Longest period of a report, in days.")
    allowed_networks: NetworkTexts = Field(
        default=PRIVATE_NETWORKS,
        description="Networks that webhooks and urging may be sent to, CIDR, comma separated; checked after name "
        "resolution.",
    )
    denied_endpoints: EndpointTexts = Field(default=(), description=DENIED_ENDPOINTS)
    secrets_key_file: Path | None = Field(
        default=None,
        description="Key (base64 of 32 bytes) that seals the secrets of webhooks and the addresses of channels in the "
        "database. Unset: none can be entered, and nothing is sent.",
    )
    watch_every_s: float = Field(
        default=10.0,
        gt=0,
        le=600,
        description="Seconds between two checks for new outages, site faults and overdue obligations.",
    )
    urge_every_s: float = Field(
        default=60.0, gt=0, le=3600, description="Seconds between two decisions on whom to urge."
    )
    notices_kept_days: int = Field(
        default=30, ge=1, le=366, description="Days that notices and their deliveries are kept, to be sent again."
    )
    compliance_metrics_every_s: float = Field(
        default=30.0, gt=0, le=3600, description="Seconds for which /v1/metrics/compliance answers the same figures."
    )
    letter_place: str = Field(
        default="Quảng Trị",
        max_length=100,
        description="Place before the date of a drafted letter where its directive names none.",
    )

    report_addressees: Texts = Field(
        default=ADDRESSEES,
        description="Whom results are reported to, comma separated or as JSON: «Kính gửi» of a frozen report, and "
        "the last paragraph of a drafted letter, where neither request nor directive names others. As letter "
        "1742/UBND-VX has it.",
    )

    @property
    def allowed(self) -> AllowedNetworks:
        """Where this process may connect to."""
        return AllowedNetworks.parse(self.allowed_networks, self.denied_endpoints)
