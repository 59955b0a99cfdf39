"""Values and pure decisions of the forwarder: no I/O, no clock, no framework.

`delivery` is how one camera stands at one destination, `camera` how its pull stands, `backoff` when to try again,
`overflow` what to leave out when a destination is too slow, `plan` what a changed job means for what runs.
"""
