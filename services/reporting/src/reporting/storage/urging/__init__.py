"""Urging, as stored: rules and channels as they stand, and the log of who was urged, how, and what they answered."""
