"""The relay: one pull of a camera, handed on to its destinations without parsing the media.

`service` is the process beside the HTTP API. `assignment`: which cameras it holds, and how they move. `supervision`:
one supervisor per camera and per delivery; they alone retry. `sources` plays a camera, `destinations` publishes it, one
attempt each. `media` is the hot path between them. `demux`, `flv` and `rtmp` are formats and protocols.
"""
