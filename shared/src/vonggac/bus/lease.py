"""A lease in a bucket: of several processes one does a work that is done once.

It ends by itself when its holder has not renewed it for the bucket's time to live. What is done under it must be
harmless when two do it: a holder that sleeps learns of its successor only when it asks again.
"""

from datetime import datetime

from vonggac.bus import topology
from vonggac.bus.connection import Bus
from vonggac.bus.keyvalue import Bucket
from vonggac.events import subjects

_FREE = b""


class Lease:
    """`hold` takes or renews it; call it at a third of LEASE_S at most."""

    def __init__(self, bus: Bus, name: str, holder: str) -> None:
        self._bus, self._bucket = bus, Bucket(bus, topology.LEASES)
        self._name, self._holder = name, holder.encode()

    async def hold(self) -> bool:
        """Whether the lease is ours now. Raises NatsError or TimeoutError when NATS is away."""
        value, revision = await self._bucket.entry(self._name)
        if value not in {None, _FREE, self._holder}:
            return False
        return await self._bucket.replace(self._name, self._holder, revision)

    async def release(self) -> None:
        """Leave it to the next one at once. Raises NatsError or TimeoutError when NATS is away."""
        value, revision = await self._bucket.entry(self._name)
        if value == self._holder:
            await self._bucket.replace(self._name, _FREE, revision)

    async def server_time(self) -> datetime | None:
        """The server's clock when the lease was last taken or renewed; None when nobody has it."""
        subject = subjects.key_value(topology.LEASES, self._name)
        entry = await self._bus.js.get_last_msg(f"KV_{topology.LEASES}", subject)
        return entry.time
