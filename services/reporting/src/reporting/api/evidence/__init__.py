"""The evidence behind the figures: lines of cameras and deliveries, lost facts, clock steps, agreed maintenance."""
