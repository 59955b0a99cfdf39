"""The ports at which centres connect to this worker: RTSP, and RTSP inside TLS."""

import asyncio
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from forwarder.domain.backpressure import Bounds
from forwarder.domain.serving.tickets import Passed, TicketReader
from forwarder.relay.media.budget import MediaBudget
from forwarder.relay.passing.fleet import Address, Fleet
from forwarder.relay.passing.passed import PassedConnection, PassedTransport, ReceivedEvidence
from forwarder.relay.server.admission import Served
from forwarder.relay.server.connection import CentreOfConnection, ServerParts
from forwarder.relay.server.handshakes import Handshakes, TlsArrival
from forwarder.relay.server.offers import Offers
from forwarder.relay.server.refused_logins import RefusedLogins
from forwarder.relay.server.stranger_connection import STRANGERS_AT_ONCE
from forwarder.relay.server.turned_away import Reason, new_turned_away
from vonggac.logins.check_tickets import CheckTickets
from vonggac.net.iterations import Share
from vonggac.net.tls_counting import CountingContext
from vonggac.net.url import Credentials
from vonggac.telemetry import get_logger

log = get_logger(__name__)

RELOAD_S = 30.0
"""A renewed certificate is shown after so long at the latest."""
BACKLOG = 256


@dataclass(frozen=True, slots=True)
class ServedPorts:
    """Where to listen. `port`, `tls_port`: None for none, 0 for a free one. TLS needs both files (PEM)."""

    host: str = "0.0.0.0"
    port: int | None = None
    tls_port: int | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    udp_ports: range | None = None
    most_connections: int = 1024


@dataclass(frozen=True, slots=True)
class Passing:
    """How the workers of a fleet pass centres to each other. `address`: where to listen for them, 0 for a free port."""

    fleet: Fleet
    tickets: TicketReader
    unix_s: Callable[[], float]
    address: Address


class CertificateError(ValueError):
    """Certificate or key cannot be used; says which and why, never what is in them."""


