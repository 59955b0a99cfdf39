"""What the prober publishes: one probe of one camera, a fault of a whole site, and that a worker is alive."""

from vonggac.events.prober.probes import (
    BY_FORWARDER,
    CameraObservedV1,
    DeviceSigns,
    DisputeDecision,
    LoginScheme,
    Media,
    PictureJudged,
    ProbeKind,
    RepetitionDispute,
    SecuritySigns,
    SiteObservedV1,
    SiteState,
    Step,
    Verdict,
)
from vonggac.events.prober.read_backs import (
    AgreeingReadBacks,
    DeliveryVerifiedV1,
    EarlierReadBack,
    VerificationVerdict,
)
from vonggac.events.prober.workers import (
    DemandKind,
    DemandV1,
    EndpointRange,
    ProberAliveV1,
)

__all__ = [
    "BY_FORWARDER",
    "AgreeingReadBacks",
    "CameraObservedV1",
    "DeliveryVerifiedV1",
    "DemandKind",
    "DemandV1",
    "DeviceSigns",
    "DisputeDecision",
    "EarlierReadBack",
    "EndpointRange",
    "LoginScheme",
    "Media",
    "PictureJudged",
    "ProbeKind",
    "ProberAliveV1",
    "RepetitionDispute",
    "SecuritySigns",
    "SiteObservedV1",
    "SiteState",
    "Step",
    "Verdict",
    "VerificationVerdict",
]
