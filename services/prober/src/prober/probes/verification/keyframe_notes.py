"""What the forwarder of a camera notes of its keyframes: asked for, ended, and read."""

import json
from uuid import UUID

from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from prober.domain.verification import Finding, not_checkable, too_large
from prober.messaging import end_keyframe_hashes, request_keyframe_hashes
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events.forwarder import KeyframeHistory
from vonggac.telemetry import get_logger

log = get_logger(__name__)

HASH_AT_MOST_S = 30
"""Longest time for which a forwarder notes every keyframe at one request."""
ANSWER_WITHIN_S = 2.0


class Holder(BaseModel):
    """Answer to `hash_keyframes`: who notes, and since when the camera gives it media."""

    model_config = ConfigDict(extra="ignore")

    worker_id: str
    media_since: AwareDatetime | None = None
    keyframes_too_large: bool = False
    """They come, and it can keep none of them."""


class KeyframeNotes:
    """The notes of the forwarders that hold cameras."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._histories = Bucket(bus, topology.KEYFRAMES)

    async def request(self, camera_id: UUID, asker: str, *, within_s: float) -> Holder | Finding:
        """Who notes every keyframe of the camera from now on, for a read-back that takes so long."""
        body = json.dumps({"seconds": min(HASH_AT_MOST_S, int(within_s) + 1), "asker": asker}).encode()
        try:
            reply = await request_keyframe_hashes(self._bus, camera_id, body, timeout_s=ANSWER_WITHIN_S)
        except NoRespondersError:
            return not_checkable("no forwarder holds the camera")
        except TimeoutError:
            return not_checkable(f"the forwarder that holds the camera did not answer within {ANSWER_WITHIN_S:g} s")
        try:
            holder = Holder.model_validate_json(reply.data)
        except ValidationError:
            return not_checkable("the forwarder's answer cannot be read: is it of another release?")
        if holder.media_since is None:
            return not_checkable("the camera gives the forwarder no media")
        return too_large() if holder.keyframes_too_large else holder

    async def end(self, camera_id: UUID, asker: str) -> None:
        """End the noting of every keyframe no later than need be: it costs the forwarder more than forwarding does."""
        body = json.dumps({"seconds": 0, "asker": asker}).encode()
        try:
            await end_keyframe_hashes(self._bus, camera_id, body)
        except NatsError as error:
            # It ends by itself.
            log.debug("hash_request_not_ended", camera_id=str(camera_id), error=type(error).__name__)

    async def load_history(self, camera_id: UUID) -> KeyframeHistory | None:
        """Load what the forwarder noted lately. Raises NatsError, TimeoutError or OSError: NATS is away."""
        value = await self._histories.get(str(camera_id))
        if not value:
            return None
        try:
            return KeyframeHistory.model_validate_json(value)
        except ValidationError:
            log.warning("keyframe_history_malformed", camera_id=str(camera_id))
            return None
