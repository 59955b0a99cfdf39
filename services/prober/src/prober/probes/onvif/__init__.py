"""ONVIF: who a device is, what it streams, and how far its clock is off.

`probe_device` asks one address for everything, `clock_drift` for its time only; both are one attempt with a hard
deadline and give values. `scan` asks many addresses for a person who then decides what goes into the inventory.
"""

from prober.probes.onvif.model import DeviceFacts, MediaProfile, OnvifCause, OnvifFinding, Remark
from prober.probes.onvif.probe import clock_drift, probe_device

__all__ = [
    "DeviceFacts",
    "MediaProfile",
    "OnvifCause",
    "OnvifFinding",
    "Remark",
    "clock_drift",
    "probe_device",
]
