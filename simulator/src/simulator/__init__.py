"""Virtual cameras and monitoring centres with faults on demand.

Stores nothing and calls no other service: RTSP cameras play test patterns that are encoded once, RTSP centres accept
ANNOUNCE and RECORD and play back what they receive, and an HTTP API sets faults at run time.
"""

import os

# Before numpy is loaded. Clips are encoded in as many threads as there are cores: OpenBLAS's own threads beside them
# only wait for each other, and a blurred clip takes six times the CPU.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from simulator.config import CameraConfig, CentreConfig, SimulatorConfig
from simulator.demo import demo_config
from simulator.devices.faults import CameraFaultName
from simulator.simulator import Simulator

__all__ = [
    "CameraConfig",
    "CameraFaultName",
    "CentreConfig",
    "Simulator",
    "SimulatorConfig",
    "demo_config",
]
