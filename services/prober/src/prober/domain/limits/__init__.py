"""Bounds: logins at a device, places at a site network, demands of callers. Pure."""
