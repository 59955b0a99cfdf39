"""Each distinct clip is encoded and packed once per process; encoded once per machine where a cache folder is given."""

import asyncio
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

from simulator.clips.encoded import VideoClip
from simulator.clips.encoder import encode_audio, encode_video
from simulator.clips.foreign import ForeignCodec, encode_foreign
from simulator.clips.live import ClockedKeyframes
from simulator.clips.spec import VideoSpec
from simulator.config import AudioCodec
from simulator.packets import PreparedTrack, prepare_audio, prepare_foreign, prepare_video
from vonggac.telemetry import get_logger

log = get_logger(__name__)

type _Key = VideoSpec | tuple[ForeignCodec, VideoSpec] | AudioCodec


class ClipLibrary:
    """Returns tracks that are ready to send: all callers of one clip share one object as long as one uses it.

    Encoding runs in threads, as many at a time as there are cores.
    """

    def __init__(self, cache_folder: Path | None = None) -> None:
        self._cache_folder = cache_folder
        self._tracks: WeakValueDictionary[_Key, PreparedTrack] = WeakValueDictionary()
        self._preparing: dict[_Key, asyncio.Task[PreparedTrack]] = {}
        self._room = asyncio.Semaphore(os.cpu_count() or 1)
        self._cancelled = threading.Event()

    async def video(self, spec: VideoSpec) -> PreparedTrack:
        """Prepare the track of `spec`. Callers at the same time wait for the same encoding."""
        return await self._get(spec, partial(self._prepare_video, spec))

    async def foreign(self, codec: ForeignCodec, spec: VideoSpec) -> PreparedTrack:
        """Prepare the beginning of `spec` in a codec that the platform does not support."""
        return await self._get((codec, spec), partial(_prepare_foreign, codec, spec))

    async def audio(self, codec: AudioCodec) -> PreparedTrack:
        """Prepare the audio track of `codec`."""
        return await self._get(codec, partial(_prepare_audio, codec))

    async def close(self) -> None:
        """Cancel the encodings and wait for them."""
        self._cancelled.set()
        await asyncio.gather(*self._preparing.values(), return_exceptions=True)

    async def _get(self, key: _Key, prepare: Callable[[], PreparedTrack]) -> PreparedTrack:
        track = self._tracks.get(key)
        if track is not None:
            return track
        task = self._preparing.get(key)
        if task is None:
            task = self._preparing[key] = asyncio.create_task(self._make(prepare))
            task.add_done_callback(partial(self._made, key))
        track = await asyncio.shield(task)
        self._tracks[key] = track
        return track

    async def _make(self, prepare: Callable[[], PreparedTrack]) -> PreparedTrack:
        async with self._room:
            return await asyncio.to_thread(prepare)

    def _made(self, key: _Key, task: asyncio.Task[PreparedTrack]) -> None:
        del self._preparing[key]
        if not task.cancelled():
            # Reads the error: the caller may have gone, or gets it where it waits.
            task.exception()

    def _prepare_video(self, spec: VideoSpec) -> PreparedTrack:
        clip = self._load_or_encode(spec)
        live = ClockedKeyframes(clip, spec) if spec.clock else None
        return prepare_video(clip, spec.rate, spec.packing, live)

    def _load_or_encode(self, spec: VideoSpec) -> VideoClip:
        if self._cache_folder is None:
            return encode_video(spec, self._cancelled)
        path = self._cache_folder / f"{spec.key}.clip"
        cached = _load(path)
        if cached is not None:
            return cached
        clip = encode_video(spec, self._cancelled)
        _store(path, clip)
        return clip


def _prepare_foreign(codec: ForeignCodec, spec: VideoSpec) -> PreparedTrack:
    return prepare_foreign(encode_foreign(codec, spec))


def _prepare_audio(codec: AudioCodec) -> PreparedTrack:
    return prepare_audio(encode_audio(codec))


def _load(path: Path) -> VideoClip | None:
    try:
        return VideoClip.from_bytes(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("clip_cache_unreadable", file=path.name, reason=str(error))
        return None


def _store(path: Path, clip: VideoClip) -> None:
    """Write another file and rename it, so that no process reads half a clip."""
    partial = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(clip.to_bytes())
        partial.replace(path)
    except OSError as error:
        log.warning("clip_cache_unwritable", file=path.name, reason=str(error))
        partial.unlink(missing_ok=True)
