"""forwarder: one pull, two destinations, neither harming the other.

Owns: nothing that lasts. A camera is this process's for as long as it holds the camera's job in progress.
Consumes: DELIVERY_JOBS (one job per camera: a CameraV1, or a RemovedV1), `forwarder.adopt.<camera_id>` requests
of other forwarders for the cameras held here.
Publishes: DeliveryObservedV1 on every change of a delivery's state, ForwarderAliveV1 every few seconds, and the latest
of both in the buckets delivery_status and workers.
"""
