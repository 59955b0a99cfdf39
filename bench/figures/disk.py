"""What facts take in OBSERVATIONS: the one place of the figures that the pages of operations and the chart give.

Measured by the tests of `-k facts_per_minute`.
"""

from vonggac.bus.declared import topology

PROBE_BYTES = 1000
READ_BACK_BYTES = 960
AGREED_BYTES = 57
"""Of a fact that carries others, and CARRIED_BYTES for each of these."""
CARRIED_BYTES = 99
ON_DISK = 0.24
"""The server compresses full blocks (S2)."""
READ_BACKS_PER_FACT = 4
"""As the prober's setting has it."""
DELIVERIES = 2
KEPT_DAYS = 30
UNBOUNDED_BYTES = 128 << 20
"""Room for what has no bound: work queues, INVENTORY, and the latest of each thing."""
GIB, TIB = 1 << 30, 1 << 40


def camera_minute_bytes(
    *, probe_every_s: int = 60, read_back_every_s: int = 60, per_fact: int = READ_BACKS_PER_FACT
) -> float:
    """Of a good camera with two deliveries that are read back, as the bound of the stream counts."""
    carried = AGREED_BYTES + CARRIED_BYTES * (per_fact - 1) if per_fact > 1 else 0
    read_back = (READ_BACK_BYTES + carried) / per_fact
    return PROBE_BYTES * 60 / probe_every_s + DELIVERIES * read_back * 60 / read_back_every_s


def kept_bytes(cameras: int, *, probe_every_s: int = 60) -> float:
    """Of so many cameras in the days that facts are kept."""
    return cameras * KEPT_DAYS * 1440 * camera_minute_bytes(probe_every_s=probe_every_s)


def absence_hours(cameras: int, bound_bytes: int = topology.OBSERVATIONS_MAX_BYTES) -> float:
    """How long a bound holds all facts of so many cameras: how long reporting may be away."""
    return bound_bytes / (cameras * camera_minute_bytes() * 60)


def beside_observations_bytes() -> int:
    """What NATS needs beside that bound."""
    streams = topology.DEAD_LETTERS_MAX_BYTES + topology.NOTICES_MAX_BYTES + topology.DEMANDS_MAX_BYTES
    of_console = topology.CONSOLE_SESSIONS_MAX_BYTES + topology.CONSOLE_SCREENS_MAX_BYTES
    return streams + topology.SCANS_MAX_BYTES + of_console + UNBOUNDED_BYTES


def size(count: float) -> str:
    """In the unit that a table gives it in."""
    if count >= TIB:
        return f"{count / TIB:.1f} TiB"
    return f"{count / GIB:.0f} GiB"
