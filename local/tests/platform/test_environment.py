"""What the parts of `make run` know of each other."""

from pathlib import Path

from local.platform import environment
from local.platform.ports import Ports
from local.platform.state import StateFolder


def of(service: str) -> dict[str, str]:
    login = environment.DatabaseLogin("postgresql+psycopg://inventory@127.0.0.1/inventory", Path("password"))
    return environment.of_service(
        service,
        state=StateFolder(Path("var")),
        ports=Ports(),
        databases=dict.fromkeys(environment.RECORD_KEEPERS, login),
        allowed=("127.0.0.0/8",),
    )


def test_centres_pull_where_inventory_says_and_the_prober_checks() -> None:
    served = of("forwarder")
    address = f"rtsp://{served['VONGGAC_FORWARDER_SERVE_HOST']}:{served['VONGGAC_FORWARDER_SERVE_PORT']}"
    assert of("inventory")["VONGGAC_INVENTORY_SERVED_ADDRESSES"] == address
    assert of("prober")["VONGGAC_PROBER_SERVED_ADDRESSES"] == address
    assert "VONGGAC_REPORTING_SERVED_ADDRESSES" not in of("reporting")
