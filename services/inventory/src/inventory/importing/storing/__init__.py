"""Writes a plan: what is new before the writers' queue, what changes inside it, all or nothing."""
