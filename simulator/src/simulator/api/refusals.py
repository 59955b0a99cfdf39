"""Refusals of the simulator as answers: why it cannot set up the device that a request asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from simulator.devices.faults import FaultError
from simulator.devices.listener import ListenError
from simulator.simulator import DeviceExistsError
from vonggac.http import ProblemError


@contextmanager
def refusals_as_answers() -> Iterator[None]:
    """Convert refusals. Raises ProblemError: 409 for an id or a port in use, 422 for a fault that does not fit."""
    try:
        yield
    except DeviceExistsError as error:
        raise ProblemError(HTTPStatus.CONFLICT, "id_in_use", str(error)) from None
    except ListenError as error:
        raise ProblemError(HTTPStatus.CONFLICT, "port_in_use", f"port: {error}; 0 takes a free one") from None
    except FaultError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "fault_does_not_fit", str(error)) from None
