"""The policy of reporting."""

from vonggac.auth.policy.entry import Entry, Reach
from vonggac.auth.rights import Right
from vonggac.events.inventory import Act

_READ, _EXPORT = (Right.READ,), (Right.EXPORT,)
_ADD, _CHANGE, _REMOVE, _OPERATE = (Right.ADD,), (Right.CHANGE,), (Right.REMOVE,), (Right.OPERATE,)
_SECRET, _DECIDE = (Right.WRITE_SECRET,), (Right.DECIDE,)
_FILE = {Right.EXPORT: "for a file: `format` or `Accept` other than JSON"}
_PEOPLE = {Right.READ_PEOPLE: "for names, posts and phones of focal points; without it there are agencies alone"}
_WHOLE = (Right.READ, Right.READ_RESTRICTED)
"""What was frozen or sent is of the whole province, restricted facilities included, and cannot be narrowed."""

_TO_THEM = (
    "those to the agencies that the scope names, so none for a scope of units or facilities alone; the file of the log "
    "is of the province"
)
_BY_LINK = f"{_TO_THEM}; by a facility's link what they say of the facility"

FIGURES = (
    "/v1/availability", "/v1/compliance", "/v1/overview", "/v1/site-faults", "/v1/outages", "/v1/progress",
    "/v1/progress/facilities", "/v1/deviations", "/v1/camera-security", "/v1/inspections-due", "/v1/obligations",
    "/v1/maintenance",
    "/v1/cameras/{camera_id}/intervals", "/v1/deliveries/{delivery_id}/intervals", "/v1/tables/{name}", "/v1/facts",
)  # fmt: skip
"""Figures and evidence of facilities, as JSON and as files."""

