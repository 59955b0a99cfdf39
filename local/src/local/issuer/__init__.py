"""The embedded OIDC issuer of `make run`: whoever sits at this machine chooses who to be. It listens on loopback alone.

It signs with the key of `keys/`, which the services know anyway. It belongs to no installation that others can reach.
"""
