"""The evidence behind the figures: the lines of cameras and deliveries, lost facts, agreed maintenance."""
