"""Virtual cameras: the live feed, what a fault makes of it, and the sessions that play it."""
