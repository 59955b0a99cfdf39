"""`python -m local.issuer`: serve until SIGTERM. Exit status 1 without keys, 2 for bad settings."""

from local.issuer.app import create_app
from local.issuer.settings import IssuerSettings
from vonggac.http.server import run
from vonggac.settings import load_or_exit
from vonggac.telemetry import configure_logging


def main() -> None:
    """Run the issuer by settings from the environment (VONGGAC_ISSUER_…)."""
    settings = load_or_exit(IssuerSettings)
    configure_logging(service="issuer", level="info", log_format="json")
    try:
        app = create_app(settings)
    except (OSError, ValueError) as error:
        raise SystemExit(f"issuer cannot start: {error}") from None
    run(app, host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
