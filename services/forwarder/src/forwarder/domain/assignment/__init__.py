"""Which cameras a worker holds and forwards: by the plan, by who holds them, by load, by a person's command. Pure."""
