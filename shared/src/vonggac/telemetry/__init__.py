"""Structured logs, Prometheus metrics, health, sleep of the process, and the one function that hides credentials."""

from vonggac.telemetry.health import Health
from vonggac.telemetry.logs import configure_logging, get_logger
from vonggac.telemetry.redaction import redact

__all__ = ["Health", "configure_logging", "get_logger", "redact"]
