"""The same password sealed once more looks different every time, and is no reason to restart anything."""

from collections.abc import Collection
from uuid import UUID

from forwarder.relay.supervision.context import RelayContext
from vonggac.events.inventory import CameraV1
from vonggac.net.errors import PeerError


def sealed_as_before(
    before: CameraV1,
    camera: CameraV1,
    context: RelayContext,
    *,
    deliveries: Collection[UUID],
    source: bool,
) -> CameraV1:
    """The plan `camera` with the secrets of `before` where what is in them is still the same.

    Only for these `deliveries`, and for the camera itself if `source`: one that refused a login is not among them: a
    person may have corrected the login over there, and enters it anew for that reason.
    """
    known = {planned.id: planned.secret for planned in before.deliveries if planned.id in deliveries}
    resealed = tuple(
        planned.model_copy(update={"secret": _same(known.get(planned.id), planned.secret, planned.url, context)})
        for planned in camera.deliveries
    )
    secret = _same(before.secret, camera.secret, camera.url, context) if source else camera.secret
    return camera.model_copy(update={"secret": secret, "deliveries": resealed})


def _same(old: str | None, new: str | None, url: str, context: RelayContext) -> str | None:
    """`old` where it may be used at `url` and holds the same login."""
    if old is None or new is None or old == new:
        return new
    try:
        return old if context.open_secret(old, url) == context.open_secret(new, url) else new
    except PeerError:
        return new
