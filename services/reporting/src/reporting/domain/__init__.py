"""Time that adds up: pure values and decisions. No I/O, no clock, no framework.

`instants` (integer milliseconds), `segments` (half-open stretches of time), `timeline` (observations to runs),
`evidence` (what workers say: when they watched, claims of forwarders, media of cameras), `scope` (the plan of each
moment), `maintenance`, `compliance` (of one moment, and the wording that every report prints), `partition` (the five
parts of time of one camera), `ledger` (their cumulative sums at midnights), `outages` (and confirmed states), and
`percentages`.
"""
