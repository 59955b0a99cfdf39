"""For other systems: what was noticed goes to the bus and to webhooks; a national list and a metrics page are read.

`watching` finds what is new and writes it to the outbox, `changes` decides what that is, `sender` delivers to webhooks
(`signing`, `backoff`), `sealing` keeps secrets, `national` and `compliance_metrics` are computed when they are read.
"""
