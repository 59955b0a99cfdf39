"""From the bus into tables: each event once, in one transaction with its effect."""
