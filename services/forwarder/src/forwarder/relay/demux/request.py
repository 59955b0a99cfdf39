"""What the parent asks a child for. Apart from both, so that the parent never loads the native library."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RemuxRequest:
    """`format`: libav's name of the container. `paced`: hand media on at its own pace, because it comes in lumps."""

    format: str
    audio: bool = False
    paced: bool = False
