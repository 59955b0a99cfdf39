"""A camera's newest keyframe for who asks: kept for a while, so that many askers cost one keyframe."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.pictures.keyframe_copy import KeyframeCopy, NoKeyframe
from forwarder.relay.supervision.pictures.picture_watch import PictureWatch
from vonggac.events.causes import Cause

COPY_WITHIN_S = 10.0
"""Longer than any asker waits."""


class KeyframeSamples:
    """One per held camera. `open_tap` has the camera's media read until `hand_out` is called."""

    def __init__(self, context: RelayContext, watch: PictureWatch, open_tap: Callable[[], None]) -> None:
        self._context, self._watch, self._open_tap = context, watch, open_tap
        self._asked: asyncio.Future[KeyframeCopy | NoKeyframe] | None = None
        self._copy: KeyframeCopy | None = None
        self._copied_s = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for the next keyframe."""
        return self._asked is not None

    async def copy_keyframe(self, within_s: float, after: datetime | None) -> KeyframeCopy | NoKeyframe | None:
        """Copy the newest keyframe, or the next if the last one handed out is older than `sample_s` or `after`.

        None when it does not come within that time.
        """
        copy, age_s, shown = self._copy, self._context.monotonic_s() - self._copied_s, self._watch.picture
        after = max((at for at in (after, shown.since if shown is not None else None) if at is not None), default=None)
        damaged = shown is not None and shown.cause is Cause.DECODE_FAILED
        # Nothing but the next keyframe shows when one can be decoded again.
        fresh = age_s < self._context.keyframes.sample_s and not damaged
        if copy and fresh and (after is None or copy.captured_at > after):
            return copy
        if self._asked is None:
            self._asked = asyncio.get_running_loop().create_future()
            self._open_tap()
        try:
            async with asyncio.timeout(min(within_s, COPY_WITHIN_S)):
                return await asyncio.shield(self._asked)
        except TimeoutError:
            return None

    def hand_out(self, copy: KeyframeCopy, now_s: float) -> None:
        """Answer who waits with this keyframe, and keep it."""
        self._copy, self._copied_s = copy, now_s
        self._answer(copy)

    def end_session(self) -> None:
        """Note that the camera's media does not flow; whoever waits for a keyframe gets that answer."""
        self._copy = None
        self._answer(NoKeyframe("camera_away"))

    def drop_copy(self) -> None:
        """Keep the last keyframe no longer: what it says is over."""
        self._copy = None

    def drop_old_copy(self, now_s: float) -> None:
        """Keep the last keyframe no longer than it may be handed out."""
        if self._copy is not None and now_s - self._copied_s >= self._context.keyframes.sample_s:
            self._copy = None

    def _answer(self, answer: KeyframeCopy | NoKeyframe) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not asked.done():
            asked.set_result(answer)
