"""Routes of cameras, destinations, deliveries and their credentials."""
