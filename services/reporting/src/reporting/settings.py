"""Settings of reporting, from the environment (VONGGAC_REPORTING_…)."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from reporting.domain.mandate.obligations import ADDRESSEES
from vonggac.net.allowed_networks import PRIVATE_NETWORKS, AllowedNetworks
from vonggac.settings import RecordKeeperSettings, SettingsConfigDict, set_by
from vonggac.settings.database import DatabaseUrl
from vonggac.settings.networks import DENIED_ENDPOINTS, EndpointTexts, NetworkTexts, Texts


class Settings(RecordKeeperSettings):
    """What reporting needs beyond the settings of every service."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_REPORTING_", extra="ignore", frozen=True)
    constants: ClassVar[frozenset[str]] = RecordKeeperSettings.constants | {
        "present_every_s",
        "future_tolerance_s",
        "inbox_kept_s",
        "housekeeping_every_s",
        "ledger_every_s",
        "watch_every_s",
        "urge_every_s",
        "compliance_metrics_every_s",
    }

    port: int = Field(
        default=8104,
        ge=0,
        le=65535,
        description="Port of the HTTP API; 0 takes a free one.",
        json_schema_extra=set_by("chart, compose and `make run`; who installs, where a port is taken"),
    )
    database_url: DatabaseUrl = Field(
        description="PostgreSQL, as postgresql+psycopg://user:password@host:port/database.",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    database_password_file: Path | None = Field(
        default=None,
        description="File with the password of that user, any characters; wins over one in the URL.",
        json_schema_extra=set_by("chart and compose"),
    )
    database_pool_size: int = Field(
        default=10,
        ge=2,
        le=100,
        description="Connections kept to PostgreSQL.",
        json_schema_extra=set_by("operator, by the connections that PostgreSQL has for the replicas"),
    )
    ingest_batch: int = Field(
        default=500,
        ge=1,
        le=5000,
        description="Most events handled in one transaction.",
        json_schema_extra=set_by("operator, when `VonggacReportingBehind` comes"),
    )
    presumed_alive_s: float = Field(
        default=15.0,
        gt=0,
        le=300,
        description="Seconds after its last sign of life that a worker is presumed alive.",
        json_schema_extra=set_by("operator, where workers' machines stall for longer"),
    )
    lateness_horizon_s: float = Field(
        default=21_600.0,
        ge=0,
        description="Seconds after a local midnight that evidence for the day before it is waited for: then it is "
        "written to the ledger, and what comes later is marked as late.",
        json_schema_extra=set_by("who answers for the figures, before the first day is closed"),
    )
    export_within_s: float = Field(
        default=300.0,
        gt=0,
        description="Seconds a download may take; it reads one unchanging snapshot.",
        json_schema_extra=set_by("operator, when `VonggacReportsSlow` comes"),
    )
    max_period_days: int = Field(
        default=366,
        ge=1,
        description="Longest period of a report, in days.",
        json_schema_extra=set_by("operator, when `VonggacReportsSlow` comes"),
    )
    allowed_networks: NetworkTexts = Field(
        default=PRIVATE_NETWORKS,
        description="Networks that webhooks and urging may be sent to, CIDR, comma separated; checked after name "
        "resolution.",
        json_schema_extra=set_by("who installs, for webhooks and mail outside private networks"),
    )
    denied_endpoints: EndpointTexts = Field(
        default=(),
        description=DENIED_ENDPOINTS,
        json_schema_extra=set_by(
            "chart and compose; who installs, where the platform's own hosts lie inside the allowed networks"
        ),
    )
    secrets_key_file: Path | None = Field(
        default=None,
        description="Key (base64 of 32 bytes) that seals the secrets of webhooks and the addresses of channels in the "
        "database. Unset: none can be entered, and nothing is sent.",
        json_schema_extra=set_by("chart, compose and `make run`"),
    )
    notices_kept_days: int = Field(
        default=30,
        ge=1,
        le=366,
        description="Days that notices and their deliveries are kept, to be sent again.",
        json_schema_extra=set_by("who answers for the receivers of webhooks"),
    )
    letter_place: str = Field(
        default="Quảng Trị",
        max_length=100,
        description="Place before the date of a drafted letter where its directive names none.",
        json_schema_extra=set_by("who installs, for another province"),
    )

    report_addressees: Texts = Field(
        default=ADDRESSEES,
        description="Whom results are reported to, comma separated or as JSON: «Kính gửi» of a frozen report, and "
        "the last paragraph of a drafted letter, where neither request nor directive names others. As letter "
        "1742/UBND-VX has it.",
        json_schema_extra=set_by("who installs, for another province or directive"),
    )

    @property
    def allowed(self) -> AllowedNetworks:
        """Where this process may connect to."""
        return AllowedNetworks.parse(self.allowed_networks, self.denied_endpoints)
