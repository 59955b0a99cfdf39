"""Settings of inventory, from environment variables VONGGAC_INVENTORY_…"""

from pathlib import Path

from pydantic import Field, SecretStr

from vonggac.settings import ServiceSettings, SettingsConfigDict


class Settings(ServiceSettings):
    """What inventory takes from the environment."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_INVENTORY_", extra="ignore", frozen=True)

    port: int = Field(default=8101, ge=0, le=65535, description="Port of the HTTP API; 0 takes a free one.")
    database_url: SecretStr = Field(
        description="PostgreSQL, e.g. postgresql+psycopg://user:password@host:5432/inventory."
    )
    workers_public_key_file: Path = Field(description="Public key that seals credentials (workers.pub).")
    import_max_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, description="Largest CSV file taken, bytes.")
    relay_poll_s: float = Field(
        default=1.0, gt=0, le=60, description="Seconds between two looks at the outbox when nothing was committed here."
    )
    write_wait_s: float = Field(
        default=30.0, gt=0, le=600, description="Seconds a change waits for the one before it; then 503."
    )
