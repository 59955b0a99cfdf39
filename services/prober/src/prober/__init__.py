"""prober: is the stream alive, is the picture true, do its destinations receive it.

Owns nothing lasting: its schedules are the work queues PROBE_JOBS and VERIFY_JOBS (a job comes back with `nak(delay)`),
its memory the bucket `camera_status` and its likes. Any number of replicas share the queues; each can be killed at any
time.

Consumes: `probe.job.<camera_id>` and `verify.job.<camera_id>` (CameraV1 or RemovedV1, filled by the NATS server from
INVENTORY); the bucket `keyframes`.
Publishes: `observation.camera.<camera_id>` (CameraObservedV1), `observation.site.<facility_id>`
(SiteObservedV1), `observation.verification.<camera_id>.<delivery_id>` (DeliveryVerifiedV1),
`observation.worker.<worker_id>` (ProberAliveV1), and the latest of each in the buckets
`camera_status`, `site_status`, `verifications` and `workers`; what ONVIF scans find in the bucket `scans`.
Asks: `forwarder.camera.<camera_id>.keyframe` for the keyframe of a camera that is pulled already, and
`forwarder.camera.<camera_id>.hash_keyframes` to have every keyframe noted while a delivery is read back.
"""
