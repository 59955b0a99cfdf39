"""Time that adds up: pure values and decisions. No I/O, no clock, no framework.

`instants` (integer milliseconds), `segments` (half-open stretches of time), `lives` (when workers watched), `timeline`
(observations to runs), `claims` (of forwarders, to one line), `media` (what forwarders saw of cameras dates what probes
found), `scope` (the plan of each moment), `maintenance`, `compliance` (of one moment, and the wording that every report
prints), `partition` (the five parts of time of one camera), `outages` (and confirmed states), and `percentages`.
"""
