"""The policy: for every route of the four services the rights that it needs, and what a token's scope means there."""

from vonggac.auth.policy.entry import Entry, Reach
from vonggac.auth.policy.inventory import INVENTORY
from vonggac.auth.policy.reporting import REPORTING
from vonggac.auth.policy.workers import FORWARDER, PROBER

POLICY = {"inventory": INVENTORY, "prober": PROBER, "forwarder": FORWARDER, "reporting": REPORTING}

__all__ = ["FORWARDER", "INVENTORY", "POLICY", "PROBER", "REPORTING", "Entry", "Reach"]
