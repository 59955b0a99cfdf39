"""What follows from a survey: the connection plan (R04) or the installation proposal (R06)."""
