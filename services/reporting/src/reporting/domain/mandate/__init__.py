"""The mandate's process as pure decisions: who owes what, how far each facility is, what differs from the plan."""
