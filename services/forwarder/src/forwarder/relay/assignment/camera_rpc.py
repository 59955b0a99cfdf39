"""Requests to the worker that holds a camera (keyframe, hashes, retry, deliveries), and findings of read-backs.

Only the holder listens, so without one the server answers a request at once.
"""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from datetime import datetime
from uuid import UUID

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from pydantic import BaseModel, Field, ValidationError

from forwarder.domain.camera_pull import Pull
from forwarder.domain.delivery import MAX_DETAIL_CHARACTERS
from forwarder.domain.picture.keyframes import HASH_AT_MOST_S
from forwarder.domain.proof import judged
from forwarder.messaging import DELIVERIES, Reporter, RetryAnswer, publish_unconfirmed, serve_camera
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.pictures.hashing import History
from forwarder.relay.supervision.pictures.keyframe_copy import KeyframeCopy, NoKeyframe
from forwarder.relay.supervision.pictures.picture_watch import PictureWatch
from forwarder.relay.supervision.pictures.sampling import COPY_WITHIN_S
from forwarder.relay.supervision.served_delivery import ServedDeliverySupervisor
from vonggac.bus import Bus
from vonggac.events import MalformedEventError, decode_on
from vonggac.events.causes import Cause
from vonggac.events.forwarder import CentreRequest, KeyframeHistory, PictureSign
from vonggac.events.prober import DeliveryVerifiedV1, PictureJudged
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MAX_COPY_BYTES = (1 << 20) - (4 << 10)
"""NATS takes messages of 1 MiB, headers included."""
MAX_ANSWERS = 8
"""Of one camera at a time. Requests beyond them are answered `busy`."""


class HashRequest(BaseModel):
    """Body of a request on `forwarder.camera.<camera_id>.hash_keyframes`; 0 seconds: `asker` has seen enough."""

    seconds: float = Field(ge=0, le=HASH_AT_MOST_S)
    asker: str = Field(default="", max_length=100)


class HashAnswer(BaseModel):
    """Its answer: who hashes, and since when the camera's media has flown."""

    worker_id: str
    media_since: datetime | None
    keyframes_too_large: bool = False
    """They come, and none can be kept to be hashed."""


