"""The evidence behind the figures: lines of cameras and deliveries, what was lost, clock steps, agreed maintenance."""
