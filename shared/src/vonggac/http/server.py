"""Running an app under uvicorn on uvloop, with a stop that is waited for."""

import asyncio
import gc
import os
import signal
import socket
import threading
from collections.abc import Callable

import uvicorn
import uvloop
from fastapi import FastAPI

from vonggac.http.protection.connections import ConnectionLimits, protocol_within
from vonggac.settings import ProcessSettings
from vonggac.telemetry import get_logger
from vonggac.telemetry.spans import SpansUnavailableError, export_spans

log = get_logger(__name__)

STOP_WITHIN_S = 25
LEFT_WITHIN_S = 5.0
"""What is still left when the app has stopped (cancelled tasks, then threads) has so long to end."""


def serve_or_exit[Given: ProcessSettings](
    service: str, create_app: Callable[[Given], FastAPI], settings: Given
) -> None:
    """As `run`, with the app, the address and the limits of a service.

    Raises SystemExit with 1 after a death of its work, and with one line when no app can be made (a file is missing).
    """
    try:
        app = create_app(settings)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{service} cannot start: {error}") from None
    limits = ConnectionLimits(settings.max_connections)
    try:
        with export_spans(
            service, settings.otlp_endpoint, version=app.version, own_share=settings.otlp_own_traces_share
        ):
            run(app, host=settings.host, port=settings.port, limits=limits, trusted_proxies=settings.trusted_proxies)
    except SpansUnavailableError as error:
        raise SystemExit(f"{service} cannot start: {error}") from None
    if app.state.tasks.died is not None:
        raise SystemExit(1)


def run(
    app: FastAPI, *, host: str, port: int, limits: ConnectionLimits | None = None, trusted_proxies: str | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; returns after the app's lifespan has ended. The process has to end then.

    `trusted_proxies`: addresses or networks, comma separated, that may name the caller (X-Forwarded-For).

    Raises SystemExit with one line when the address is taken.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=protocol_within(limits or ConnectionLimits()),
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        forwarded_allow_ips=trusted_proxies,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    server = _Server(config, app)

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    # uvicorn takes these signals over while it serves and raises them again after its orderly stop, which would then
    # end the process as if it had been killed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    pass_over_what_stays()
    overdue = _timer_to_leave()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[listener]))
        # The runner waits for every task and thread that is left, for as long as they take.
        overdue.start()
    overdue.cancel()
    # Python waits for threads of others as well, when all is done.
    _timer_to_leave().start()
    if not server.started:
        raise SystemExit(1)


class _Server(uvicorn.Server):
    """Ends the streams of an app before it waits for the requests that run: they end by themselves never."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        end_streams: Callable[[], None] | None = getattr(self._app.state, "end_streams", None)
        if end_streams is not None:
            end_streams()
        await super().shutdown(sockets)


def _timer_to_leave() -> threading.Timer:
    timer = threading.Timer(LEFT_WITHIN_S, _end_at_once)
    timer.daemon = True
    return timer


def _end_at_once() -> None:
    """End the process: what it had to finish is done, and what is left does not end by itself."""
    log.error("stop_overdue", threads=sorted(thread.name for thread in threading.enumerate()))
    os._exit(1)


def pass_over_what_stays() -> None:
    """Leave what was imported out of every later search for garbage; call once, when all is imported.

    Imported modules and classes stay for good. A collection that walks over them blocks the event loop longer, and
    comes later, since Python waits for as much again as a quarter of what stays.
    """
    gc.collect()
    gc.freeze()
    # Services start without.
    gc.enable()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        msg = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise SystemExit(msg) from None
    listener.listen(2048)
    listener.setblocking(False)
    return listener
