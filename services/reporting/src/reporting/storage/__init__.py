"""PostgreSQL: `tables`, and what reads them: `plan` (what should have been), `history` (what was), `lives`;
`maintenance` and `housekeeping` write too."""
