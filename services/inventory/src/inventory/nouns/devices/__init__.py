"""Cameras, recorders, destinations and deliveries: how they are written, and their rules."""
