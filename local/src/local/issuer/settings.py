"""Settings of the embedded issuer, from the environment (VONGGAC_ISSUER_…)."""

import ipaddress
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class IssuerSettings(BaseSettings):
    """Where it listens, whose keys it signs with, and which console it sends people back to."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_ISSUER_", extra="ignore", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address it listens on: a loopback address and no other.")
    port: int = Field(default=8106, ge=1, le=65535, description="Port it listens on.")
    keys: Path = Field(description="Folder of the key files (`vonggac.auth.keys`).")
    console_url: str = Field(default="http://127.0.0.1:8100", description="The console, without a path.")
    inventory_url: str | None = Field(
        default=None, description="Inventory's API, where agencies and facilities to speak for are found."
    )
    access_s: float = Field(default=900.0, gt=0, le=86_400, description="Seconds for which an access token is valid.")

    @field_validator("host")
    @classmethod
    def is_on_loopback(cls, given: str) -> str:
        """Raise ValueError for another address: everybody can be anybody here."""
        if not ipaddress.ip_address(given).is_loopback:
            msg = "the embedded issuer listens on loopback alone: elsewhere set an OIDC provider for the console"
            raise ValueError(msg)
        return given

    @property
    def address(self) -> str:
        """As its discovery document names it."""
        return f"http://{self.host}:{self.port}"

    @property
    def callback(self) -> str:
        """The one address that codes are sent to."""
        return self.console_url + "/sign-in/callback"
