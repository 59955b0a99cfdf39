"""Settings of the simulator's own process, from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SimulatorSettings(BaseSettings):
    """One process. Every variable begins with VONGGAC_SIMULATOR_."""

    model_config = SettingsConfigDict(env_prefix="VONGGAC_SIMULATOR_", extra="ignore", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address the HTTP API listens on.")
    port: int = Field(default=8090, ge=0, le=65535, description="Port of the HTTP API; 0 takes a free one.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["json", "console"] = Field(default="json", description="One JSON object a line, or for eyes.")
    config: Path | None = Field(
        default=None, description="JSON file with cameras and centres; without one, the demo's."
    )
    rtsp_host: str = Field(default="127.0.0.1", description="Address the cameras and centres listen on.")
    advertised_host: str | None = Field(
        default=None, description="Name or address in the URLs shown, where it is not rtsp_host."
    )
    demo_base_port: int = Field(
        default=0, ge=0, le=65_000, description="The demo's ports count from here; 0 takes free ones."
    )
    cache_folder: Path | None = Field(
        default=None, description="Encoded clips are kept here, so that the next start is fast."
    )
    pulling_folder: Path | None = Field(
        default=None,
        description="What centres were given to pull is kept here, with the login, so that the next start goes on.",
    )
