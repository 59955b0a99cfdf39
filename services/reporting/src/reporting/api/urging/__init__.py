"""Urging (R11): the rules and channels, the log with what was answered, and the draft of a letter."""
