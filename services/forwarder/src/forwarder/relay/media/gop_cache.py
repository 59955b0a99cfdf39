"""The media of a camera since its newest keyframe, for new destinations.

Cameras begin with a keyframe after PLAY; when a destination has answered, it is over, and the next one may be seconds
away. Kept only while that matters: at the beginning of a pull, and during a hand-over.
"""

import mmap
import time
from collections.abc import Callable, Iterator

from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.keyframe_scanner import IN_LEAD, KeyframeScanner, tail

MAX_BYTES = 3 << 20
"""Below the bound of one destination's buffer."""
MAX_AGE_S = 5.0


class GopCache:
    """The batches of the current group of pictures; a group that grows too large or too old is not kept."""

    def __init__(self, scanner: KeyframeScanner, *, max_bytes: int = MAX_BYTES, max_age_s: float = MAX_AGE_S) -> None:
        """`scanner` sees every batch and belongs to this cache alone."""
        self._scanner, self._max_bytes, self._max_age_s = scanner, max_bytes, max_age_s
        self._spans: list[tuple[int, int, bool]] = []
        self._store: mmap.mmap | None = None
        self._bytes = 0
        self._began_s = 0.0
        self._when_begun: Callable[[], None] | None = None

    def __iter__(self) -> Iterator[tuple[MediaBatch, bool]]:
        """Batches from the keyframe's first packet on, each with whether it is clean (`Outlet.write`)."""
        store = self._store
        if store is not None:
            yield from ((MediaBatch.of(store[begin:end]), clean) for begin, end, clean in self._spans)

    @property
    def begun(self) -> bool:
        """Whether a destination can begin with it."""
        return bool(self._spans)

    @property
    def age_s(self) -> float:
        """Since its keyframe began; 0.0 while there is none."""
        return time.monotonic() - self._began_s if self._spans else 0.0

    @property
    def size_bytes(self) -> int:
        """What is kept."""
        return self._bytes if self._store is not None else 0

    def drop(self) -> None:
        """Keep nothing until the next keyframe."""
        self._spans, self._bytes, self._store = [], 0, None

    def when_begun(self, call: Callable[[], None]) -> None:
        """Call `call` when a keyframe is there; at once if it is."""
        if self._spans:
            call()
        else:
            self._when_begun = call

    def add_batch(self, batch: MediaBatch, *, clean: bool) -> None:
        begins = self._scanner.scan(batch, clean=clean)
        if begins:
            self._spans, self._bytes, self._began_s = [], 0, time.monotonic()
            newest = begins[-1]
            for piece, piece_clean in self._scanner.lead if newest == IN_LEAD else ():
                self._keep(piece.data, clean=piece_clean)
            self._keep((batch if newest == IN_LEAD else tail(batch, newest)).data, clean=clean)
            begun, self._when_begun = self._when_begun, None
            if begun is not None:
                begun()
        elif self._spans:
            self._keep(batch.data, clean=clean)
        if self._bytes > self._max_bytes or (self._spans and time.monotonic() - self._began_s > self._max_age_s):
            self.drop()

    def _keep(self, data: bytes, *, clean: bool) -> None:
        begin, self._bytes = self._bytes, self._bytes + len(data)
        if self._bytes > self._max_bytes:
            return
        if self._store is None:
            # Not the heap: small pieces of a hundred cameras that begin together would fragment it.
            self._store = mmap.mmap(-1, self._max_bytes)
        self._store[begin : self._bytes] = data
        self._spans.append((begin, self._bytes, clean))
