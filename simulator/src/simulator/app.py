"""The HTTP API in front of a simulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from simulator.api import authority, cameras, centres
from simulator.config import SimulatorConfig
from simulator.demo import demo_config
from simulator.settings import SimulatorSettings
from simulator.simulator import Simulator
from vonggac.http import new_application
from vonggac.telemetry import Health


def create_app(settings: SimulatorSettings) -> FastAPI:
    """Build the app of the simulator's own process.

    Start: this function reserves the ports; the API answers while clips are encoded, and `/readyz` reports that. Stop:
    encoding ends, sessions are cut, ports are released. Raises ConfigError, and ListenError when a port is taken.
    """
    config = (
        SimulatorConfig.from_file(settings.config)
        if settings.config is not None
        else demo_config(settings.demo_base_port)
    )
    simulator = Simulator(
        config,
        host=settings.rtsp_host,
        advertised_host=settings.advertised_host,
        cache_folder=settings.cache_folder,
        pulling_folder=settings.pulling_folder,
    )
    simulator.bind()
    return create_app_for(simulator, owned=True)


def create_app_for(simulator: Simulator, *, owned: bool = False) -> FastAPI:
    """Build the API of a simulator that runs in this event loop; start and close the simulator only if `owned`."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if owned:
            simulator.start()
        try:
            yield
        finally:
            if owned:
                await simulator.close()

    health = Health()
    health.add("simulator", simulator.not_ready_reason)
    app = new_application(
        service="simulator",
        title="Vong Gac Simulator",
        description="Virtual cameras and monitoring centres with faults on demand.",
        version="1",
        lifespan=lifespan,
        health=health,
        metrics=CollectorRegistry(),
        tags={
            "cameras": "The virtual cameras, their counters and their faults.",
            "centres": "The virtual monitoring centres, what they received, and their faults.",
            "authority": "The authority that signs the certificates of devices with TLS.",
        },
    )
    app.state.simulator = simulator
    app.include_router(cameras.router)
    app.include_router(centres.router)
    app.include_router(authority.router)
    return app
