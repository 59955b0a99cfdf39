"""For other systems: what was noticed goes to the bus and to webhooks; a national list and a metrics page are read.

`watcher` finds what is new and writes it to the outbox, `changes` decides what that is, `webhooks` delivers it
(`signing`, `backoff`), and `tasks` runs them. `sealing` keeps secrets; `national` and `compliance_metrics` are computed
when they are read.
"""
