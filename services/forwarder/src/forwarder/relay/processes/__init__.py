"""Several event-loop processes in one pod, for when a core is not enough: the `workers` setting.

The parent serves the HTTP API and metrics and keeps its children running; each child is a whole forwarder with a
connection to NATS and a worker id of its own. Nothing else ties them together: cameras go from one to another as they
go between pods.
"""
