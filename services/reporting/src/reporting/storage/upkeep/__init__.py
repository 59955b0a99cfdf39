"""Upkeep of the tables: their revision, how far they are in the streams, folding what grows."""
