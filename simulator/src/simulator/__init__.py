"""Virtual cameras and monitoring centres with faults on demand.

Owns nothing lasting and speaks to no other service: RTSP cameras that play test patterns encoded once, RTSP centres
that take ANNOUNCE/RECORD and play back what they receive, and an HTTP API that sets faults at run time.
"""

from simulator.config import CameraConfig, CentreConfig, SimulatorConfig
from simulator.core import Simulator
from simulator.demo import demo_config
from simulator.devices.faults import CameraFault, CameraFaultName, CentreFault, CentreFaultName

__all__ = [
    "CameraConfig",
    "CameraFault",
    "CameraFaultName",
    "CentreConfig",
    "CentreFault",
    "CentreFaultName",
    "Simulator",
    "SimulatorConfig",
    "demo_config",
]
