"""The whole platform as child processes of this one.

Start: keys; then PostgreSQL, NATS and the simulator at the same time; then databases, migrations and streams; then the
four services, each in as many replicas as wanted, and the console with the issuer that signs people in for it. Stop, in
the reverse order: the pages; the workers, so that they end their sessions and return their jobs while NATS and the
record keepers still run; then the record keepers, the simulator, NATS and PostgreSQL.

When a worker ends by itself while another replica of it runs, the platform continues: the others get its jobs. Any
other part that ends by itself ends the platform.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx
from nats.errors import Error as NatsError

from local.platform import environment
from local.platform.ports import LOOPBACK, Ports, anywhere, own_endpoints
from local.platform.process import Child, ProcessEndedError, to_the_end
from local.platform.progress import Progress
from local.platform.server import Server
from local.platform.state import ProcessRecord, StateFolder
from local.platform.store_watch import StoreWatch
from local.platform.streams import Login, declare_streams, keep_streams
from local.platform.supervisor import Part, Supervisor
from vonggac.auth.keys import ensure_keys
from vonggac.bus.declared.keeping import StreamKeeper
from vonggac.bus.declared.permissions import OWNER, USERS
from vonggac.embedded import NatsServer, PostgresServer
from vonggac.settings.passwords import read_password

READY_WITHIN_S = 60.0
PATIENCE = 5
MIGRATE_WITHIN_S = 900.0
"""As the chart's Jobs are given (`jobs.withinSeconds`): one that is ended half-way begins anew at every start."""
STREAMS_WITHIN_S = 60.0
STOP_WITHIN_S = 40.0
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of the running parts."""

    inventory: str
    prober: str
    forwarder: str
    reporting: str
    simulator: str
    console: str
    issuer: str
    nats: str
    postgres: str
    replicas: Mapping[str, str] = field(default_factory=dict)
    """Of further workers, by name (`forwarder-2`, …)."""


class Platform:
    """`start`, then `while_running`; `stop` in any state, in the end."""

    def __init__(
        self,
        state: StateFolder,
        ports: Ports,
        *,
        allowed: tuple[str, ...],
        progress: Progress,
        durable: bool = True,
        replicas: Mapping[str, int] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare it; `allowed`: networks (CIDR) that workers may connect to; `durable=False`: for temporary data.

        `replicas`: ports of further workers by name, as `choose_replicas` gives them. `variables`
        (VONGGAC_<SERVICE>_…) override the platform's own.
        """
        self.state, self.ports = state, ports
        self._replicas = dict(replicas or {})
        self._variables = dict(variables or {})
        self._allowed, self._progress = allowed, progress
        self._record = ProcessRecord(state)
        postgres = PostgresServer(state.postgres.absolute(), ports.postgres, durable=durable)
        self.postgres = Server("PostgreSQL", postgres, self._record)
        nats = NatsServer(state.nats.absolute(), ports.nats, anonymous=False, monitored=ports.nats_monitoring)
        self.nats = Server("NATS", nats, self._record)
        self.children: dict[str, Child] = {}
        self._keeper = StreamKeeper()

    @property
    def addresses(self) -> Addresses:
        """HTTP addresses of the services and the simulator, and those of the servers, without passwords."""
        names = (*environment.SERVICES, *environment.PAGES, "simulator")
        http = {name: f"http://{LOOPBACK}:{getattr(self.ports, name)}" for name in names}
        return Addresses(
            **http,
            nats=f"nats://{LOOPBACK}:{self.ports.nats}",
            postgres=f"{LOOPBACK}:{self.ports.postgres}",
            replicas={name: f"http://{LOOPBACK}:{port}" for name, port in self._replicas.items()},
        )

    def passwords(self) -> set[str]:
        """Those that the platform made for itself and nobody may see."""
        server = self.postgres.server
        assert isinstance(server, PostgresServer)
        files = [server.password_file(role) for role in (None, *environment.RECORD_KEEPERS)]
        files += [self.state.nats_password(user.name) for user in USERS]
        return {read_password(file) for file in files if file.exists()}

    async def start(self) -> None:
        """Return when every part is ready. Raises ProcessEndedError or ServerError with the last lines of a log."""
        ensure_keys(self.state.keys)
        self._progress.step("keys", f"in {self.state.keys}")
        await together(self._start_records(), self._start_bus(), self._start_simulator())
        await together(
            *(self._start_service(name) for name in (*environment.SERVICES, *environment.PAGES)),
            *(self._start_replica(name, port) for name, port in self._replicas.items()),
        )

    async def while_running[T](self, work: Coroutine[Any, Any, T], *, supervised: bool = False) -> T:
        """`work`; ended with ProcessEndedError as soon as a part of the platform ends unasked.

        `supervised`: a part that ends is started again, and only one that ends again and again ends the work.
        """
        watching = self._supervise() if supervised else self._watch()
        tasks = asyncio.create_task(work), asyncio.create_task(watching)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[1].done():
                tasks[1].result()
            return tasks[0].result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def start_another(
        self, service: str, *, launcher: tuple[str, ...] = (), own: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[Child, str]:
        """Start one more process of a service; returns it with its address. The caller watches and stops it.

        `launcher`: the module that starts it, if not its own; `own`: further variables. Raises ProcessEndedError when
        it does not get ready; no process is left then.
        """
        port = anywhere().forwarder
        name = f"{service}-{port}"
        variables = self._environment(service) | self._variables | _port(service, port) | dict(own)
        child = Child(name, [*launcher, service], variables, self.state.logs / f"{name}.log", self._record)
        address = f"http://{LOOPBACK}:{port}"
        try:
            child.start()
            await self._ready(child, address)
        except BaseException:
            await child.stop(within_s=STOP_WITHIN_S)
            raise
        return child, address

    async def stop(self) -> None:
        """Stop the parts in order; kill each whose time is over."""
        await to_the_end(self._stop())

    def kill(self) -> None:
        """SIGKILL to everything, now."""
        for part in self._parts():
            part.kill()

    def _parts(self) -> list[Child | Server]:
        return [*self.children.values(), self.nats, self.postgres]

    async def _start_records(self) -> None:
        await self.postgres.start()
        server = self.postgres.server
        assert isinstance(server, PostgresServer)
        for database in environment.RECORD_KEEPERS:
            await asyncio.to_thread(server.create_role, database)
            await asyncio.to_thread(server.create_database, database, database)
        self._progress.step("PostgreSQL", f"answers on {self.addresses.postgres}")
        await together(*(self._migrate(service) for service in environment.RECORD_KEEPERS))

    async def _migrate(self, service: str) -> None:
        child = self._spawn(f"migrate-{service}", [service, "migrate"], self._environment(service), lasting=False)
        await child.finished(within_s=MIGRATE_WITHIN_S)
        del self.children[child.name]
        self._progress.step(service, "tables are up to date")

    async def _start_bus(self) -> None:
        await self.nats.start()
        await self._declare_streams()
        self._progress.step("NATS", f"answers on {self.addresses.nats}, its streams stand")

    async def _declare_streams(self) -> None:
        """Declare the streams. Raises ProcessEndedError when NATS does not take them."""
        login = Login(OWNER.name, self.state.nats_password(OWNER.name))
        nats = self.nats.server
        assert isinstance(nats, NatsServer)

        def report_bound(most: int) -> None:
            self._progress.step("NATS", f"the disk is nearly full: the newest {most >> 20} MiB of facts are kept")

        try:
            await declare_streams(
                self.addresses.nats,
                login,
                within_s=STREAMS_WITHIN_S,
                store_bytes=nats.stated_bytes,
                report_bound=report_bound,
                keeper=self._keeper,
            )
        except (TimeoutError, NatsError) as error:
            raise ProcessEndedError(f"NATS did not take its streams: {type(error).__name__} {error}") from None

    async def _start_simulator(self) -> None:
        child = self._spawn("simulator", ["simulator"], environment.of_simulator(state=self.state, ports=self.ports))
        await self._ready(child, self.addresses.simulator)

    async def _start_service(self, service: str) -> None:
        child = self._spawn(service, [environment.MODULES.get(service, service)], self._environment(service))
        await self._ready(child, getattr(self.addresses, service))

    async def _start_replica(self, name: str, port: int) -> None:
        service = service_of(name)
        child = self._spawn(name, [service], self._environment(service), _port(service, port))
        await self._ready(child, self.addresses.replicas[name])

    def _spawn(
        self,
        name: str,
        arguments: list[str],
        variables: dict[str, str],
        own: Mapping[str, str] | None = None,
        *,
        lasting: bool = True,
    ) -> Child:
        """`own`: variables of this process that nothing overrides."""
        log = self.state.logs / f"{name}.log"
        environment = variables | self._variables | dict(own or {})
        child = Child(name, arguments, environment, log, self._record, lasting=lasting)
        self.children[name] = child
        child.start()
        return child

    def _environment(self, service: str) -> dict[str, str]:
        server = self.postgres.server
        assert isinstance(server, PostgresServer)
        databases = {
            name: environment.DatabaseLogin(server.address(name, name), server.password_file(name))
            for name in environment.RECORD_KEEPERS
        }
        nats = self.nats.server
        assert isinstance(nats, NatsServer)
        if service in environment.PAGES:
            return environment.of_pages(service, state=self.state, ports=self.ports, nats_store_bytes=nats.stated_bytes)
        return environment.of_service(
            service,
            state=self.state,
            ports=self.ports,
            databases=databases,
            allowed=self._allowed,
            denied=own_endpoints(self.ports, self._replicas.values()),
            nats_store_bytes=nats.stated_bytes,
        )

    async def _ready(self, child: Child, address: str) -> None:
        await wait_ready(address, within_s=READY_WITHIN_S, child=child)
        self._progress.step(child.name, f"ready on {address}")

    async def _watch(self) -> None:
        while True:
            for part in self._parts():
                part.require_running()
            await asyncio.sleep(POLL_S)

    async def _supervise(self) -> None:
        nats = self.nats.server
        assert isinstance(nats, NatsServer)
        supervisor = Supervisor(self._progress, self._start_again, self.state.has_room)
        store = StoreWatch(self._progress, nats)
        await together(
            supervisor.run(self._parts()),
            store.run(),
            keep_streams(
                self.addresses.nats,
                Login(OWNER.name, self.state.nats_password(OWNER.name)),
                self._keeper,
                self._declare_streams,
                report=lambda absent: self._progress.step(
                    "NATS", f"has lost {', '.join(absent)}: declaring them again"
                ),
            ),
        )

    async def _start_again(self, part: Part) -> None:
        """Start a part again. Raises ProcessEndedError, ServerError or OSError."""
        if isinstance(part, Server):
            await part.start()
            if part is self.nats:
                # What a disk that forgot has lost.
                await self._declare_streams()
            self._progress.step(part.name, "answers again")
            return
        assert isinstance(part, Child)
        part.start()
        await self._ready(part, self._address_of(part.name))

    def _address_of(self, name: str) -> str:
        return self.addresses.replicas[name] if name in self._replicas else str(getattr(self.addresses, name))

    async def _stop(self) -> None:
        for tier in (environment.PAGES, environment.WORKERS, environment.RECORD_KEEPERS, ("migrate",), ("simulator",)):
            names = [name for name in self.children if service_of(name) in tier]
            await asyncio.gather(*(self._stop_child(name) for name in names))
        for server in (self.nats, self.postgres):
            if server.server.process is not None:
                await server.stop()
                self._progress.step(server.name, "stopped")

    async def _stop_child(self, name: str) -> None:
        child = self.children.pop(name)
        orderly = await child.stop(within_s=STOP_WITHIN_S)
        self._progress.step(name, "stopped" if orderly else f"killed: it had not stopped within {STOP_WITHIN_S:.0f} s")


def service_of(name: str) -> str:
    """Return the service that a child is a process of: `forwarder` of `forwarder` and of `forwarder-2`."""
    return name.partition("-")[0]


def _port(service: str, port: int) -> dict[str, str]:
    """Of a further process: its API's port; centres that pull all come to the first one, which passes them on."""
    own = {f"VONGGAC_{service.upper()}_PORT": str(port)}
    return own | ({"VONGGAC_FORWARDER_SERVE_PORT": "0"} if service == "forwarder" else {})


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Run all of `work` concurrently; the first error ends the others and is raised unchanged."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def wait_ready(
    address: str, *, within_s: float, child: Child | None = None, clock: Callable[[], float] = time.monotonic
) -> None:
    """Return when `address` answers 200 on `/readyz`. Raises ProcessEndedError when the child ends or time is over.

    Whoever gives another answer than before makes progress (clips that are encoded on a busy machine), and has as long
    again, PATIENCE times as long at most.
    """
    began = clock()
    deadline = began + within_s
    answer = "no answer"
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        while True:
            if child is not None:
                child.require_running()
            before = answer
            try:
                response = await client.get(f"{address}/readyz")
                if response.status_code == httpx.codes.OK:
                    return
                answer = response.text[:500]
            except httpx.TransportError as error:
                answer = type(error).__name__
            now = clock()
            if answer != before:
                deadline = min(now + within_s, began + PATIENCE * within_s)
            if now > deadline:
                msg = f"{address} was not ready within {now - began:.0f} s: {answer}"
                raise ProcessEndedError(msg)
            await asyncio.sleep(POLL_S)
