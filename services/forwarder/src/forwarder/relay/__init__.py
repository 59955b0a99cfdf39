"""The relay: one pull of a camera, handed on to its destinations without parsing the media.

`source` is one attempt to play a camera, `session` one attempt to publish at a destination, `engines` the choice of how
to publish by scheme, `fanout` the hot path between them, `keyframes` where a session may begin. `delivery` and `camera`
supervise: they alone retry; `knocks` tells them when an address answers again. `worker` decides which cameras this
process forwards, `process` puts it all together. `tcp_info` asks the kernel what a destination has confirmed.
"""
