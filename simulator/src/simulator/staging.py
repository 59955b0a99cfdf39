"""What a camera shows under a fault: other pictures of the same stream."""

from dataclasses import replace

from simulator.clips.spec import VideoSpec, View, spec_of
from simulator.config import CameraConfig
from simulator.faults import CameraFault, CameraFaultName, FaultError
from simulator.library import ClipLibrary
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


class Staging:
    """Encodes what is asked for when it is first asked for."""

    def __init__(self, config: CameraConfig, number: int, library: ClipLibrary) -> None:
        """`number` is drawn into the picture."""
        self._config = config
        self._number = number
        self._library = library
        self._normal: list[PreparedTrack] = []

    async def tracks(self, fault: CameraFault | None) -> list[PreparedTrack]:
        """The tracks under `fault`, the video first. Raises FaultError when the fault does not fit the camera."""
        if not self._normal:
            video = await self._library.video(spec_of(self._config, self._number))
            audio = [] if self._config.audio == "none" else [await self._library.audio(self._config.audio)]
            self._normal = [video, *audio]
        spec = self._pictures(fault) if fault is not None else None
        if spec is None:
            return self._normal
        pictures = await self._library.video(spec)
        return [replace_pictures(self._normal[0], pictures), *self._normal[1:]]

    def _pictures(self, fault: CameraFault) -> VideoSpec | None:
        """The clip whose pictures the normal video track shows; None for its own."""
        config = self._config
        view = _VIEWS.get((fault.fault, fault.chosen_kind))
        if view is not None:
            return spec_of(config, self._number, view)
        spec = spec_of(config, self._number)
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
