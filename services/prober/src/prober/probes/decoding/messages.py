"""The messages between the prober and a decoding process: lengths, JSON, thumbnails, NAL units and a JPEG.

Never pickled objects: the process reads what foreign devices send, and whoever takes it over must not get the prober.
"""

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache

from prober.domain.picture import (
    ENCODED_BYTES,
    PictureHistory,
    PictureJudgement,
    PictureThresholds,
    Thumbnail,
)
from prober.probes.decoding.picture import Picture, Undecodable
from vonggac.media.h26x import VideoCodec

LENGTHS = struct.Struct(">II")
"""Before each message: of the JSON, and of the bytes behind it."""
READY = LENGTHS.pack(0, 0)
"""The first message of a process: it has loaded what it needs, so that no keyframe waits for that."""
MOST_JSON_BYTES, MOST_BYTES = 1 << 16, 32 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Request:
    """One keyframe to decode, reduce and judge. `taken_at`: aware UTC; `history` None: it is not judged."""

    codec: VideoCodec
    nals: Sequence[bytes]
    taken_at: datetime
    history: PictureHistory | None
    jpeg_width: int | None = None
    """Where a person views it: a JPEG as well, at most so wide."""

    def encode(self) -> list[bytes]:
        """Encode the message in pieces."""
        history = self.history
        before = [history.previous, history.reference] if history is not None else [None, None]
        thumbnails = [thumbnail.encode() for thumbnail in before if thumbnail is not None]
        described = {
            "codec": self.codec.value,
            "taken_s": (self.taken_at - _EPOCH).total_seconds(),
            "lengths": [len(nal) for nal in self.nals],
            "thumbnails": [thumbnail is not None for thumbnail in before],
            "thresholds": _fields_of(history.thresholds) if history is not None else None,
            "jpeg_width": self.jpeg_width,
        }
        return _framed(described, [*thumbnails, *self.nals])

    @classmethod
    def decode(cls, described: bytes, data: bytes) -> "Request":
        """Of what our own prober sent."""
        fields = json.loads(described)
        at, found, nals = 0, [], []
        for is_there in fields["thumbnails"]:
            found.append(Thumbnail.decode(data[at : at + ENCODED_BYTES]) if is_there else None)
            at += ENCODED_BYTES * is_there
        for length in fields["lengths"]:
            nals.append(data[at : at + length])
            at += length
        thresholds = fields["thresholds"]
        history = None
        if thresholds is not None:
            previous, reference = found
            history = PictureHistory(previous, reference, PictureThresholds(**thresholds))
        taken_at = datetime.fromtimestamp(fields["taken_s"], UTC)
        return cls(VideoCodec(fields["codec"]), nals, taken_at, history, fields["jpeg_width"])


def encode_answer(result: Picture | Undecodable, history: PictureHistory | None) -> list[bytes]:
    """Encode the message in pieces."""
    if isinstance(result, Undecodable):
        return _framed({"decode_s": result.decode_s, "reason": result.reason[:500], "cause": result.cause.value}, [])
    judged = result.judged
    described = {
        "decode_s": result.decode_s,
        "width": result.width,
        "height": result.height,
        "profile": result.profile,
        "pixel_format": result.pixel_format,
        "judged": _described(judged, history) if judged is not None else None,
    }
    return _framed(described, [result.thumbnail.encode(), result.jpeg])


def _described(judged: PictureJudgement, history: PictureHistory | None) -> dict[str, object]:
    previous = history.previous if history is not None else None
    return {
        "findings": [cause.value for cause in judged.findings],
        "not_checked": judged.not_checked,
        "measures": {name: _or_none(value) for name, value in judged.measures.items()},
        "keeps_previous": previous is not None and judged.remember.grey is previous.grey,
        "usual_edge_px": _or_none(judged.remember.usual_edge_px),
    }


@lru_cache(maxsize=4)
def _fields_of(thresholds: PictureThresholds) -> dict[str, float]:
    """Kept: all keyframes of a prober are judged by the same."""
    return asdict(thresholds)


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _framed(described: Mapping[str, object], parts: list[bytes]) -> list[bytes]:
    text = json.dumps(described).encode()
    return [LENGTHS.pack(len(text), sum(map(len, parts))), text, *parts]
