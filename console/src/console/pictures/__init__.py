"""Pictures: what a centre gives back, what a camera sends, and in words which of the two it is."""
