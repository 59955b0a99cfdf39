"""Availability: `bookkeeping` writes the ledger, `accounts` reads it beside the direct account, `figures` are per group
and stretch of time, `stays` divide the days of cameras that moved."""