class CentreListener:
    """Listens from `start` to `stop`. `offers` is what it serves."""

    def __init__(
        self,
        ports: ServedPorts,
        *,
        now: Callable[[], datetime],
        bounds: Bounds,
        budget: MediaBudget,
        check_key: bytes,
    ) -> None:
        """`check_key`: by which probers of the fleet sign their checks. Raises CertificateError."""
        refused_logins, checks = RefusedLogins(), CheckTickets(check_key)
        self.offers = Offers(refused_logins.forget_account)
        self.port: int | None = None
        self.tls_port: int | None = None
        """The numbers that were taken."""
        self._turned_away = new_turned_away()
        self.handshakes = Handshakes()
        self._ports = ports
        self._servers: list[asyncio.Server] = []
        self._ports_open: list[asyncio.Server] = []
        """Those of them at which centres connect."""
        self._connections: set[CentreOfConnection] = set()
        self._strangers: dict[CentreOfConnection, None] = {}
        """Those that have not logged in, in the order in which they came."""
        self._reloading: asyncio.TimerHandle | None = None
        self._context = _new_context(ports) if ports.tls_port is not None else None
        self._read_at = _changed_at(ports)
        self.passage_address: str | None = None
        """Where other workers pass centres on; None where none do."""
        self._parts = ServerParts(
            served=Served(self.offers, None),
            refused_logins=refused_logins,
            stranger=Credentials(secrets.token_hex(8), secrets.token_hex(16)),
            now=now,
            bounds=bounds,
            budget=budget,
            udp_ports=ports.udp_ports,
            turned_away=self._turned_away,
            strangers=Share(STRANGERS_AT_ONCE),
            is_check=lambda ticket, path: checks.use(ticket, path, now().timestamp()),
            on_connected=self._connected,
            on_admitted=lambda connection: self._strangers.pop(connection, None),
            on_disconnected=self._disconnected,
        )

    @property
    def connections(self) -> int:
        return len(self._connections)

    @property
    def turned_away(self) -> Mapping[Reason, int]:
        """Whoever came and was turned away, by the reason."""
        return {**self._turned_away, Reason.HANDSHAKES: self.handshakes.turned_away}

    async def start(self, passing: Passing | None = None) -> None:
        """Listen. Raises OSError when a port is in use."""
        ports = self._ports
        if passing is not None:
            self._parts = replace(self._parts, served=Served(self.offers, passing.fleet))
            await self._listen_for_passed(passing)
        if ports.port is not None:
            self.port = await self._listen(ports.port, None)
        if self._context is not None and ports.tls_port is not None:
            self.tls_port = await self._listen(ports.tls_port, self._context)
            self._reloading = asyncio.get_running_loop().call_later(RELOAD_S, self._reload)
        log.info("centres_served", port=self.port, tls_port=self.tls_port, passage_address=self.passage_address)

    def close_ports(self) -> None:
        """Take no centre in any more, except by way of another worker; whoever is there goes on."""
        for server in self._ports_open:
            server.close()
        self.handshakes.end_all()

    async def stop(self) -> None:
        """Take nobody in, and end who is still there, with a goodbye to who plays."""
        if self._reloading is not None:
            self._reloading.cancel()
        for server in self._servers:
            server.close()
        self.handshakes.end_all()
        for connection in tuple(self._connections):
            connection.stopping = True
            connection.close_soon()
        for server in self._servers:
            await server.wait_closed()

    def reload_certificate(self) -> None:
        """Show the certificate that is in its file by now; one that cannot be used leaves the present one."""
        changed_at = _changed_at(self._ports)
        if self._context is None or changed_at == self._read_at:
            return
        try:
            _load(self._context, self._ports)
        except CertificateError as error:
            log.error("served_certificate_unusable", error=str(error))
            return
        self._read_at = changed_at
        log.info("served_certificate_renewed")

    async def _listen(self, port: int, context: ssl.SSLContext | None) -> int:
        def new_centre() -> CentreOfConnection:
            return CentreOfConnection(self._parts)

        server = await asyncio.get_running_loop().create_server(
            new_centre if context is None else lambda: TlsArrival(self.handshakes, context, new_centre),
            self._ports.host,
            port,
            backlog=BACKLOG,
        )
        self._servers.append(server)
        self._ports_open.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _listen_for_passed(self, passing: Passing) -> None:
        def new_centre(passed: Passed, _: PassedTransport, evidence: ReceivedEvidence) -> CentreOfConnection:
            return CentreOfConnection(self._parts, passed, evidence)

        server = await asyncio.get_running_loop().create_server(
            lambda: PassedConnection(passing.tickets, passing.unix_s, new_centre), *passing.address, backlog=BACKLOG
        )
        self._servers.append(server)
        host, port = server.sockets[0].getsockname()[:2]
        self.passage_address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _connected(self, connection: CentreOfConnection) -> None:
        self._connections.add(connection)
        self._strangers[connection] = None
        if len(self._connections) > self._ports.most_connections:
            # Whoever has waited longest without a login goes: strangers must not keep a centre out.
            self._turned_away[Reason.CONNECTIONS] += 1
            next(iter(self._strangers)).transport.abort()

    def _disconnected(self, connection: CentreOfConnection) -> None:
        self._connections.discard(connection)
        self._strangers.pop(connection, None)

    def _reload(self) -> None:
        self._reloading = asyncio.get_running_loop().call_later(RELOAD_S, self._reload)
        self.reload_certificate()


def _new_context(ports: ServedPorts) -> CountingContext:
    context = CountingContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # One handshake a connection: it costs the server more than the client, and only the first one is bounded.
    context.options |= ssl.OP_NO_RENEGOTIATION
    _load(context, ports)
    return context


def _load(context: ssl.SSLContext, ports: ServedPorts) -> None:
    if ports.certificate_file is None:
        raise CertificateError("a TLS port needs a certificate: set serve_tls_certificate_file")
    try:
        context.load_cert_chain(ports.certificate_file, ports.key_file)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__
        msg = f"serve_tls_certificate_file {ports.certificate_file} with its key cannot be used: {reason}"
        raise CertificateError(msg) from None


def _changed_at(ports: ServedPorts) -> tuple[int, ...]:
    files = (ports.certificate_file, ports.key_file)
    try:
        return tuple(path.stat().st_mtime_ns for path in files if path is not None)
    except OSError:
        return ()
