"""PostgreSQL: `tables`, and what reads them: `plan` (what should have been), `history` (what was), `lives`;
`housekeeping` writes too."""
