"""Availability: `bookkeeping` writes the ledger, `accounts` reads it beside the direct account, `figures` are per group
and stretch of time, `outages` what was down and for how long."""
