"""What is known of a camera's session without reading its media: pictures that passed, its rate, its last keyframe."""

RATE_OVER_S = 10.0
"""The bit rate is that of the last so many seconds, or a little more."""
LEAST_RATE_OVER_S = 2.0


class SessionFigures:
    """Of one session. Times are seconds of the monotonic clock, counters are those of the session's source."""

    def __init__(self, now_s: float, *, received_bytes: int = 0, pictures: int = 0) -> None:
        self.began_s = self.picture_s = now_s
        """When the media began to flow, and when a picture came last."""
        self.keyframe_s: float | None = None
        """When a whole keyframe came last."""
        self._pictures = pictures
        self._marks = ((now_s, received_bytes),) * 2
        self._too_large = 0
        self._too_large_s: float | None = None

    def count_pictures(self, now_s: float, pictures: int) -> None:
        """Note whether any came since the last call."""
        if pictures != self._pictures:
            self._pictures, self.picture_s = pictures, now_s

    def count_too_large(self, now_s: float, too_large: int) -> None:
        """Note whether a keyframe came since the last call that is too large to be kept."""
        if too_large != self._too_large:
            self._too_large, self._too_large_s = too_large, now_s

    def note_keyframe(self, now_s: float) -> None:
        """Note that a whole keyframe was read."""
        self.keyframe_s, self._too_large_s = now_s, None

    def too_large_age_s(self, now_s: float) -> float | None:
        """How long ago the last keyframe came that is too large to be kept; None where a whole one came after it."""
        return now_s - self._too_large_s if self._too_large_s is not None else None

    def bitrate_kbps(self, now_s: float, received_bytes: int) -> float | None:
        """Of everything that the camera sends, from keyframe to keyframe; None when it began just now."""
        (older_s, older_bytes), newer = self._marks
        if now_s - newer[0] >= RATE_OVER_S:
            self._marks = (newer, (now_s, received_bytes))
        span_s = now_s - older_s
        return (received_bytes - older_bytes) * 8 / 1000 / span_s if span_s >= LEAST_RATE_OVER_S else None
