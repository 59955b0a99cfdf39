"""Setting logs up in one test leaves the loggers of the others alone."""

import pytest
from structlog.testing import capture_logs

from vonggac.telemetry import configure_logging, get_logger

log = get_logger(__name__)


@pytest.mark.usefixtures("logging_left_as_it_was")
def test_one_that_sets_logs_up() -> None:
    configure_logging(service="test", level="debug")
    log.info("early")
    assert "bind" not in vars(log)


def test_one_that_reads_them_afterwards() -> None:
    with capture_logs() as logs:
        log.info("late")
    assert [entry["event"] for entry in logs] == ["late"]
