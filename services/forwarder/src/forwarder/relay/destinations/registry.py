"""How to publish, by the scheme of the destination: the one table.

An engine takes the camera's source and gives a `Session`; the supervisors, states and metrics are the same for all.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from forwarder.relay.destinations.rtmp import publish_rtmp
from forwarder.relay.destinations.rtsp import OnLost, Session, Target, publish_rtsp
from forwarder.relay.sources.rtsp import CameraSource
from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.net.hiding import hide_login

type Engine = Callable[[Target, CameraSource, OnLost], Awaitable[Session]]

ENGINES: Mapping[str, Engine] = MappingProxyType(
    {"rtsp": publish_rtsp, "rtsps": publish_rtsp, "rtmp": publish_rtmp, "rtmps": publish_rtmp}
)


async def publish(target: Target, source: CameraSource, on_lost: OnLost) -> Session:
    """Open a session with the engine of the target's scheme.

    Raises PeerError; `transport_unsupported` for a scheme that is not in the table.
    """
    scheme = target.url.partition("://")[0].lower()
    engine = ENGINES.get(scheme)
    if engine is None:
        msg = f"the destination's scheme must be one of: {', '.join(sorted(ENGINES))}"
        raise PeerError(Cause.TRANSPORT_UNSUPPORTED, msg)

    def lost(error: PeerError | None) -> None:
        if error is not None:
            hide_login(error, target.credentials)
        on_lost(error)

    try:
        return await engine(target, source, lost)
    except PeerError as error:
        hide_login(error, target.credentials)
        raise
