"""inventory: the wanted state of everything.

Owns agencies, units, facilities, focal points, cameras, destinations and deliveries (camera x destination), in
PostgreSQL. Consumes nothing. Publishes `inventory.<noun>.<id>`: the whole current state of one thing a message, or its
tombstone (vonggac.events.inventory), through a transactional outbox.
"""
