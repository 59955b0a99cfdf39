"""Says of a service how far the children that it starts are confined: once in the log, and in a gauge."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, Gauge

from vonggac.children.sandbox import Layers, find_layers
from vonggac.telemetry import get_logger

log = get_logger(__name__)


def report_sandbox(registry: CollectorRegistry, layers: Layers | None = None) -> None:
    """Log and measure the layers that the kernel offers. Readiness does not ask for them."""
    found = layers or find_layers()
    # A registry that has it already has the same: the kernel is one.
    with suppress(ValueError):
        gauge = Gauge(
            "vonggac_child_sandbox",
            "1 where children that decode foreign bytes are confined by this layer of the kernel.",
            ("layer",),
            registry=registry,
        )
        gauge.labels("landlock").set(found.landlock > 0)
        gauge.labels("seccomp").set(found.seccomp)
    if found.landlock and found.seccomp:
        log.info("children_confined", landlock=found.landlock, seccomp=found.seccomp)
    else:
        log.warning("children_less_confined", landlock=found.landlock, seccomp=found.seccomp)
