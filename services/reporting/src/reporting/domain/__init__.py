"""Time that adds up: pure values and decisions. No I/O, no clock, no framework.

`instants` (integer milliseconds), `segments` (half-open stretches of time), `timeline` (observations of a camera to
runs), `deliveries` (claims of forwarders to one truth), `maintenance`, `compliance` (the accounts of one camera),
`outages`, `percentages`, and `rule` (the wording that every report prints).
"""
