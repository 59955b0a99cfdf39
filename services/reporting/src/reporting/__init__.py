"""reporting: observations to intervals to compliance; it states the truth.

Owns: runs of each camera, claims on each delivery, lives of workers, and the dated plan with the
maintenance agreed beforehand.
Consumes: INVENTORY (durable `reporting_inventory`) and OBSERVATIONS (durable `reporting_observations`).
Publishes: nothing; it answers at its HTTP API.
"""
