"""The nouns of the mandate."""