class CameraRpc:
    """The subscriptions of one held camera, from `listen` to `close`."""

    def __init__(self, bus: Bus, relay: CameraRelay, reporter: Reporter) -> None:
        self._bus, self._relay, self._reporter, self._worker_id = bus, relay, reporter, reporter.worker_id
        self._subscriptions: list[Subscription] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Listen. Raises NatsError when the bus is closed."""
        camera_id = self._relay.camera.id
        self._relay.keyframes.hashes.on_history = self._publish_history
        self._subscriptions = await serve_camera(
            self._bus,
            camera_id,
            {
                "keyframe": self._on_keyframe_request,
                "hash_keyframes": self._on_hash_request,
                "retry": self._on_retry_request,
                "deliveries": self._on_deliveries_request,
                "picture_judged": self._on_judgement,
                "read_back": self._on_verification,
                "centre_request": self._on_centre_request,
            },
            self._on_verification,
        )

    async def close(self) -> None:
        """Stop listening; answers under way are dropped."""
        self._relay.keyframes.hashes.on_history = None
        for subscription in self._subscriptions:
            try:
                await subscription.unsubscribe()
            except NatsError as error:
                # The connection went, and its subscriptions with it.
                log.debug("not_unsubscribed", error=type(error).__name__)
        self._subscriptions.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _on_keyframe_request(self, message: Msg) -> None:
        # The next message is not read before this returns, and a keyframe may be seconds away.
        if len(self._tasks) < MAX_ANSWERS:
            self._spawn(self._send_keyframe(message.reply, _within_s(message.data), _after(message.headers)))
        else:
            await self._send(message.reply, b"", self._why_none(self._relay.keyframes.no_keyframe("busy")))

    async def _send_keyframe(self, reply: str, within_s: float, after: datetime | None) -> None:
        copy = await self._relay.keyframes.copy_keyframe(within_s, after=after)
        if isinstance(copy, NoKeyframe):
            await self._send(reply, b"", self._why_none(copy))
        elif len(copy.annex_b) > MAX_COPY_BYTES:
            await self._send(reply, b"", self._why_none(self._relay.keyframes.no_keyframe("too_large")))
        else:
            shown = _shown_headers(self._relay.keyframes.watch)
            await self._send(reply, copy.annex_b, _headers(copy) | shown | {"worker_id": self._worker_id})

    def _why_none(self, none: NoKeyframe) -> dict[str, str]:
        return _why_none(none, self._relay.pull) | _shown_headers(self._relay.keyframes.watch)

    async def _on_hash_request(self, message: Msg) -> None:
        try:
            request = HashRequest.model_validate_json(message.data)
        except ValidationError as error:
            log.warning("hash_request_malformed", camera_id=str(self._relay.camera.id), errors=error.error_count())
            wrong = f'the body must be {{"seconds": n}}, n from 0 to {HASH_AT_MOST_S:g}'
            await self._send(message.reply, b"", {"error": wrong})
            return
        keyframes = self._relay.keyframes
        keyframes.hash_all(request.seconds, asker=request.asker)
        answer = HashAnswer(
            worker_id=self._worker_id,
            media_since=keyframes.media_since,
            keyframes_too_large=keyframes.too_large_age_s() is not None,
        )
        await self._send(message.reply, answer.model_dump_json().encode(), {})

    async def _on_retry_request(self, message: Msg) -> None:
        try:
            delivery_id = UUID(message.data.decode("ascii"))
        except ValueError:
            log.warning("retry_malformed", camera_id=str(self._relay.camera.id))
            await self._send(message.reply, b"", {"error": "the body must be the delivery's id"})
            return
        answer = RetryAnswer(outcome=self._relay.retry_now(delivery_id))
        await self._send(message.reply, answer.model_dump_json().encode(), {})

    async def _on_deliveries_request(self, message: Msg) -> None:
        now = [
            self._reporter.describe_delivery(self._relay, supervisor) for supervisor in self._relay.deliveries.values()
        ]
        await self._send(message.reply, DELIVERIES.dump_json(now), {})

    async def _on_judgement(self, message: Msg) -> None:
        try:
            judged = PictureJudged.model_validate_json(message.data)
        except ValidationError as error:
            log.warning("judgement_malformed", camera_id=str(self._relay.camera.id), errors=error.error_count())
            return
        self._relay.keyframes.watch.judge(judged.captured_at, judged.cause, moves=judged.moves)

    async def _on_centre_request(self, message: Msg) -> None:
        try:
            asked = CentreRequest.model_validate_json(message.data)
        except ValidationError as error:
            log.warning("centre_request_malformed", camera_id=str(self._relay.camera.id), errors=error.error_count())
            return
        supervisor = self._relay.deliveries.get(asked.delivery_id)
        if isinstance(supervisor, ServedDeliverySupervisor):
            supervisor.slot.note_request_elsewhere(asked)

    async def _on_verification(self, message: Msg) -> None:
        try:
            verification = decode_on(message.subject, message.data).data
        except MalformedEventError as error:
            log.warning("verification_malformed", subject=message.subject, error=type(error).__name__)
            return
        if not isinstance(verification, DeliveryVerifiedV1):
            log.warning("verification_malformed", subject=message.subject, error="another event")
            return
        supervisor = self._relay.deliveries.get(verification.delivery_id)
        result, check = judged(verification), verification.self_check
        if check is not None and isinstance(supervisor, ServedDeliverySupervisor):
            supervisor.note_check(check.outcome, verification.observed_at)
        if supervisor is not None:
            supervisor.agreed = verification.agreeing
        if supervisor is None or result is None or supervisor.plan.destination_id != verification.destination_id:
            return
        if verification.camera_revision >= supervisor.read_back_since:
            supervisor.handle(result)

    def _publish_history(self, history: History) -> None:
        # Not through `Outgoing`: the next history replaces a lost one, and an old one has no value.
        if self._bus.connected:
            self._spawn(self._store_history(history))

    async def _store_history(self, history: History) -> None:
        camera_id = self._relay.camera.id
        still = self._relay.keyframes.stillness.still
        hashed = KeyframeHistory(
            camera_id=camera_id,
            worker_id=self._worker_id,
            keyframes=history,
            still_since=still.since if still is not None else None,
            still_keyframes=still.keyframes if still is not None else 0,
        )
        try:
            await publish_unconfirmed(self._bus, hashed)
        except (NatsError, OSError) as error:
            log.info("answer_not_sent", camera_id=str(camera_id), error=type(error).__name__)

    async def _send(self, subject: str, body: bytes, headers: dict[str, str]) -> None:
        if not subject:
            return
        try:
            await self._bus.client.publish(subject, body, headers=headers or None)
        except (NatsError, OSError) as error:
            log.info("answer_not_sent", camera_id=str(self._relay.camera.id), error=type(error).__name__)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=f"answer-{self._relay.camera.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _headers(copy: KeyframeCopy) -> dict[str, str]:
    """Build the headers that the prober reads; what was not measured is left out."""
    headers = {"codec": copy.codec.value.lower(), "captured_at": copy.captured_at.isoformat()}
    if copy.bitrate_kbps is not None:
        headers["bitrate_kbps"] = f"{copy.bitrate_kbps:.1f}"
    if copy.clock_drift_s is not None:
        headers["clock_drift_s"] = f"{copy.clock_drift_s:.3f}"
    if copy.session.transport is not None:
        headers["transport"] = copy.session.transport
    if copy.session.login_scheme is not None:
        headers["login_scheme"] = copy.session.login_scheme
    if copy.foreign_payload is not None:
        headers["foreign_payload"] = str(copy.foreign_payload)
    if copy.figures is not None:
        headers["fps"] = f"{copy.figures.fps:.2f}"
        headers["packets_received"] = str(copy.figures.packets_received)
        headers["packets_lost"] = str(copy.figures.packets_lost)
    if copy.still is not None:
        headers["still_since"] = copy.still.since.isoformat()
        headers["still_keyframes"] = str(copy.still.keyframes)
    if copy.repetition is not None:
        headers["repeats_since"] = copy.repetition.since.isoformat()
        headers["repeats_after_s"] = f"{copy.repetition.period_s:.1f}"
    elif copy.new_since is not None:
        headers["new_since"] = copy.new_since.isoformat()
    if copy.habits:
        headers["habits"] = json.dumps(dict(copy.habits))
    return headers


def _shown_headers(watch: PictureWatch) -> dict[str, str]:
    """List what weight and rhythm show of the picture; nothing while the last judgement of it holds.

    A keyframe that is overdue stays so when somebody has judged that, until one comes.
    """
    shown, shrunk_to = watch.picture, watch.shrunk_to
    headers = {"judge": Cause.FROZEN.value if watch.stands_still else "1"} if watch.wants_judge else {}
    if shown is not None and (not shown.judged or shown.sign is PictureSign.OVERDUE):
        headers |= {"changed_at": shown.since.isoformat(), "changed_by": shown.sign.value}
    if shrunk_to is not None:
        headers["shrunk_to"] = f"{shrunk_to:.3f}"
    return headers


def _why_none(none: NoKeyframe, pull: Pull) -> dict[str, str]:
    """List the error and what a prober can judge without a keyframe: of a camera that is away, why it is."""
    figures = {
        "silent_s": none.silent_s,
        "media_s": none.media_s,
        "keyframe_age_s": none.keyframe_age_s,
        "keyframe_every_s": none.keyframe_every_s,
        "bitrate_kbps": none.bitrate_kbps,
    }
    known = {name: f"{figure:.1f}" for name, figure in figures.items() if figure is not None}
    away = pull.cause is not None and none.silent_s is None
    why = {"cause": pull.cause.value, "detail": _one_line(pull.detail)} if pull.cause is not None and away else {}
    return {"error": none.reason, **known, **why, **({"codec": none.codec} if none.codec is not None else {})}


def _one_line(text: str | None) -> str:
    """As a header can carry it."""
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in text or "")[
        :MAX_DETAIL_CHARACTERS
    ]


def _after(headers: Mapping[str, str] | None) -> datetime | None:
    """When the keyframe came that the asker has, and wants the next one of."""
    try:
        moment = datetime.fromisoformat((headers or {}).get("after", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _within_s(body: bytes) -> float:
    """For how long the asker waits; the body of a request on `forwarder.camera.<camera_id>.keyframe`."""
    try:
        within_s = float(body)
    except ValueError:
        return COPY_WITHIN_S
    return within_s if 0 < within_s < COPY_WITHIN_S else COPY_WITHIN_S
