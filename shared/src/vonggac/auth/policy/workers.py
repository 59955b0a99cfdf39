"""The policies of prober and forwarder."""

from vonggac.auth.policy.entry import Entry, Reach
from vonggac.auth.rights import Right

_READ, _OPERATE = (Right.READ,), (Right.OPERATE,)
_SCAN = (Right.OPERATE, Right.IMPORT)

PROBER: tuple[Entry, ...] = (
    Entry("GET", "/v1/cameras", _READ, Reach.NARROWED),
    Entry("GET", "/v1/cameras/{camera_id}", _READ, Reach.NARROWED),
    Entry("GET", "/v1/cameras/{camera_id}/failures", _READ, Reach.NARROWED),
    Entry("GET", "/v1/cameras/{camera_id}/device", _READ, Reach.NARROWED),
    Entry("PUT", "/v1/cameras/{camera_id}/device", _OPERATE, Reach.NARROWED),
    Entry("GET", "/v1/cameras/{camera_id}/repetition", _READ, Reach.NARROWED),
    Entry("PUT", "/v1/cameras/{camera_id}/repetition/dispute", (Right.DISPUTE,), Reach.NARROWED),
    Entry("PUT", "/v1/cameras/{camera_id}/repetition/decision", (Right.DECIDE,), Reach.NARROWED),
    Entry("GET", "/v1/cameras/{camera_id}/reference", _READ, Reach.NARROWED),
    Entry("PUT", "/v1/cameras/{camera_id}/reference", _OPERATE, Reach.NARROWED),
    Entry("DELETE", "/v1/cameras/{camera_id}/reference", _OPERATE, Reach.NARROWED),
    Entry(
        "POST",
        "/v1/probes",
        _OPERATE,
        Reach.NARROWED,
        note="an address that is no camera of the register: refused to a token with a scope",
    ),
    Entry("GET", "/v1/verifications", _READ, Reach.NARROWED),
    Entry("POST", "/v1/verifications", _OPERATE, Reach.NARROWED),
    # Of a restricted facility `read_restricted` beside: without it the camera is not there.
    Entry("POST", "/v1/pictures", (Right.VIEW,), Reach.NARROWED, note="each view is on record (`GET /v1/demands`)"),
    Entry("POST", "/v1/pictures/stream", (Right.VIEW,), Reach.NARROWED, note="as above: one record for all of them"),
    Entry("POST", "/v1/pictures/live", (Right.VIEW,), Reach.NARROWED, note="as above: each view is on record"),
    # A network knows no facility, and whoever scans it learns of everything in it.
    Entry("POST", "/v1/scans", (*_SCAN, Right.READ_RESTRICTED), Reach.PROVINCE),
    Entry("GET", "/v1/scans/{scan_id}", (*_SCAN, Right.READ_RESTRICTED), Reach.PROVINCE),
    Entry("GET", "/v1/scans/{scan_id}/cameras.csv", (*_SCAN, Right.READ_RESTRICTED), Reach.PROVINCE),
    Entry("DELETE", "/v1/scans/{scan_id}", (*_SCAN, Right.READ_RESTRICTED), Reach.PROVINCE),
    Entry("GET", "/v1/demands", (Right.READ, Right.READ_RESTRICTED, Right.READ_AUDIT), Reach.PROVINCE),
    Entry(
        "GET",
        "/v1/actions",
        (Right.READ, Right.READ_AUDIT),
        Reach.NARROWED,
        note="those at cameras that the scope holds, all of them; none at addresses",
    ),
    Entry("GET", "/v1/networks", _READ, Reach.COMMON),
    Entry("GET", "/v1/workers", _READ, Reach.COMMON),
    Entry("GET", "/probe", _READ, Reach.NARROWED, {Right.OPERATE: "with `fresh=true`"}),
)

FORWARDER: tuple[Entry, ...] = (
    Entry("GET", "/v1/deliveries", _READ, Reach.NARROWED),
    Entry("GET", "/v1/deliveries/{delivery_id}", _READ, Reach.NARROWED),
    Entry("POST", "/v1/deliveries/{delivery_id}/stop", _OPERATE, Reach.NARROWED),
    Entry("POST", "/v1/deliveries/{delivery_id}/start", _OPERATE, Reach.NARROWED),
    Entry("POST", "/v1/deliveries/{delivery_id}/retry", _OPERATE, Reach.NARROWED),
    Entry("GET", "/v1/cameras/{camera_id}/deliveries", _READ, Reach.NARROWED),
    Entry("GET", "/v1/actions", (Right.READ, Right.READ_AUDIT), Reach.NARROWED),
    Entry("GET", "/v1/workers", _READ, Reach.COMMON),
)
