"""Compares checked rows with what is on record, before anything is written: what would change, field by field."""
