"""Commands of people for deliveries: kept in a bucket, so that they outlive every process; watched by every worker."""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.bucket_cache import BucketCache
from vonggac.bus.declared import topology
from vonggac.events.forwarder import DeliveryCommand


class CommandStore:
    """The commands in force, by delivery."""

    def __init__(self, bus: Bus, outgoing: Outgoing, changed: Callable[[UUID, DeliveryCommand | None], None]) -> None:
        """Have `changed` called with every command as it comes, and with None when it is withdrawn."""
        self._outgoing = outgoing
        self._cache = BucketCache(
            bus,
            topology.DELIVERY_COMMANDS,
            parse_key=UUID,
            parse_value=DeliveryCommand.model_validate_json,
            on_change=changed,
        )

    @property
    def commands(self) -> Mapping[UUID, DeliveryCommand]:
        """A live view."""
        return self._cache.values

    async def run(self) -> None:
        """Watch the bucket until cancelled."""
        await self._cache.run()

    async def wait_loaded(self) -> None:
        """Wait until the commands are known: what was stopped must not be started at a restart."""
        await self._cache.loaded.wait()

    def remove(self, delivery_ids: Iterable[UUID]) -> None:
        """Remove the commands of deliveries that no longer exist."""
        for delivery_id in delivery_ids:
            if delivery_id in self._cache.values:
                self._outgoing.queue_removal(topology.DELIVERY_COMMANDS, delivery_id)


async def store_command(bus: Bus, command: DeliveryCommand) -> None:
    """Store a command. Raises NatsError or TimeoutError when NATS is away."""
    await Bucket(bus, topology.DELIVERY_COMMANDS).put(str(command.delivery_id), command.model_dump_json().encode())


async def withdraw_command(bus: Bus, start: DeliveryCommand) -> DeliveryCommand | None:
    """Withdraw the command in force; return it, None without one. Raises NatsError or TimeoutError when NATS is away.

    `start`: who starts the delivery, and when. It is on record beside the stop that it ends.
    """
    delivery_id = start.delivery_id
    bucket = Bucket(bus, topology.DELIVERY_COMMANDS)
    stood = await bucket.get(str(delivery_id))
    if not stood:
        return None
    await bucket.end(str(delivery_id), start.model_dump_json().encode())
    return DeliveryCommand.model_validate_json(stood)


async def list_commands(bus: Bus) -> list[tuple[int, DeliveryCommand]]:
    """List the last stops and starts of each delivery, with their revisions. Raises NatsError or TimeoutError."""
    entries = await Bucket(bus, topology.DELIVERY_COMMANDS).history()
    # The removal of a delivery that is gone is nobody's act.
    return [(one.revision or 0, DeliveryCommand.model_validate_json(one.value)) for one in entries if one.value]