REPORTING: tuple[Entry, ...] = (
    *(Entry("GET", path, _READ, Reach.NARROWED, _FILE) for path in FIGURES),
    Entry("GET", "/v1/present", _READ, Reach.NARROWED),
    Entry("GET", "/v1/present/cameras", _READ, Reach.NARROWED),
    Entry("GET", "/v1/present/events", _READ, Reach.NARROWED),
    Entry(
        "GET",
        "/v1/freshness",
        _READ,
        Reach.NARROWED,
        note="the newest fact and proof are of what the scope holds; streams, clock and workers are the same for all",
    ),
    Entry("GET", "/v1/facilities/{facility}/strips", _READ, Reach.NARROWED),
    Entry("GET", "/v1/compliance.csv", _EXPORT, Reach.NARROWED),
    Entry("GET", "/v1/late-evidence", _READ, Reach.NARROWED),
    Entry("GET", "/v1/progress/facilities/{facility}", _READ, Reach.NARROWED),
    Entry("GET", "/v1/progress/changes", _READ, Reach.NARROWED),
    Entry("GET", "/v1/obligations.ics", _READ, Reach.NARROWED),
    Entry("GET", "/v1/calendar-feeds", _CHANGE, Reach.PROVINCE),
    Entry("POST", "/v1/calendar-feeds", (*_SECRET, *_WHOLE), Reach.PROVINCE),
    Entry("DELETE", "/v1/calendar-feeds/{feed_id}", _REMOVE, Reach.PROVINCE),
    Entry("GET", "/v1/calendar-feeds/{feed_id}.ics", _READ, Reach.NARROWED),
    Entry("GET", "/v1/cameras/{camera_id}/formats", _READ, Reach.NARROWED),
    Entry("GET", "/v1/national", _READ, Reach.NARROWED),
    Entry(
        "GET",
        "/v1/charts/{name}.svg",
        _READ,
        Reach.NARROWED,
        {Right.READ_RESTRICTED: "of a frozen report (`report`), which a token with a scope does not get"},
    ),
    Entry("GET", "/v1/availability-targets", _READ, Reach.COMMON),
    Entry("POST", "/v1/availability-targets/{metric}", (*_DECIDE, *_CHANGE), Reach.PROVINCE, act=Act.TARGET),
    Entry("GET", "/v1/tables", _READ, Reach.COMMON),
    Entry("GET", "/v1/datapackage.json", _READ, Reach.COMMON),
    Entry("GET", "/v1/data-dictionary.md", _READ, Reach.COMMON),
    Entry("GET", "/v1/lost-facts", _READ, Reach.COMMON, _FILE),
    Entry("GET", "/v1/stream-losses", _READ, Reach.COMMON, _FILE),
    Entry("GET", "/v1/clock-steps", _READ, Reach.COMMON, _FILE),
    Entry("POST", "/v1/reports/verify", _READ, Reach.COMMON),
    Entry("GET", "/v1/reports", _WHOLE, Reach.PROVINCE),
    Entry("GET", "/v1/reports/{report_id}", _WHOLE, Reach.PROVINCE, _FILE),
    Entry("GET", "/v1/reports/{report_id}/difference", _WHOLE, Reach.PROVINCE),
    Entry("GET", "/v1/reports/{report_id}/contacts", _WHOLE, Reach.PROVINCE, _PEOPLE),
    Entry("GET", "/v1/reports/{report_id}/contacts.docx", (*_EXPORT, *_WHOLE), Reach.PROVINCE, _PEOPLE),
    Entry("GET", "/v1/reports/{report_id}.{form}", (*_EXPORT, *_WHOLE), Reach.PROVINCE),
    Entry("POST", "/v1/reports", (*_DECIDE, *_ADD, *_WHOLE), Reach.PROVINCE, act=Act.FREEZING),
    Entry("POST", "/v1/reports/{report_id}/approve", (*_DECIDE, *_CHANGE, *_WHOLE), Reach.PROVINCE, act=Act.APPROVAL),
    Entry("POST", "/v1/reports/{report_id}/versions", (*_DECIDE, *_ADD, *_WHOLE), Reach.PROVINCE, act=Act.FREEZING),
    Entry("GET", "/v1/report-regimes", _WHOLE, Reach.PROVINCE),
    Entry("POST", "/v1/report-regimes", (*_DECIDE, *_ADD, *_WHOLE), Reach.PROVINCE, act=Act.FREEZING),
    Entry("GET", "/v1/report-regimes/{regime_id}", _WHOLE, Reach.PROVINCE),
    Entry("PUT", "/v1/report-regimes/{regime_id}", (*_DECIDE, *_CHANGE, *_WHOLE), Reach.PROVINCE, act=Act.FREEZING),
    Entry("GET", "/v1/regime-reports", _WHOLE, Reach.PROVINCE),
    Entry("GET", "/v1/issued-papers", _WHOLE, Reach.PROVINCE),
    Entry("POST", "/v1/issued-papers", (*_DECIDE, *_ADD, *_WHOLE), Reach.PROVINCE, act=Act.ISSUE),
    Entry("GET", "/v1/issued-papers/{paper_id}", _WHOLE, Reach.PROVINCE),
    Entry("PUT", "/v1/issued-papers/{paper_id}/file", (*_DECIDE, *_ADD, *_WHOLE), Reach.PROVINCE, act=Act.ISSUE),
    Entry("GET", "/v1/issued-papers/{paper_id}/file", (*_EXPORT, *_WHOLE), Reach.PROVINCE),
    Entry("GET", "/v1/metrics/compliance", _WHOLE, Reach.PROVINCE),
    Entry("GET", "/v1/notices", _WHOLE, Reach.PROVINCE),
    Entry("GET", "/v1/webhooks", _READ, Reach.PROVINCE),
    Entry("POST", "/v1/webhooks", (*_SECRET, *_WHOLE), Reach.PROVINCE),
    Entry("GET", "/v1/webhooks/{webhook_id}", _READ, Reach.PROVINCE),
    Entry("PATCH", "/v1/webhooks/{webhook_id}", (*_CHANGE, *_WHOLE), Reach.PROVINCE),
    Entry("POST", "/v1/webhooks/{webhook_id}/secret", (*_SECRET, *_WHOLE), Reach.PROVINCE),
    Entry("DELETE", "/v1/webhooks/{webhook_id}", _REMOVE, Reach.PROVINCE),
    Entry("GET", "/v1/webhooks/{webhook_id}/deliveries", _WHOLE, Reach.PROVINCE),
    Entry("POST", "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/send-again", _OPERATE, Reach.PROVINCE),
    Entry("POST", "/v1/webhooks/{webhook_id}/send-failed-again", _OPERATE, Reach.PROVINCE),
    Entry("GET", "/v1/urging/rules", _READ, Reach.PROVINCE),
    Entry("POST", "/v1/urging/rules", (*_DECIDE, *_ADD), Reach.PROVINCE, act=Act.URGING),
    Entry("GET", "/v1/urging/rules/{rule_id}", _READ, Reach.PROVINCE),
    Entry("PUT", "/v1/urging/rules/{rule_id}", (*_DECIDE, *_CHANGE), Reach.PROVINCE, act=Act.URGING),
    Entry("DELETE", "/v1/urging/rules/{rule_id}", (*_DECIDE, *_REMOVE), Reach.PROVINCE, act=Act.URGING),
    Entry("GET", "/v1/urging/channels", _READ, Reach.PROVINCE),
    Entry("POST", "/v1/urging/channels", (*_DECIDE, *_SECRET), Reach.PROVINCE, act=Act.URGING),
    Entry("GET", "/v1/urging/channels/{channel_id}", _READ, Reach.PROVINCE),
    Entry("PATCH", "/v1/urging/channels/{channel_id}", (*_DECIDE, *_SECRET), Reach.PROVINCE, act=Act.URGING),
    Entry("DELETE", "/v1/urging/channels/{channel_id}", (*_DECIDE, *_REMOVE), Reach.PROVINCE, act=Act.URGING),
    Entry("GET", "/v1/urges", _WHOLE, Reach.NARROWED, _FILE, note=_BY_LINK, by_link=True),
    Entry("GET", "/v1/actions", (*_WHOLE, Right.READ_AUDIT), Reach.NARROWED, note=_TO_THEM),
    Entry("GET", "/v1/urges/due", _WHOLE, Reach.NARROWED, note=_TO_THEM),
    Entry("POST", "/v1/urges", (*_DECIDE, *_WHOLE), Reach.PROVINCE, act=Act.URGING),
    Entry("GET", "/v1/urges/{urge_id}", _WHOLE, Reach.NARROWED, note=_TO_THEM),
    Entry("POST", "/v1/urges/{urge_id}/answers", (Right.SPEAK, *_WHOLE), Reach.NARROWED, note=_BY_LINK, by_link=True),
    Entry("GET", "/v1/urges/{urge_id}/letter.docx", (*_EXPORT, *_WHOLE), Reach.NARROWED, note=_TO_THEM),
)
