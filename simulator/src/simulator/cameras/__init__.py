"""Virtual cameras: the live feed, its faults, and the sessions that play it."""
