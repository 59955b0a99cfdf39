"""reporting: observations to intervals to compliance; it tells the truth.

Owns: runs of each camera, changes of each delivery, maintenance agreed beforehand, and mirrors of the inventory.
Consumes: INVENTORY (durable `reporting_inventory`) and OBSERVATIONS (durable `reporting_observations`).
Publishes: nothing; it answers at its HTTP API.
"""
