"""What one probe of a camera gives back: a value, also when everything failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prober.domain.findings import StreamSeen
from prober.domain.picture import PictureJudgement, Thumbnail
from vonggac.events import Cause
from vonggac.events.prober import Media, ProbeKind, RepetitionDispute, Step, Verdict
from vonggac.media.keyframe_weight import Weight


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason. `cause` is None exactly when the verdict is `up`; `detail` names the findings too.

    `not_checked`: checks that could not be made, with the reason.
    """

    verdict: Verdict
    cause: Cause | None = None
    detail: str | None = None
    findings: tuple[Cause, ...] = ()
    not_checked: Mapping[Cause, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Still:
    """The camera's keyframes from `since` to `until` are identical, bit for bit; `keyframes` of them were hashed."""

    since: datetime
    until: datetime
    keyframes: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """The camera's keyframes are those of a recording: from `since` on they came again; `how`: for people."""

    since: datetime
    how: str


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One attempt: the judgement, and what was measured on the way (steps in their order).

    `login_accepted`: None when the camera got no login, or the probe did not get so far; `login_needed`: it asked for
    the login and took it, where an open camera lets everybody in; `login_taken`: it, or another channel of its device,
    did so before. `rest_s`: seconds until the login may be tried again,
    when the camera was left alone for that. `goes_on`: the keyframe was that of the probe before, and the next one in
    the session was another. `seen`: what the stream's checks are made of, None when no stream came.
    `moves`: its next keyframes were compared with the picture, and it does not stand still. `weight`: of the keyframe
    of a session of our own.
    `captured_at`: when the forwarder received the keyframe, where it is one of its.
    `picture`: of a deep probe; `judged`: when it was judged already. `identity_at`: when the device was asked who
    it is, if it was. `no_picture`: why there is none of a camera whose stream was judged all the same. `still`: by the
    forwarder's hashes; `repeats`: by these or by our own; `still_since`: when the picture shows nothing new by these
    alone. `new_since`: when the first new keyframe came after a recording, where somebody saw that one end; `dispute`:
    what people said of it.
    """

    judgement: Judgement
    duration_s: float
    steps: tuple[Step, ...] = ()
    media: Media | None = None
    kind: ProbeKind = ProbeKind.DEEP
    login_accepted: bool | None = None
    login_needed: bool = False
    login_taken: bool = False
    rest_s: float | None = None
    seen: StreamSeen | None = None
    picture: Thumbnail | None = None
    judged: PictureJudgement | None = None
    identity_at: datetime | None = None
    no_picture: str | None = None
    still: Still | None = None
    repeats: Repeats | None = None
    new_since: datetime | None = None
    dispute: RepetitionDispute | None = None
    still_since: datetime | None = None
    goes_on: bool = False
    captured_at: datetime | None = None
    moves: bool = False
    weight: Weight | None = None
