"""Encoded clips as values, and their form on disk."""

import json
from dataclasses import dataclass

from simulator.config import AudioCodec, VideoCodec

_MAGIC = b"VGCLIP1\n"


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture: its NAL units without start codes, parameter sets left out."""

    nals: tuple[bytes, ...]
    keyframe: bool


@dataclass(frozen=True, slots=True)
class VideoClip:
    """A loop of pictures without B-frames: pictures are sent in the order they are shown."""

    codec: VideoCodec
    fps: int
    parameter_sets: tuple[bytes, ...]
    """SPS, PPS (H.264) or VPS, SPS, PPS (H.265), without start codes."""
    units: tuple[AccessUnit, ...]

    def to_bytes(self) -> bytes:
        """Write a JSON header line with the sizes, then all NAL units back to back."""
        header = {
            "codec": self.codec,
            "fps": self.fps,
            "parameter_sets": [len(nal) for nal in self.parameter_sets],
            "units": [[unit.keyframe, *(len(nal) for nal in unit.nals)] for unit in self.units],
        }
        nals = [*self.parameter_sets, *(nal for unit in self.units for nal in unit.nals)]
        return _MAGIC + json.dumps(header).encode() + b"\n" + b"".join(nals)

    @classmethod
    def from_bytes(cls, data: bytes) -> "VideoClip":
        """Read a clip. Raises ValueError when `data` is not what `to_bytes` makes."""
        if not data.startswith(_MAGIC):
            msg = "not a clip file"
            raise ValueError(msg)
        end = data.index(b"\n", len(_MAGIC))
        header = json.loads(data[len(_MAGIC) : end])
        reader = _NalReader(data, end + 1)
        try:
            parameter_sets = tuple(reader.read_nal(size) for size in header["parameter_sets"])
            units = tuple(
                AccessUnit(nals=tuple(reader.read_nal(size) for size in sizes), keyframe=keyframe)
                for keyframe, *sizes in header["units"]
            )
            return cls(header["codec"], header["fps"], parameter_sets, units)
        except (KeyError, TypeError) as error:
            msg = "damaged header of a clip file"
            raise ValueError(msg) from error


@dataclass(frozen=True, slots=True)
class AudioClip:
    """A loop of coded audio frames, each `frame_samples` long at `clock_rate_hz`."""

    codec: AudioCodec
    clock_rate_hz: int
    frame_samples: int
    config: bytes
    """AudioSpecificConfig (ISO 14496-3) of AAC; empty for G.711."""
    frames: tuple[bytes, ...]


class _NalReader:
    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self._offset = offset

    def read_nal(self, size: int) -> bytes:
        nal = self._data[self._offset : self._offset + size]
        if len(nal) != size:
            msg = "clip file is cut short"
            raise ValueError(msg)
        self._offset += size
        return nal
