"""Routes of destinations and of credentials."""
