"""Units and facilities."""
