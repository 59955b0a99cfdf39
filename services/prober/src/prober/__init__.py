"""prober: is the stream alive, is the picture true.

Owns nothing lasting: its schedule is the work queue PROBE_JOBS (a job comes back with `nak(delay)`), its memory the
bucket `camera_status` and its likes. Any number of replicas share the queue; each can be killed at any time.

Consumes: `probe.job.<camera_id>` (CameraV1 or RemovedV1, filled by the NATS server from INVENTORY).
Publishes: `observation.camera.<camera_id>` (CameraObservedV1), `observation.site.<facility_id>`
(SiteObservedV1), `observation.worker.<worker_id>` (ProberAliveV1), and the latest of each in the buckets
`camera_status`, `site_status` and `workers`; what ONVIF scans find in the bucket `scans`.
Asks: `forwarder.keyframe.<camera_id>` for the keyframe of a camera that is pulled already.
"""
