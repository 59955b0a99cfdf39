"""Each distinct clip is encoded and packed once per process; encoded once per machine where a cache folder is given."""

import asyncio
import os
import threading
from pathlib import Path

from simulator.clips.encoded import VideoClip
from simulator.clips.encoder import encode_audio, encode_video
from simulator.clips.foreign import ForeignCodec, encode_foreign
from simulator.clips.spec import VideoSpec
from simulator.config import AudioCodec
from simulator.packets import PreparedTrack, prepare_audio, prepare_foreign, prepare_video
from vonggac.telemetry import get_logger

log = get_logger(__name__)


class ClipLibrary:
    """Hands out tracks that are ready to send, the same object to all who ask for the same clip.

    Encoding runs in threads, as many at a time as there are cores.
    """

    def __init__(self, cache_folder: Path | None = None) -> None:
        self._cache_folder = cache_folder
        self._videos: dict[VideoSpec, asyncio.Task[PreparedTrack]] = {}
        self._foreign: dict[tuple[ForeignCodec, VideoSpec], asyncio.Task[PreparedTrack]] = {}
        self._audios: dict[AudioCodec, asyncio.Task[PreparedTrack]] = {}
        self._room = asyncio.Semaphore(os.cpu_count() or 1)
        self._cancelled = threading.Event()

    async def video(self, spec: VideoSpec) -> PreparedTrack:
        """The track of `spec`. Callers that ask at the same time wait for the same encoding."""
        task = self._videos.get(spec)
        if task is None:
            task = self._videos[spec] = asyncio.create_task(self._make_video(spec))
        return await asyncio.shield(task)

    async def foreign(self, codec: ForeignCodec, spec: VideoSpec) -> PreparedTrack:
        """The beginning of `spec` in a codec that the platform does not take."""
        task = self._foreign.get((codec, spec))
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(_prepare_foreign, codec, spec))
            self._foreign[codec, spec] = task
        return await asyncio.shield(task)

    async def audio(self, codec: AudioCodec) -> PreparedTrack:
        """The audio track of `codec`."""
        task = self._audios.get(codec)
        if task is None:
            task = self._audios[codec] = asyncio.create_task(asyncio.to_thread(_prepare_audio, codec))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Stop what is still being encoded and wait for it."""
        self._cancelled.set()
        tasks = [*self._videos.values(), *self._foreign.values(), *self._audios.values()]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make_video(self, spec: VideoSpec) -> PreparedTrack:
        async with self._room:
            return await asyncio.to_thread(self._prepare_video, spec)

    def _prepare_video(self, spec: VideoSpec) -> PreparedTrack:
        return prepare_video(self._load_or_encode(spec), spec.rate)

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
    """Written beside its place and renamed, so that two processes never read half a clip."""
    partial = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(clip.to_bytes())
        partial.replace(path)
    except OSError as error:
        log.warning("clip_cache_unwritable", file=path.name, reason=str(error))
        partial.unlink(missing_ok=True)
