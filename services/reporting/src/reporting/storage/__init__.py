"""PostgreSQL: tables, what writes them (`inbox`, `mirror`, `camera_runs`, `delivery_changes`, `workers`,
`maintenance`, `housekeeping`) and what reads them (`plan`, `courses`)."""
