"""What keeps the tables in order: their revision, how far they are in the streams, folding what grows."""
