"""PostgreSQL: `tables`, and what reads them: `plan` (what should have been), `history` (what was), `lives`,
`site_faults`; `maintenance` and `housekeeping` write too."""
