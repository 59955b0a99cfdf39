"""How to publish, by the scheme of the destination: the one table.

Another protocol is a file with a coroutine of the type `Publish`, and a line in `DESTINATIONS`; supervisors, states and
metrics are the same for all.
"""

from collections.abc import Mapping
from types import MappingProxyType

from forwarder.relay.destinations.base import OnLost, Publish, Session, Target
from forwarder.relay.destinations.rtmp import publish_rtmp
from forwarder.relay.destinations.rtsp import publish_rtsp
from forwarder.relay.sources.base import CameraSource
from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.net.url import hide_login

DESTINATIONS: Mapping[str, Publish] = MappingProxyType(
    {"rtsp": publish_rtsp, "rtsps": publish_rtsp, "rtmp": publish_rtmp, "rtmps": publish_rtmp}
)


async def publish(target: Target, source: CameraSource, on_lost: OnLost) -> Session:
    """Open a session in the way of the target's scheme.

    Raises PeerError; `transport_unsupported` for a scheme that is not in the table.
    """
    scheme = target.url.partition("://")[0].lower()
    publish_by_scheme = DESTINATIONS.get(scheme)
    if publish_by_scheme is None:
        msg = f"the destination's scheme must be one of: {', '.join(sorted(DESTINATIONS))}"
        raise PeerError(Cause.TRANSPORT_UNSUPPORTED, msg)

    def lost(error: PeerError | None) -> None:
        if error is not None:
            hide_login(error, target.credentials)
        on_lost(error)

    try:
        return await publish_by_scheme(target, source, lost)
    except PeerError as error:
        hide_login(error, target.credentials)
        raise
