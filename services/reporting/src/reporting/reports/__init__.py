"""The reports: `accounts` reads and accounts camera by camera, `totals` sums groups, `compliance` is the document,
`tables` its CSV. All figures come from one place, so that JSON and CSV agree."""
