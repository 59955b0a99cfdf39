"""What a camera shows under a fault: other pictures of the same stream, or another stream."""

from dataclasses import replace

from simulator.clips.library import ClipLibrary
from simulator.clips.spec import VideoSpec, View, spec_of
from simulator.config import CameraConfig
from simulator.devices.faults import CameraFault, CameraFaultName, FaultError
from simulator.packets import PreparedTrack, replace_pictures

_VIEWS: dict[tuple[CameraFaultName, str | None], View] = {
    (CameraFaultName.FREEZE, "coded"): "frozen",
    (CameraFaultName.FREEZE, "encoder"): "still",
    (CameraFaultName.BLACK, "pure"): "black",
    (CameraFaultName.BLACK, "noise"): "dark",
    (CameraFaultName.COVERED, "brown"): "covered_brown",
    (CameraFaultName.COVERED, "grey"): "covered_grey",
    (CameraFaultName.BLURRED, None): "blurred",
    (CameraFaultName.NO_SIGNAL_CARD, "blue"): "no_signal_blue",
    (CameraFaultName.NO_SIGNAL_CARD, "grey"): "no_signal_grey",
    (CameraFaultName.SCENE_CHANGED, "shifted"): "shifted",
    (CameraFaultName.SCENE_CHANGED, "rotated"): "rotated",
}


REDESCRIBED = frozenset((CameraFaultName.NO_TRACK, CameraFaultName.CODEC_UNSUPPORTED, CameraFaultName.IDENTITY_CHANGED))
"""Faults that change the session description: no session outlives them."""


class Staging:
    """Encodes each clip on its first use."""

    def __init__(self, config: CameraConfig, number: int, library: ClipLibrary) -> None:
        """Remember what to prepare; `number` is drawn into the picture."""
        self._config = config
        self._number = number
        self._library = library
        self._normal: list[PreparedTrack] = []

    async def tracks(self, fault: CameraFault | None) -> list[PreparedTrack]:
        """Prepare the tracks under `fault`, the video first. Raises FaultError when it does not fit the camera."""
        if not self._normal:
            video = await self._library.video(spec_of(self._config, self._number))
            audio = [] if self._config.audio == "none" else [await self._library.audio(self._config.audio)]
            self._normal = [video, *audio]
        if fault is None:
            return self._normal
        if fault.fault in REDESCRIBED:
            return await self._other_device(fault)
        spec = self._pictures(fault)
        if spec is None:
            return self._normal
        pictures = await self._library.video(spec)
        return [replace_pictures(self._normal[0], pictures), *self._normal[1:]]

    async def _other_device(self, fault: CameraFault) -> list[PreparedTrack]:
        config = self._config
        spec = spec_of(config, self._number)
        if fault.fault is CameraFaultName.NO_TRACK:
            return self._normal[1:] or [await self._library.audio("pcma")]
        if fault.fault is CameraFaultName.CODEC_UNSUPPORTED:
            video = await self._library.foreign("mjpeg" if fault.chosen_kind == "mjpeg" else "mpeg4", spec)
        elif fault.chosen_kind == "codec":
            video = await self._library.video(replace(spec, codec="h265" if spec.codec == "h264" else "h264"))
        else:
            width, height = (max(64, length * 3 // 4 & ~1) for length in (spec.width, spec.height))
            video = await self._library.video(replace(spec, width=width, height=height))
        return [video, *self._normal[1:]]

    def _pictures(self, fault: CameraFault) -> VideoSpec | None:
        """Find the clip whose pictures the normal video track shows; None for its own."""
        config = self._config
        view = _VIEWS.get((fault.fault, fault.chosen_kind))
        if view is not None:
            return spec_of(config, self._number, view)
        spec = spec_of(config, self._number)
        if fault.fault is CameraFaultName.LOOP:
            return replace(spec, clock=False)
        if fault.fault is CameraFaultName.LOW_BITRATE:
            return replace(spec, bitrate_kbps=fault.bitrate_kbps)
        if fault.fault is CameraFaultName.LOW_FPS:
            if fault.fps >= config.fps:
                msg = f"fps: {fault.fps} is not low for {config.id}, it has {config.fps}"
                raise FaultError(msg)
            gop_frames = max(1, round(fault.fps * config.gop_s))
            gops = max(2, round(config.loop_s * fault.fps / gop_frames))
            return replace(spec, pictures_per_s=fault.fps, gop_frames=gop_frames, gops=gops)
        return None
