"""What a centre pulls: its login elsewhere, the addresses that its engineer has typed in, and a session for each."""

import asyncio
from collections.abc import Mapping

from simulator.centres.kept import KeptPulling
from simulator.centres.pull import LoginGate, Pull, PullingCentre
from simulator.config import PullingConfig
from simulator.devices.faults import CentreFault, CentreFaultName
from vonggac.net.url import RtspUrl

_CONNECTS_NOT = frozenset(
    (CentreFaultName.OFF, CentreFaultName.REFUSE, CentreFaultName.RESTART, CentreFaultName.BLACK_HOLE)
)
_CUTS = frozenset((CentreFaultName.REFUSE, CentreFaultName.RESTART))


class Puller:
    """Made by a centre. Nothing is pulled before `start`, and nothing without an address."""

    def __init__(self, centre: PullingCentre, config: PullingConfig, kept: KeptPulling | None) -> None:
        """`kept`: where login and addresses survive a restart; what stands there goes before `config`."""
        self._centre, self._kept = centre, kept
        self.config = (kept.read(config) if kept is not None else None) or config
        self.pulls: dict[str, Pull] = {}
        self._gate = LoginGate(self.config.again_most_s)
        self._may_pull = asyncio.Event()
        self._started = False
        self._changing = asyncio.Lock()

    def start(self, fault: CentreFault | None) -> None:
        """Begin to pull, unless the fault forbids it."""
        self._started = True
        self.apply_fault(fault, before=None)
        for path, url in self.config.addresses.items():
            self._add_pull(path, RtspUrl.parse(url))

    async def close(self) -> None:
        """End every session in order."""
        async with self._changing:
            pulls, self.pulls = self.pulls, {}
            await asyncio.gather(*(pull.stop() for pull in pulls.values()))

    async def set_login(self, username: str, password: str) -> None:
        """Log in so from now on: sessions end and begin anew."""
        async with self._changing:
            self._gate = LoginGate(self.config.again_most_s)
            await self._change(self.config.with_login(username, password), anew=set(self.pulls))

    async def set_addresses(self, addresses: Mapping[str, str]) -> None:
        """Pull these and no others, by the path that each has here; those that stay as they are play on."""
        async with self._changing:
            before = self.config.addresses
            differing = {path for path in before if addresses.get(path) != before[path]}
            await self._change(self.config.with_addresses(addresses), anew=differing)

    def apply_fault(self, fault: CentreFault | None, *, before: CentreFaultName | None) -> None:
        """Connect and read as the fault demands; `before`: the fault that it replaces."""
        name = fault.fault if fault is not None else None
        if name in _CONNECTS_NOT:
            self._may_pull.clear()
        else:
            self._may_pull.set()
        for pull in self.pulls.values():
            if name in _CUTS or before is CentreFaultName.OFF:
                pull.end(cut=True)
            elif name is CentreFaultName.CLOSE:
                pull.end(cut=False)
            elif name in (CentreFaultName.OFF, CentreFaultName.BLACK_HOLE):
                pull.read_as(held_bytes=0)
            elif fault is not None and name is CentreFaultName.BUFFER:
                pull.read_as(held_bytes=fault.buffer_bytes)
            elif fault is not None and name is CentreFaultName.SLOW_READER:
                pull.read_as(bytes_per_s=fault.bytes_per_s)
            else:
                pull.read_as()

    async def _change(self, config: PullingConfig, *, anew: set[str]) -> None:
        """Keep what is new, and end and begin the pulls in `anew` and those that come or go."""
        self.config = config
        if self._kept is not None:
            await asyncio.to_thread(self._kept.write, config)
        ending = [self.pulls.pop(path) for path in anew & set(self.pulls)]
        await asyncio.gather(*(pull.stop() for pull in ending))
        if self._started:
            for path, url in config.addresses.items():
                if path not in self.pulls:
                    self._add_pull(path, RtspUrl.parse(url))

    def _add_pull(self, path: str, url: RtspUrl) -> None:
        pull = self.pulls[path] = Pull(self._centre, path, url, self.config, self._may_pull, self._gate)
        pull.start()
